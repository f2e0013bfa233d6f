"""Whether the photo needs anything, as a predictor sees it."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from enhance.tuning.guards.evidence import Evidence, GuardReport
from enhance.tuning.guards.score import SLIGHT, colour_change
from enhance.tuning.predictor import embedded


@dataclass(frozen=True)
class Need:
    """The predictor of `tone` must expect that the photo gains by being developed.

    It has learned how much nearer to the good photo its own settings brought a damaged one. A
    scorer finds a little to gain in every photo, the finished ones included; together they tell
    those apart better than either alone. A change too slight to be minded needs less.

    Attributes:
        least: expected decrease of the colour difference to the ideal photo, in CIE76 units. From
            validation photos (`benchmarks/cost.py`).
        slight: the same for a change of no more than `SLIGHT`.
        views: how many of the untouched views are looked at.
    """

    least: float = 3.0
    slight: float = 0.0
    views: int = 2
    name: str = "need"

    def check(self, evidence: Evidence) -> GuardReport:
        network = embedded("tone")
        if network is None:
            return GuardReport(self.name, 0.0, self.least, True, "no predictor was asked")
        with torch.no_grad():
            seen = network(evidence.before[: self.views].float().cpu())
        value = float(seen.benefit.mean())
        change = float(colour_change(evidence.before, evidence.after).mean())
        least = self.slight if change <= SLIGHT else self.least
        passed = value >= least
        place = "above" if passed else "below"
        finding = (
            f"a predictor expects the photo to come {value:.1f} nearer to a good one, {place} what "
            f"is worth touching it for ({least:g})"
        )
        return GuardReport(self.name, value, least, passed, finding)
