"""From the best setting found to the one handed back: guards, backing off, or `untouched`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from scipy.optimize import brentq
from torch import Tensor

from enhance.operators.base import Operator
from enhance.recipe import Verdict
from enhance.tuning.cost import neutral_at_default
from enhance.tuning.gain import Gain, paired_gain
from enhance.tuning.guards import Evidence, Guard, GuardReport, Need, Witness, Worth
from enhance.tuning.guards.score import SLIGHT, colour_change
from enhance.tuning.objective import Objective, ScoreFunction
from enhance.tuning.scoring import TONE
from enhance.tuning.space import Space

_SHARES = (0.9, 0.75, 0.5, 0.25)
"""Shares of the way to the best setting that are offered to guards that refuse the whole of it."""
DOUBTS = (Need, Worth, Witness)
"""Guards that ask whether the photo gains, not how much harm is done: no smaller step makes what
they doubt more likely, it only hides it from them."""
UNSEEN = 0.5 / 65535
"""Largest difference that no file shows: what is rendered is the photo as it was."""
_SHARE_TOLERANCE = 1e-3
"""How well the share is known whose change is slight."""


@dataclass(frozen=True)
class Decision:
    """What the guards let through.

    Attributes:
        verdict: ``"enhanced"`` or ``"untouched"``.
        reason: why, in words.
        point: the setting judged last, ``(D,)`` in the unit cube; the one to use if enhanced.
        scores: its scores on the views, ``(V,)``.
        gain: its paired gain over the untouched views.
        guards: what each guard found about it.
    """

    verdict: Verdict
    reason: str
    point: Tensor
    scores: Tensor
    gain: Gain
    guards: Sequence[GuardReport]


def decide(
    objective: Objective,
    point: Tensor,
    guards: Sequence[Guard],
    witness: ScoreFunction | None = None,
    prior: float = 0.0,
    *,
    tone: bool = False,
) -> Decision:
    """Accept the best point, or a smaller step towards it, or nothing.

    Where the best point does harm, smaller shares of the way to it are offered, for the parameters
    whose default changes nothing, and at last as much of it as makes a slight change; that alone
    where guards doubt that the photo gains at all (`DOUBTS`). If none passes, the photo stays as
    it is, for the reason that the best point failed.

    Args:
        witness: a second scorer, for guards that ask one.
        prior: gain that is expected before the scorer is asked.
        tone: whether gains are as `in_tone_points` says.
    """
    judge = partial(_judge, objective, guards, witness, prior, tone, {})
    best = judge(point)
    if best.verdict == "enhanced" or best.gain.mean + prior <= 0:
        return best
    rest, space = point.clone(), objective.space
    for name in neutral_at_default(objective.operator, space):
        column = space.names.index(name)
        rest[column] = space.defaults()[column]
    if torch.equal(rest, point):
        return best
    doubted = any(
        isinstance(guard, DOUBTS) and not report.passed
        for guard, report in zip(guards, best.guards, strict=False)
    )
    for share in _smaller(objective, rest, point, slight_only=doubted):
        decision = judge(rest + share * (point - rest))
        if decision.verdict == "enhanced":
            reason = f"moved {share:.0%} of the way to the best setting, where {best.reason}"
            return replace(decision, reason=reason)
        if decision.gain.mean + prior <= 0:
            break
    return best


def _smaller(
    objective: Objective, rest: Tensor, point: Tensor, *, slight_only: bool
) -> Iterator[float]:
    if not slight_only:
        yield from _SHARES
    yield from slight_share(objective, rest, point)


def slight_share(objective: Objective, rest: Tensor, point: Tensor) -> list[float]:
    """Nearly the largest share of the way whose change is slight; none where all of it is."""
    # aimed a little below, for a root is found to within its tolerance on either side
    aim = 0.97 * SLIGHT

    def excess(share: float) -> float:
        after = objective.render((rest + share * (point - rest))[None])[0]
        return float(colour_change(objective.views.images, after).mean()) - aim

    if excess(1.0) <= SLIGHT - aim:
        return []
    return [float(brentq(excess, 0.0, 1.0, xtol=_SHARE_TOLERANCE))]


def in_tone_points(operator: Operator[Any], space: Space, scorer: str) -> bool:
    """Whether the embedded tone scorer judges an operator that may leave the photo as it is.

    In its points are the limits of the guards `need` and `worth`, which else abstain.
    """
    return scorer == TONE and bool(neutral_at_default(operator, space))


def _judge(
    objective: Objective,
    guards: Sequence[Guard],
    witness: ScoreFunction | None,
    prior: float,
    tone: bool,
    memory: dict[str, Tensor],
    point: Tensor,
) -> Decision:
    scores = objective.scores(point[None])[0]
    gain = paired_gain(objective.baseline, scores)
    if gain.mean + prior <= 0:
        reason = "the best setting scores no better than the untouched photo"
        return Decision("untouched", reason, point, scores, gain, ())
    before, after = objective.views.images, objective.render(point[None])[0]
    if bool((after - before).abs().max() <= UNSEEN):
        reason = "the best setting changes nothing in the photo"
        return Decision("untouched", reason, point, scores, gain, ())
    reports: list[GuardReport] = []
    if guards:
        evidence = Evidence(
            before=before,
            after=after,
            gain=gain,
            scorer=objective.scorer,
            witness=witness,
            prior=prior,
            baseline=objective.baseline,
            memory=memory,
            tone=tone,
        )
        reports = [guard.check(evidence) for guard in guards]
    failed = [report.finding for report in reports if not report.passed]
    if failed:
        return Decision("untouched", "; ".join(failed), point, scores, gain, reports)
    reason = (
        f"the score rises by {gain.mean:.3f}"
        if gain.mean > 0
        else f"noise was read, and the score falls by no more than {-gain.mean:.3f}"
    ) + (" and every guard passes" if guards else "")
    return Decision("enhanced", reason, point, scores, gain, reports)
