"""From the best setting to the one handed back: smaller steps, slight ones, and what was known."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

import enhance
from enhance.operators.base import Operator
from enhance.operators.registry import get
from enhance.tuning.guards import Evidence, GuardReport, Interval, Witness, Worth
from enhance.tuning.guards.score import SLIGHT, colour_change
from enhance.tuning.objective import Objective
from enhance.tuning.space import Space
from enhance.tuning.steps import FAINT
from enhance.tuning.verdict import Decision, decide
from enhance.tuning.views import whole_views


def test_what_is_not_worth_much_may_be_done_slightly(paint, grey, target) -> None:
    free = enhance.tune(grey, paint, target(0.9, 0.5), guards=["interval"])
    result = enhance.tune(grey, paint, target(0.9, 0.5), guards=[Worth(least=100)])
    assert result.verdict == "enhanced"
    assert 0 < result.settings["red"] < 0.5 * free.settings["red"]
    change = float(colour_change(grey, result.image).mean())
    assert 0.9 * SLIGHT < change <= SLIGHT
    assert "of the way" in result.reason
    assert result.gain >= Worth().rate * change


def test_nothing_is_done_where_even_a_slight_change_is_not_worth_it(paint, grey, target) -> None:
    result = enhance.tune(grey, paint, target(0.9, 0.5), guards=[Worth(least=100, rate=100)])
    assert result.verdict == "untouched"
    assert "worth" in result.reason
    assert torch.equal(result.image, grey)


@pytest.mark.parametrize(("prior", "verdict"), [(0.0, "untouched"), (0.1, "enhanced")])
def test_what_is_known_before_decides_where_the_scorer_hardly_can(
    paint: Operator[Tensor], grey: Tensor, prior: float, verdict: str
) -> None:
    def hardly_minds(images: Tensor) -> Tensor:
        return -0.1 * images[:, 0].mean((1, 2))

    def decided(known: float) -> Decision:
        objective = Objective(paint, hardly_minds, whole_views(grey, 4, 16), Space.of(paint))
        point = torch.tensor([0.9, 0.5], dtype=torch.float64)
        return decide(objective, point, [Interval()], prior=known)

    decision = decided(prior)
    assert decision.verdict == verdict
    assert decision.gain.mean == pytest.approx(-0.04, abs=1e-3)
    assert ("noise was read" in decision.reason) is (verdict == "enhanced")


@pytest.mark.parametrize("limit", [0.05, 0.2, 0.35])
def test_a_dissenting_witness_is_not_evaded_by_a_smaller_step(
    paint: Operator[Tensor], grey: Tensor, limit: float
) -> None:
    def redness(images: Tensor) -> Tensor:
        return images[:, 0].mean((1, 2))

    objective = Objective(paint, redness, whole_views(grey, 4, 16), Space.of(paint))
    point = torch.tensor([0.9, 0.5], dtype=torch.float64)
    decision = decide(
        objective, point, [Witness(limit=limit)], witness=lambda images: -redness(images)
    )
    after = objective.render(decision.point[None])[0]
    assert decision.verdict == "enhanced"
    assert 0 < float(colour_change(objective.views.images, after).mean()) <= SLIGHT


@pytest.mark.parametrize("guards", [None, []])
def test_what_changes_nothing_is_no_enhancement(coffee: Tensor, guards: list[str] | None) -> None:
    noise = 0.06 * torch.randn(coffee.shape, generator=torch.Generator().manual_seed(0))
    noisy = (coffee + noise).clamp(0, 1)

    def hums(images: Tensor) -> Tensor:
        """Differs by some rounding from call to call."""
        calls.append(0)
        return images.mean((1, 2, 3)) + 1e-5 * len(calls)

    calls: list[int] = []
    options = {"fixed": {"strength": 0.0}, "crops": 3, "guards": guards}
    result = enhance.tune(noisy, "turbo", hums, **options)
    assert result.verdict == "untouched"
    assert result.gain == 0
    assert result.reason


def test_noise_that_was_read_does_not_count_where_nothing_changes(
    paint: Operator[Tensor], grey: Tensor
) -> None:
    objective = Objective(
        paint, lambda images: images.mean((1, 2, 3)), whole_views(grey, 4, 16), Space.of(paint)
    )
    still = objective.space.defaults()
    decision = decide(objective, still, [Interval()], prior=1.0)
    assert decision.verdict == "untouched"
    assert "changes nothing" in decision.reason


class Unseen:
    """A guard that passes what nobody sees."""

    name = "unseen"

    def check(self, evidence: Evidence) -> GuardReport:
        change = rms(evidence.after, evidence.before)
        return GuardReport(self.name, change, FAINT, change <= FAINT, f"it changes by {change:.4f}")


def rms(image: Tensor, other: Tensor) -> float:
    return float((image - other).square().mean().sqrt())


@pytest.fixture
def noisy(coffee: Tensor) -> Tensor:
    noise = 0.06 * torch.randn(coffee.shape, generator=torch.Generator().manual_seed(0))
    return (coffee + noise).clamp(0, 1)


@pytest.mark.parametrize("operator", ["turbo", "bilateral"])
def test_so_little_denoising_as_nobody_sees_is_done_where_more_is_refused(
    noisy: Tensor, operator: str
) -> None:
    result = enhance.tune(noisy, operator, crops=4, guards=[Unseen()])
    assert result.verdict == "enhanced"
    assert "too little to be seen" in result.reason
    assert 0 < result.settings["strength"] < 1
    seen = result.objective.render(result.objective.space.to_unit(result.settings)[None])[0]
    assert 0.9 * FAINT < rms(seen, result.objective.views.images) <= FAINT
    replayed = enhance.apply(noisy, result.recipe)
    assert torch.equal(replayed, result.image)


def test_a_strength_that_was_asked_for_is_not_changed(noisy: Tensor) -> None:
    result = enhance.tune(noisy, "turbo", crops=4, guards=[Unseen()], fixed={"strength": 1.0})
    assert result.verdict == "untouched"


@pytest.mark.parametrize(("prior", "verdict"), [(0.0, "untouched"), (1.0, "enhanced")])
def test_faint_denoising_needs_noise_that_was_read(
    noisy: Tensor, prior: float, verdict: str
) -> None:
    def likes_grain(images: Tensor) -> Tensor:
        return images.std((1, 2, 3))

    turbo = get("turbo")
    space = Space.of(turbo).calibrated(turbo, noisy)
    objective = Objective(turbo, likes_grain, whole_views(noisy, 2, 64), space)
    decision = decide(objective, space.defaults(), [Interval()], faint_prior=prior)
    assert decision.verdict == verdict
    assert decision.gain.mean < 0
