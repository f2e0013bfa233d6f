"""From the best setting found to the one handed back: guards, backing off, or `untouched`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from enhance.errors import ParameterError
from enhance.operators.base import Operator
from enhance.recipe import Verdict
from enhance.tuning.cost import neutral_at_default
from enhance.tuning.gain import Gain, paired_gain
from enhance.tuning.guards import Evidence, Guard, GuardReport
from enhance.tuning.objective import Objective, ScoreFunction
from enhance.tuning.scoring import TONE
from enhance.tuning.space import Space
from enhance.tuning.steps import faint, smaller_shares

UNSEEN = 0.5 / 65535
"""Largest difference that no file shows: what is rendered is the photo as it was."""


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
        objective: what it was judged by: constants may differ from those asked for.
    """

    verdict: Verdict
    reason: str
    point: Tensor
    scores: Tensor
    gain: Gain
    guards: Sequence[GuardReport]
    objective: Objective


def decide(
    objective: Objective,
    point: Tensor,
    guards: Sequence[Guard],
    witness: ScoreFunction | None = None,
    prior: float = 0.0,
    *,
    faint_prior: float = 0.0,
    tone: bool = False,
) -> Decision:
    """Accept the best point, or a smaller step towards it, or nothing.

    Where the best point does harm, smaller shares of the way to it are offered, for the parameters
    whose default changes nothing, and at last as much of it as makes a slight change; that alone
    where guards doubt that the photo gains at all (see `Guard`). Of a denoiser that is refused, so
    much is offered as nobody sees. If none passes, the photo stays as it is, for the reason that
    the best point failed.

    Args:
        witness: a second scorer, for guards that ask one.
        prior: gain that is expected before the scorer is asked.
        faint_prior: the same of so little denoising that nobody sees it; 0 offers none.
        tone: whether gains are as `in_tone_points` says.
    """
    judge = partial(_judge, guards=guards, witness=witness, tone=tone, memory={})
    best = judge(objective, point, prior)
    if best.verdict == "enhanced":
        return best
    doubted = any(
        getattr(guard, "asks", "harm") == "gain" and not report.passed
        for guard, report in zip(guards, best.guards, strict=False)
    )
    step = None
    if best.gain.mean + prior > 0:
        step = _smaller_step(objective, point, prior, judge, slight_only=doubted)
    if step is None and faint_prior:
        step = _faint_step(objective, point, faint_prior, judge)
    if step is None:
        return best
    taken, decision = step
    return replace(decision, reason=f"{taken}, where {best.reason}")


def _smaller_step(
    objective: Objective,
    point: Tensor,
    prior: float,
    judge: Callable[[Objective, Tensor, float], Decision],
    *,
    slight_only: bool,
) -> tuple[str, Decision] | None:
    """The largest share of the way from the untouched photo that passes, and how it is told."""
    space, rest = objective.space, point.clone()
    for name in neutral_at_default(objective.operator, space):
        column = space.names.index(name)
        rest[column] = space.defaults()[column]
    if torch.equal(rest, point):
        return None
    for share in smaller_shares(objective, rest, point, slight_only=slight_only):
        decision = judge(objective, rest + share * (point - rest), prior)
        if decision.verdict == "enhanced":
            return f"moved {share:.0%} of the way to the best setting", decision
        if decision.gain.mean + prior <= 0:
            return None
    return None


def _faint_step(
    objective: Objective,
    point: Tensor,
    prior: float,
    judge: Callable[[Objective, Tensor, float], Decision],
) -> tuple[str, Decision] | None:
    """So little denoising that nobody sees it, if that passes, and how it is told."""
    offered = faint(objective, point)
    if offered is None:
        return None
    share, little = offered
    decision = judge(little, point, prior)
    if decision.verdict != "enhanced":
        return None
    return f"denoised by {share:.0%}, too little to be seen", decision


def _checked(guard: Guard, evidence: Evidence) -> GuardReport:
    report = guard.check(evidence)
    if not isinstance(report, GuardReport):
        raise ParameterError(
            f"guard {guard.name} must answer a GuardReport, got {type(report).__name__}"
        )
    return report


def in_tone_points(operator: Operator[Any], space: Space, scorer: str) -> bool:
    """Whether the embedded tone scorer judges an operator that may leave the photo as it is.

    In its points are the limits of the guards `need` and `worth`, which else abstain.
    """
    return scorer == TONE and bool(neutral_at_default(operator, space))


def untouched_settings(operator: Operator[Any], names: Collection[str]) -> dict[str, float]:
    """The settings, of these names at least, that change nothing; empty where there are none.

    >>> from enhance.operators.registry import get
    >>> untouched_settings(get("turbo"), {"sigma_s"})
    {'sigma_s': 3, 'strength': 0.0}
    """
    if operator.identity is None:
        return {}
    spec = operator.parameters_spec
    return {**{n: spec[n].default for n in spec if n in names}, **operator.identity}


def _judge(
    objective: Objective,
    point: Tensor,
    prior: float,
    *,
    guards: Sequence[Guard],
    witness: ScoreFunction | None,
    tone: bool,
    memory: dict[str, Tensor],
) -> Decision:
    scores = objective.scores(point[None])[0]
    gain = paired_gain(objective.baseline, scores)
    if gain.mean + prior <= 0:
        reason = "the best setting scores no better than the untouched photo"
        return Decision("untouched", reason, point, scores, gain, (), objective)
    before, after = objective.views.images, objective.render(point[None])[0]
    if bool((after - before).abs().max() <= UNSEEN):
        reason = "the best setting changes nothing in the photo"
        return Decision("untouched", reason, point, scores, gain, (), objective)
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
        reports = [_checked(guard, evidence) for guard in guards]
    failed = [report.finding for report in reports if not report.passed]
    if failed:
        return Decision("untouched", "; ".join(failed), point, scores, gain, reports, objective)
    reason = (
        f"the score rises by {gain.mean:.3f}"
        if gain.mean > 0
        else f"noise was read: denoising is taken though the score changes by {gain.mean:+.3f}"
    ) + (" and every guard passes" if guards else "")
    return Decision("enhanced", reason, point, scores, gain, reports, objective)
