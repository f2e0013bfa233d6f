"""Light or colour lost at the ends of the range."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from enhance.tuning.guards.evidence import Evidence, GuardReport


@dataclass(frozen=True)
class Clipping:
    """Share of pixels that reach black or white in a channel and did not before."""

    limit: float = 0.08
    name: str = "clipping"

    def check(self, evidence: Evidence) -> GuardReport:
        value = float((_clipped(evidence.after) & ~_clipped(evidence.before)).float().mean())
        finding = f"{value:.1%} of the pixels are newly clipped (limit {self.limit:.1%})"
        return GuardReport(self.name, value, self.limit, value <= self.limit, finding)


def _clipped(images: Tensor) -> Tensor:
    half_level = 0.5 / 255
    return ((images < half_level) | (images > 1 - half_level)).any(1)
