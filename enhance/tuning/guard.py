"""Do no harm: what a winning setting must also satisfy, beside a high score.

A guard is one small object: it measures something on the untouched and the enhanced views and
compares it with a limit. Pass your own among ``guards=[...]``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional

from enhance.errors import ParameterError, unknown_name
from enhance.tuning.gain import Gain


@dataclass(frozen=True)
class Evidence:
    """What guards look at.

    Attributes:
        before, after: ``(V, 3, h, w)``: the untouched and the enhanced views.
        gain: paired gain of the score, with its interval.
        scorer: the scorer, for guards that ask it more.
    """

    before: Tensor
    after: Tensor
    gain: Gain
    scorer: Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class GuardReport:
    """What one guard found. `finding` says it in words."""

    name: str
    value: float
    limit: float
    passed: bool
    finding: str


class Guard(Protocol):
    """Measures one kind of harm."""

    @property
    def name(self) -> str:
        """How results and ``guards=[...]`` call it."""
        ...

    def check(self, evidence: Evidence) -> GuardReport:
        """Measure, and compare with the limit."""
        ...


@dataclass(frozen=True)
class Clipping:
    """Share of pixels that reach black or white in a channel and did not before."""

    limit: float = 0.02
    name: str = "clipping"

    def check(self, evidence: Evidence) -> GuardReport:
        value = float((_clipped(evidence.after) & ~_clipped(evidence.before)).float().mean())
        finding = f"{value:.1%} of the pixels are newly clipped (limit {self.limit:.1%})"
        return GuardReport(self.name, value, self.limit, value <= self.limit, finding)


@dataclass(frozen=True)
class NoiseGain:
    """How much the finest detail grows where the photo was flat: that is mostly noise.

    Flat are the fifth of the pixels with the least activity in their 5x5 neighbourhood; less
    than one 8-bit level of it is nobody's noise, so a growth is measured from there at least.
    """

    limit: float = 2.0
    name: str = "noise"

    def check(self, evidence: Evidence) -> GuardReport:
        before, after = _activity(evidence.before), _activity(evidence.after)
        flat = before <= before.flatten(1).quantile(0.2, dim=1)[:, None, None]
        floor = (1 / 255) ** 2
        ratio = after[flat].mean().clamp_min(floor) / before[flat].mean().clamp_min(floor)
        value = float(ratio.sqrt())
        finding = f"noise in flat areas grows {value:.2f}-fold (limit {self.limit:g})"
        return GuardReport(self.name, value, self.limit, value <= self.limit, finding)


@dataclass(frozen=True)
class Interval:
    """The gain must be larger than half of its own 95 % interval."""

    name: str = "interval"

    def check(self, evidence: Evidence) -> GuardReport:
        gain, margin = evidence.gain.mean, evidence.gain.margin
        passed = gain > margin
        place = "outside" if passed else "within"
        finding = f"the gain {gain:.3f} is {place} its own interval (+-{margin:.3f})"
        return GuardReport(self.name, gain, margin, passed, finding)


@dataclass(frozen=True)
class Jitter:
    """The gain must be larger than the scorer's change when the untouched views move by a pixel.

    The change is the root mean square over views and over one pixel down and one pixel right;
    the moved views keep their size (the first row or column is repeated).
    """

    views: int = 8
    name: str = "jitter"

    def check(self, evidence: Evidence) -> GuardReport:
        before = evidence.before[: self.views]
        down = functional.pad(before, (0, 0, 1, 0), mode="replicate")[..., :-1, :]
        right = functional.pad(before, (1, 0, 0, 0), mode="replicate")[..., :-1]
        with torch.no_grad():
            still, *moved = evidence.scorer(torch.cat([before, down, right])).chunk(3)
        value = float(torch.cat([m - still for m in moved]).square().mean().sqrt())
        gain = evidence.gain.mean
        passed = gain > value
        place = "above" if passed else "within"
        finding = f"the gain {gain:.3f} is {place} the change under one-pixel shifts ({value:.3f})"
        return GuardReport(self.name, gain, value, passed, finding)


def default_guards() -> list[Guard]:
    """The guards that run unless the caller lists others."""
    return [Interval(), Clipping(), NoiseGain(), Jitter()]


def resolve_guards(guards: Iterable[str | Guard] | None) -> list[Guard]:
    """Guards from names and objects; None means the default ones.

    Raises:
        UnknownNameError: no guard has this name.
        ParameterError: something that is neither a name nor a guard.
    """
    if guards is None:
        return default_guards()
    known = {guard.name: guard for guard in default_guards()}
    resolved: list[Guard] = []
    for guard in guards:
        if isinstance(guard, str):
            if guard not in known:
                raise unknown_name("guard", guard, known)
            resolved.append(known[guard])
        elif callable(getattr(guard, "check", None)) and hasattr(guard, "name"):
            resolved.append(guard)
        else:
            raise ParameterError(f"a guard must have a name and a check, got {guard!r}")
    return resolved


def _clipped(images: Tensor) -> Tensor:
    half_level = 0.5 / 255
    return ((images < half_level) | (images > 1 - half_level)).any(1)


def _activity(images: Tensor) -> Tensor:
    """Local mean square ``(V, h, w)`` of what a 3x3 mean takes out of the luma."""
    luma = images.mean(1, keepdim=True)
    blurred = functional.avg_pool2d(luma, 3, 1, 1, count_include_pad=False)
    return functional.avg_pool2d((luma - blurred) ** 2, 5, 1, 2, count_include_pad=False)[:, 0]
