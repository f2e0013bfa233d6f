"""Whether the photo needs anything, as a predictor and the scorer see it together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from enhance.tuning.guards.evidence import Evidence, GuardReport
from enhance.tuning.guards.score import ABSTAINS, SLIGHT, colour_change
from enhance.tuning.predictor import embedded


@dataclass(frozen=True)
class Need:
    """What the predictor of `tone` expects of developing the photo, and what the scorer gains.

    The predictor has learned how much nearer to the good photo its own settings brought a damaged
    one. A scorer finds a little to gain in every photo, the finished ones included, and in a dark
    one not much more. Added up they tell finished photos from others better than either alone,
    and than both with a veto. A change too slight to be minded needs less.

    Attributes:
        least: gain and expectation, in points of the embedded tone scorer. From validation photos
            (`benchmarks/cost.py`), as the others.
        slight: the same for a change of no more than `SLIGHT`. Below zero: such a step may be
            made where somewhat more is expected to be lost than the scorer gains.
        unit: points that one unit of CIEDE2000 counts, by which the photo is expected to come
            nearer.
        views: how many of the untouched views are looked at.
        tone_only: abstain with any other scorer, and where the operator cannot leave the photo
            as it is.
    """

    least: float = 1.2
    slight: float = -0.2
    unit: float = 0.15
    views: int = 2
    tone_only: bool = False
    name: str = "need"
    asks: ClassVar[str] = "gain"

    def check(self, evidence: Evidence) -> GuardReport:
        if self.tone_only and not evidence.tone:
            return GuardReport.abstained(self.name, ABSTAINS)
        network = embedded("tone")
        if network is None:
            return GuardReport.abstained(self.name, "no predictor was asked")
        views = evidence.before[: self.views].float().cpu()
        expected = float(
            evidence.once(f"need of {self.views}", lambda: network(views).benefit.mean())
        )
        value = self.weigh(expected, evidence.gain.mean)
        limit = self.limit_for(float(colour_change(evidence.before, evidence.after).mean()))
        place = "above" if value >= limit else "below"
        finding = (
            f"the gain {evidence.gain.mean:.3f} and {self.unit:g} for each of the {expected:.1f} "
            f"units (CIEDE2000) that a predictor expects the photo to improve make {value:.2f}, "
            f"{place} the {limit:g} that a change of this size needs"
        )
        return GuardReport(self.name, value, limit, value >= limit, finding)

    def weigh(self, expected: float, gain: float) -> float:
        """Both in points of the scorer.

        >>> Need(unit=0.5).weigh(expected=2.0, gain=0.25)
        1.25
        """
        return gain + self.unit * expected

    def limit_for(self, change: float) -> float:
        """What a change of so much takes, in mean CIE76.

        >>> Need(least=1.2, slight=0.4).limit_for(SLIGHT)
        0.4
        """
        return self.slight if change <= SLIGHT else self.least
