"""A second opinion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from enhance.tuning.gain import paired_gain
from enhance.tuning.guards.evidence import Evidence, GuardReport


@dataclass(frozen=True)
class Witness:
    """A scorer that was not maximised must not find the result clearly worse.

    Clearly: the upper end of the 95 % interval of its gain lies below minus the limit. The first
    few views are enough for that. Abstains where there is no second scorer.
    """

    limit: float = 0.2
    views: int = 4
    name: str = "witness"
    asks: ClassVar[str] = "gain"

    def check(self, evidence: Evidence) -> GuardReport:
        if evidence.witness is None:
            return GuardReport.abstained(self.name, "no second scorer was asked")
        witness = evidence.witness
        before, after = evidence.before[: self.views], evidence.after[: self.views]
        untouched = evidence.once(f"witness of {self.views}", lambda: witness(before))
        with torch.no_grad():
            enhanced = witness(after)
        gain = paired_gain(untouched, enhanced)
        passed = gain.high >= -self.limit
        value = max(0.0, -gain.high)
        finding = (
            f"a second scorer's gain is {gain.mean:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}] "
            f"(a drop of {self.limit:g} is too much)"
        )
        return GuardReport(self.name, value, self.limit, passed, finding)
