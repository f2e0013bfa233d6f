"""Noise made visible."""

from __future__ import annotations

from dataclasses import dataclass

from enhance.tuning.guards.evidence import Evidence, GuardReport
from enhance.tuning.guards.local import LEVEL, activity, quietest


@dataclass(frozen=True)
class NoiseGain:
    """How much the finest detail grows where the photo was flat: that is mostly noise.

    Flat are the fifth of the pixels with the least activity in their 5x5 neighbourhood, of those
    where there is any. Less than one 8-bit level of it is nobody's noise, so a growth is measured
    from there at least.
    """

    limit: float = 2.0
    name: str = "noise"

    def check(self, evidence: Evidence) -> GuardReport:
        before, after = activity(evidence.before), activity(evidence.after)
        flat = quietest(before, 0.2)
        floor = LEVEL**2
        ratio = after[flat].mean().clamp_min(floor) / before[flat].mean().clamp_min(floor)
        value = float(ratio.sqrt())
        finding = f"noise in flat areas grows {value:.2f}-fold (limit {self.limit:g})"
        return GuardReport(self.name, value, self.limit, value <= self.limit, finding)
