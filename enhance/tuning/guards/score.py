"""Gains that are no more than the scorer's own uncertainty."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn import functional

from enhance.tuning.guards.evidence import Evidence, GuardReport


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
class Worth:
    """The gain must be worth leaving the photo as it is, in points of the embedded tone scorer.

    The default is the least of those tried at which fewer than one undamaged photo in ten moves
    visibly, while damaged ones lose next to nothing (`benchmarks/cost.py`).
    """

    least: float = 0.4
    name: str = "worth"

    def check(self, evidence: Evidence) -> GuardReport:
        gain = evidence.gain.mean
        passed = gain >= self.least
        place = "above" if passed else "below"
        finding = f"the gain {gain:.3f} is {place} what leaving the photo is worth ({self.least:g})"
        return GuardReport(self.name, gain, self.least, passed, finding)


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
