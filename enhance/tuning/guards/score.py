"""Gains that are no more than the scorer's own uncertainty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor
from torch.nn import functional

from enhance.tuning.guards.evidence import Evidence, GuardReport

_SQUARE = 4  # px
SLIGHT = 2.3
"""Mean CIE76 difference up to which nobody minds a change: it may be made on a mere chance.

The just noticeable difference of Mahy, Van Eycken and Oosterlinck, "Evaluation of uniform color
spaces developed after the adoption of CIELAB and CIELUV" (1994).
"""

ABSTAINS = "not asked: it is for tone operators judged by nima-aesthetic"


@dataclass(frozen=True)
class Interval:
    """The gain must be larger than half of its own 95 % interval.

    What was known before any scorer was asked (`Evidence.prior`) counts as gain.
    """

    name: str = "interval"

    def check(self, evidence: Evidence) -> GuardReport:
        gain, margin = evidence.believed, evidence.gain.margin
        passed = gain > margin
        place = "outside" if passed else "within"
        finding = f"{evidence.told} is {place} its own interval (+-{margin:.3f})"
        return GuardReport(self.name, gain, margin, passed, finding)


@dataclass(frozen=True)
class Worth:
    """The gain must be worth leaving the photo as it is, and the more so the more it changes.

    In points of the embedded tone scorer, which has learned that a version one unit of CIE76
    nearer to a good photo is worth .05 of them: a change that earns much less for its size goes
    mostly elsewhere.

    Attributes:
        least: gain below which the photo stays, unless the change is no more than `SLIGHT`. None
            is asked by default, for `Need` weighs it.
        rate: gain wanted for each unit of mean CIE76 difference. On validation photos anything
            from .01 to .02 is the same, .006 moves more undamaged ones, and more than .01 refuses
            what dark photos need.
        tone_only: abstain with any other scorer, and where the operator cannot leave the photo
            as it is.
    """

    least: float = 0.0
    rate: float = 0.01
    tone_only: bool = False
    name: str = "worth"
    asks: ClassVar[str] = "gain"

    def check(self, evidence: Evidence) -> GuardReport:
        if self.tone_only and not evidence.tone:
            return GuardReport.abstained(self.name, ABSTAINS)
        gain = evidence.gain.mean
        change = float(colour_change(evidence.before, evidence.after).mean())
        limit = self.limit_for(change)
        place = "above" if gain >= limit else "below"
        finding = (
            f"the gain {gain:.3f} is {place} what a change of {change:.1f} is worth ({limit:.3g})"
        )
        return GuardReport(self.name, gain, limit, gain >= limit, finding)

    def limit_for(self, change: float) -> float:
        """The gain that a change of so much must bring.

        >>> Worth(least=0.5, rate=0.03).limit_for(20.0)
        0.6
        >>> Worth(least=0.5, rate=0.03).limit_for(1.0)
        0.03
        """
        asked = self.rate * change
        return asked if change <= SLIGHT else max(self.least, asked)


def colour_change(before: Tensor, after: Tensor) -> Tensor:
    """Mean CIE76 difference ``(B,)`` of images ``(B, 3, H, W)``, 4 x 4 pixels averaged first.

    >>> import torch
    >>> grey = torch.full((1, 3, 16, 16), 0.5)
    >>> float(colour_change(grey, grey))
    0.0
    """
    from kornia.color import rgb_to_lab

    square = min(_SQUARE, *before.shape[-2:])
    first, second = (
        rgb_to_lab(functional.avg_pool2d(images.clamp(0, 1), square)) for images in (before, after)
    )
    return (second - first).norm(dim=1).mean((1, 2))


@dataclass(frozen=True)
class Jitter:
    """The gain must be larger than the scorer's change when the untouched views move by a pixel.

    The change is the root mean square over views, of which every other one moves down and the
    rest right; the moved views keep their size (the first row or column is repeated).
    """

    views: int = 8
    name: str = "jitter"

    def check(self, evidence: Evidence) -> GuardReport:
        value = float(evidence.once(f"jitter of {self.views}", lambda: self._jitter(evidence)))
        gain = evidence.believed
        passed = gain > value
        place = "above" if passed else "within"
        finding = f"{evidence.told} is {place} the change under one-pixel shifts ({value:.3f})"
        return GuardReport(self.name, gain, value, passed, finding)

    def _jitter(self, evidence: Evidence) -> Tensor:
        before = evidence.before[: self.views]
        moved = before.clone()
        moved[::2, :, 1:, :] = before[::2, :, :-1, :]
        moved[1::2, :, :, 1:] = before[1::2, :, :, :-1]
        still = evidence.baseline
        still = evidence.scorer(before) if still is None else still[: self.views].to(before)
        return (evidence.scorer(moved) - still).square().mean().sqrt()
