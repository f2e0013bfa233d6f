"""From the best setting to the one handed back: smaller steps, slight ones, and what was known."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

import enhance
from enhance.operators.base import Operator
from enhance.tuning.guards import Interval, Witness, Worth
from enhance.tuning.guards.score import SLIGHT, colour_change
from enhance.tuning.objective import Objective
from enhance.tuning.space import Space
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
