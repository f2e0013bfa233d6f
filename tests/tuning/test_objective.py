from __future__ import annotations

import pytest
import torch
from torch import Tensor

from enhance.errors import ParameterError
from enhance.operators.registry import get
from enhance.tuning import objective as objective_module
from enhance.tuning.cost import leaving_cost
from enhance.tuning.objective import Objective
from enhance.tuning.space import Space
from enhance.tuning.views import native_views, whole_views


def make(pixels: Tensor, scorer, name: str = "laplacian", **space_options) -> Objective:
    operator = get(name)
    views = (
        whole_views(pixels, 3, size=24) if name == "laplacian" else native_views(pixels, 5, 24, 4)
    )
    space = Space.of(operator, **space_options).calibrated(operator, pixels)
    return Objective(operator, scorer, views, space, leaving_cost(operator, space))


@pytest.mark.parametrize("name", ["laplacian", "turbo"])
def test_scores_are_those_of_one_rendering_at_a_time(coffee: Tensor, tone_scorer, name) -> None:
    objective = make(coffee, tone_scorer, name)
    points = torch.rand(5, len(objective.space.names), dtype=torch.float64)
    scores = objective.scores(points)
    assert scores.shape == (5, len(objective.views))
    for point, row in zip(points, scores, strict=True):
        settings = {n: v[0].float() for n, v in objective.space.settings(point[None]).items()}
        rendered = objective.operator(
            objective.views.windows, extent=objective.views.extent, **settings
        )
        one = tone_scorer(objective.views.cut(rendered))
        assert torch.allclose(row, one.double(), atol=1e-5)


@pytest.mark.parametrize("name", ["laplacian", "turbo"])
@pytest.mark.parametrize("pixels_at_once", [1, 3000])
def test_chunks_change_nothing(
    coffee: Tensor, tone_scorer, monkeypatch, name: str, pixels_at_once: int
) -> None:
    whole = make(coffee, tone_scorer, name)
    points = torch.rand(5, len(whole.space.names), dtype=torch.float64)
    expected = (whole.baseline, whole.scores(points), *whole.values_and_gradients(points))
    monkeypatch.setattr(objective_module, "_CHUNK_PIXELS", pixels_at_once)
    parts = make(coffee, tone_scorer, name)
    got = (parts.baseline, parts.scores(points), *parts.values_and_gradients(points))
    for one, other in zip(got, expected, strict=True):
        assert torch.allclose(one, other, atol=2e-5)


def test_identity_scores_as_the_baseline(coffee: Tensor, tone_scorer) -> None:
    objective = make(coffee, tone_scorer, fixed={"h": 0.3})  # not known to change nothing
    default = objective.space.defaults()[None]
    before = objective.scored
    assert torch.allclose(objective.scores(default)[0], objective.baseline, atol=1e-6)
    assert torch.allclose(objective.values(default), objective.baseline.mean(), atol=1e-6)
    assert objective.scored > before


def test_a_default_that_changes_nothing_is_not_scored_again(coffee: Tensor, tone_scorer) -> None:
    for name, known in (("laplacian", True), ("turbo", False)):
        objective = make(coffee, tone_scorer, name)
        before = objective.scored
        scores = objective.scores(objective.space.defaults()[None])[0]
        assert (objective.scored == before) is known
        assert torch.equal(scores, objective.baseline) is known


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("laplacian", {}),
        ("laplacian", {"bounds": {"h": (0.1, 0.3)}}),
        ("turbo", {"bounds": {"strength": (0, 1)}}),
    ],
)
def test_gradient_equals_finite_differences(
    coffee: Tensor, tone_scorer, name: str, options: dict
) -> None:
    objective = make(coffee.double(), tone_scorer, name, **options)
    generator = torch.Generator().manual_seed(0)
    points = 0.2 + 0.6 * torch.rand(2, len(objective.space.names), generator=generator).double()
    values, gradients = objective.values_and_gradients(points)
    assert torch.allclose(values, objective.values(points), atol=1e-10)
    step = 1e-4  # settings equal to six decimals are one setting
    for column in range(points.shape[1]):
        shift = torch.zeros_like(points)
        shift[:, column] = step
        slope = (objective.values(points + shift) - objective.values(points - shift)) / (2 * step)
        assert torch.allclose(gradients[:, column], slope, rtol=1e-4, atol=1e-6)


