"""Smooth gradients torn into steps."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from enhance.tuning.guards.evidence import Evidence, GuardReport
from enhance.tuning.guards.local import LEVEL, activity, light, quantile

REACH = 8
"""Pixels over which a slope is measured."""


@dataclass(frozen=True)
class Banding:
    """How many 8-bit levels one level of a smooth gradient becomes.

    Smooth is where fine detail stays below one level, since noise hides steps, and luma changes
    by one to twelve levels over 8 px. The value is the 95th percentile of the growth, 0 where
    nothing is smooth. A photo that came with 256 levels shows steps where this is large.
    """

    limit: float = 4.5
    name: str = "banding"

    def check(self, evidence: Evidence) -> GuardReport:
        before, after = (_slope(images) for images in (evidence.before, evidence.after))
        smooth = activity(evidence.before)[..., REACH:, REACH:] <= LEVEL**2
        smooth = smooth & (before >= LEVEL) & (before <= 12 * LEVEL)
        value = quantile((after / before.clamp_min(LEVEL))[smooth], 0.95)
        finding = f"smooth gradients become {value:.1f} times as steep (limit {self.limit:g})"
        return GuardReport(self.name, value, self.limit, value <= self.limit, finding)


def _slope(images: Tensor) -> Tensor:
    """Change of luma over `REACH` px, ``(V, h - REACH, w - REACH)``."""
    plane = light(images, 3)
    corner = plane[..., REACH:, REACH:]
    down, right = plane[..., :-REACH, REACH:], plane[..., REACH:, :-REACH]
    return ((corner - down).square() + (corner - right).square()).sqrt()