def test_cost_grows_with_distance_whatever_the_bounds(coffee: Tensor, tone_scorer) -> None:
    wide, narrow = (
        make(coffee, tone_scorer, bounds={"brightness": bounds}).space
        for bounds in ((-1, 1), (-0.5, 0.5))
    )
    settings = [{"detail": 0, "shadow": 0, "brightness": b} for b in (0, 0.25, 0.5)]
    costs = []
    for space in (wide, narrow):
        cost = leaving_cost(get("laplacian"), space)
        assert cost is not None
        costs.append(cost(torch.stack([space.to_unit(s) for s in settings])))
    assert torch.allclose(costs[0], costs[1])
    assert costs[0][0] == pytest.approx(0, abs=1e-12)
    assert costs[0][2] == pytest.approx(4 * float(costs[0][1]))


def test_denoising_pays_no_cost_and_tone_in_a_chain_does() -> None:
    from enhance.operators.chain import Chain

    turbo, chain = get("turbo"), Chain([get("turbo"), get("laplacian")])
    assert leaving_cost(turbo, Space.of(turbo)) is None
    cost = leaving_cost(chain, Space.of(chain))
    assert cost is not None
    assert set(cost.spec) == {"detail", "shadow", "brightness"}


@pytest.mark.parametrize(
    ("scorer", "message"),
    [
        (lambda images: images.mean((2, 3)), r"shape \(3,\), got \(3, 3\)"),
        (lambda images: 4.0, r"shape \(3,\), got float"),
        (lambda images: images.mean((1, 2, 3)) / 0, "finite scores"),
    ],
)
def test_a_scorer_that_breaks_its_contract(coffee: Tensor, scorer, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        make(coffee, scorer)


def test_differentiable_is_tried(coffee: Tensor, tone_scorer) -> None:
    def numpy_scorer(images: Tensor) -> Tensor:
        return torch.from_numpy(images.numpy().mean((1, 2, 3)))

    assert make(coffee, tone_scorer).differentiable
    assert not make(coffee, numpy_scorer).differentiable
    assert not make(coffee, tone_scorer, bounds={"dilation": (1, 8)}).differentiable
    with pytest.raises(ParameterError, match="use grid, race or bayesian"):
        make(coffee, lambda x: tone_scorer(x).detach()).values_and_gradients(torch.rand(1, 3))


def test_a_setting_is_scored_once(coffee: Tensor, tone_scorer) -> None:
    objective = make(coffee, tone_scorer)
    points = torch.rand(3, 3, dtype=torch.float64)
    scores = objective.scores(points)
    before = objective.scored
    assert torch.equal(objective.scores(points.flip(0)), scores.flip(0))
    assert objective.scored == before
    objective.values_and_gradients(points[:1] / 2)
    before = objective.scored
    objective.scores(points[:1] / 2)
    assert objective.scored == before


def test_first_views_only(coffee: Tensor, tone_scorer) -> None:
    objective = make(coffee, tone_scorer)
    points = torch.rand(2, 3, dtype=torch.float64)
    part = objective.first(2)
    assert torch.allclose(part.scores(points), objective.scores(points)[:, :2], atol=1e-6)


@pytest.mark.parametrize("name", ["laplacian", "turbo"])
@pytest.mark.parametrize("pixels_at_once", [1, 3000, 10**6])
def test_parts_put_together_are_the_whole(
    coffee: Tensor, tone_scorer, monkeypatch, name: str, pixels_at_once: int
) -> None:
    monkeypatch.setattr(objective_module, "_CHUNK_PIXELS", pixels_at_once)
    objective = make(coffee, tone_scorer, name)
    points = torch.rand(3, len(objective.space.names), dtype=torch.float64)
    parts = [objective.part(0, 1), objective.part(1, len(objective))]
    assert torch.equal(torch.cat([p.baseline for p in parts]), objective.baseline)
    together = torch.cat([part.scores(points) for part in parts], 1)
    assert torch.allclose(together, objective.scores(points), atol=1e-5)
    objective.learn(points / 2, together)
    before = objective.scored
    assert torch.equal(objective.scores(points / 2), together)
    assert objective.scored == before


def through_numpy(images: Tensor) -> Tensor:
    return torch.from_numpy(images.detach().numpy().mean((1, 2, 3)))


def probe(images: Tensor) -> Tensor:
    """A head that would learn, on features that pass no gradient on."""
    with torch.no_grad():
        features = images.mean((2, 3))
    return features @ torch.ones(3, requires_grad=True)


def infinite_slope(images: Tensor) -> Tensor:
    mean = images.mean((1, 2, 3))
    return mean + 0 * (mean - mean.detach()).sqrt()


@pytest.mark.parametrize("scorer", [through_numpy, probe, infinite_slope])
def test_a_scorer_whose_gradient_is_of_no_use_is_searched_without(coffee, scorer) -> None:
    assert not make(coffee, scorer).differentiable
