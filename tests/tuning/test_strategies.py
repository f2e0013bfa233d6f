from __future__ import annotations

from copy import copy
from pathlib import Path

import pytest
import torch
from torch import Tensor

import enhance
from enhance.errors import UnknownNameError
from enhance.operators.registry import get
from enhance.tuning import strategies
from enhance.tuning.objective import Objective
from enhance.tuning.search import Search
from enhance.tuning.space import Space
from enhance.tuning.strategies import bayesian
from enhance.tuning.trust_region import climb
from enhance.tuning.views import native_views, whole_views

SMOOTH = ["gradient", "hybrid"]
ALL = ["bayesian", "gradient", "grid", "hybrid", "race"]


@pytest.fixture
def objective(paint, grey: Tensor, target) -> Objective:
    """Best at red +.23, green -.5, a bound."""
    views = whole_views(grey, 2, size=16)
    return Objective(paint, target(0.73, -0.2), views, Space.of(paint))


@pytest.mark.parametrize("name", SMOOTH)
def test_known_optimum_inside_and_on_a_bound(objective: Objective, name: str) -> None:
    found = strategies.get(name)(objective)
    described = objective.space.describe(found.point)
    assert described["red"] == pytest.approx(0.23, abs=0.01)
    assert described["green"] == pytest.approx(-0.5, abs=0.01)


def test_race_finds_the_top_of_one_parameter_on_few_views(paint, grey, target) -> None:
    views = native_views(grey, 48, size=16)
    space = Space.of(paint, fixed={"green": 0.1})
    full = Objective(paint, target(0.73, 0.6), views, space)
    judged = []

    def counted(images: Tensor) -> Tensor:
        judged.append(len(images))
        return full.scorer(images)

    objective = Objective(paint, counted, views, space)
    judged.clear()
    found = strategies.get("race")(objective)
    assert space.describe(found.point)["red"] == pytest.approx(0.23, abs=0.01)
    assert sum(judged) < 37 * 48 / 6
    assert found.value == pytest.approx(float(full.values(found.point[None])[0]), abs=1e-6)


@pytest.mark.parametrize("peak", [0.03, 0.3, 0.55, 0.58, 0.62, 0.8, 0.97])
def test_race_comes_near_a_top_that_is_no_parabola(paint, grey, peak: float) -> None:
    """The parabola misses it, and whichever finalist is nearest wins."""

    def steep_above(images: Tensor) -> Tensor:
        away = images[:, 0].mean((-1, -2)) - peak
        return -torch.where(away > 0, 9 * away, -away)

    space = Space.of(paint, fixed={"green": 0})
    objective = Objective(paint, steep_above, native_views(grey, 12, size=16), space)
    found = strategies.get("race")(objective)
    assert space.describe(found.point)["red"] + 0.5 == pytest.approx(peak, abs=1 / 8)


def test_race_tells_settings_apart_by_paired_differences(paint, grey) -> None:
    """Views differ a hundred times more among themselves than settings do."""

    def moody(images: Tensor) -> Tensor:
        texture = images[:, 2].flatten(1)
        return 1e3 * texture.std(1) - (images[:, 0].mean((-1, -2)) - 0.6).square()

    objective = Objective(
        paint, moody, native_views(grey, 30, size=16), Space.of(paint, fixed={"green": 0})
    )
    found = strategies.get("race")(objective)
    assert objective.space.describe(found.point)["red"] == pytest.approx(0.1, abs=0.02)


def test_race_comes_near_with_several_parameters(objective: Objective) -> None:
    described = objective.space.describe(strategies.get("race")(objective).point)
    assert described["red"] == pytest.approx(0.23, abs=0.06)
    assert described["green"] == pytest.approx(-0.5, abs=0.06)


def test_grid_finds_the_best_node(objective: Objective) -> None:
    found = strategies.get("grid")(objective)
    assert len(found.points) == 121
    assert objective.space.describe(found.point) == {"red": pytest.approx(0.2), "green": -0.5}
    assert found.value == float(objective.values(objective.space.grid()).max())


def test_bayesian_comes_near_without_a_word(objective: Objective, capsys) -> None:
    found = strategies.get("bayesian")(objective)
    assert capsys.readouterr() == ("", "")
    described = objective.space.describe(found.point)
    assert described["red"] == pytest.approx(0.23, abs=0.1)
    assert described["green"] == pytest.approx(-0.5, abs=0.1)
    assert len(found.values) == bayesian.TRIALS


@pytest.mark.parametrize("name", ALL)
def test_same_seed_same_search(objective: Objective, name: str) -> None:
    first, again = (strategies.get(name)(objective, seed=7) for _ in range(2))
    assert torch.equal(first.points, again.points)
    assert torch.equal(first.values, again.values)


@pytest.mark.parametrize("name", ALL)
def test_never_worse_than_untouched_and_within_the_cube(coffee, tone_scorer, name: str) -> None:
    operator = get("laplacian")
    space = Space.of(operator, bounds={"detail": (0, 1)}, fixed={"shadow": 0})
    objective = Objective(operator, tone_scorer, whole_views(coffee, 2, size=16), space)
    found = strategies.get(name)(objective)
    assert ((found.points >= 0) & (found.points <= 1)).all()
    assert found.value >= float(objective.baseline.mean()) - 1e-6
    assert torch.allclose(objective.values(found.point[None])[0].float(), torch.tensor(found.value))


def test_gradient_reaches_the_grids_gain_with_few_evaluations(coffee, tone_scorer) -> None:
    operator = get("laplacian")
    views = whole_views(coffee, 2, size=24)
    gains, scored = {}, {}
    for name in ("grid", "gradient"):
        objective = Objective(operator, tone_scorer, views, Space.of(operator))
        before = objective.scored
        value = strategies.get(name)(objective).value
        gains[name] = value - float(objective.baseline.mean())
        scored[name] = objective.scored - before
    assert gains["gradient"] >= 0.99 * gains["grid"] > 0
    assert scored["gradient"] <= scored["grid"] / 25


@pytest.mark.parametrize("name", ALL)
def test_nothing_to_search(paint, grey, target, name: str) -> None:
    space = Space.of(paint, fixed={"red": 0.1, "green": 0.2})
    objective = Objective(paint, target(0.5, 0.5), whole_views(grey, 2, size=16), space)
    found = strategies.get(name)(objective)
    assert found.point.shape == (0,)
    assert found.value == pytest.approx(float(objective.scores(torch.zeros(1, 0)).mean()))


def test_bayesian_shows_hopeless_settings_few_of_many_views(paint, grey, target) -> None:
    views = native_views(grey, 48, size=16)
    space = Space.of(paint)
    judged = []

    def counted(images: Tensor) -> Tensor:
        judged.append(len(images))
        return target(0.6, 0.4)(images)

    objective = Objective(paint, counted, views, space)
    judged.clear()
    found = bayesian.search(objective, seed=1, trials=24)
    assert sum(judged) < 0.75 * 48 * 24
    described = space.describe(found.point)
    assert described["red"] == pytest.approx(0.1, abs=0.1)
    assert described["green"] == pytest.approx(-0.1, abs=0.1)
    # the best is scored on all views, and nobody pruned passes for better
    assert found.value == pytest.approx(float(objective.values(found.point[None])[0]), abs=1e-9)


def test_whole_numbers_are_searched_without_gradient(coffee, tone_scorer) -> None:
    operator = get("laplacian")
    space = Space.of(operator, {"shadow": 0, "brightness": 0, "detail": 1}, {"dilation": (1, 8)})
    objective = Objective(operator, tone_scorer, whole_views(coffee, 2, size=24), space)
    found = bayesian.search(objective, trials=16)
    values = space.settings(found.points)["dilation"]
    assert torch.equal(values, values.round())
    best = strategies.get("grid")(objective)
    assert found.value == pytest.approx(best.value, abs=1e-3)


def test_searches_at_once_share_a_journal_file(objective: Objective, tmp_path) -> None:
    journal = str(tmp_path / "study.journal")

    def values(points: Tensor) -> Tensor:
        calls.append(len(points))
        if len(calls) == 2:  # while the first batch is being judged, another search does its own
            shared.append(bayesian.search(objective, seed=3, trials=12, storage=journal))
        return judge(points)

    shared: list[Search] = []
    calls: list[int] = []
    judge = objective.values
    other = copy(objective)
    other.values = values  # type: ignore[method-assign]
    found = bayesian.search(other, seed=3, trials=12, storage=journal)
    assert found.study.study_name == shared[0].study.study_name
    # each takes the other's trials for its own, and what was under way is added to them
    assert 12 <= len(found.points) <= 16
    assert len(found.points.unique(dim=0)) >= len(found.points) - 1  # both begin at the default
    assert Path(journal).stat().st_size > 0


def test_interrupted_study_goes_on_as_if_it_had_not_been(objective: Objective, tmp_path) -> None:
    storage = f"sqlite:///{tmp_path / 'study.db'}"
    whole = bayesian.search(objective, seed=3, trials=20)

    class Killed(Exception):
        pass

    def kill(done: int, total: int) -> None:
        if done >= 8:
            raise Killed

    with pytest.raises(Killed):
        bayesian.search(objective, seed=3, trials=20, storage=storage, progress=kill)
    calls = []
    resumed = bayesian.search(
        objective,
        seed=3,
        trials=20,
        storage=storage,
        progress=lambda done, total: calls.append(done),
    )
    assert calls == [12, 16, 20]  # the first eight were there
    assert torch.allclose(resumed.points, whole.points)
    assert torch.allclose(resumed.values, whole.values)


def test_another_photo_has_its_own_study(paint, grey, target, tmp_path) -> None:
    storage = f"sqlite:///{tmp_path / 'study.db'}"
    names = set()
    for pixels in (grey, grey * 0.9):
        views = whole_views(pixels, 2, size=16)
        objective = Objective(paint, target(0.6, 0.6), views, Space.of(paint))
        names.add(bayesian.search(objective, trials=2, storage=storage).study.study_name)
    assert len(names) == 2


def test_unknown_strategy() -> None:
    assert set(ALL) <= set(strategies.list_strategies())
    with pytest.raises(UnknownNameError, match="did you mean 'gradient'"):
        strategies.get("gradiant")


@pytest.mark.parametrize("name", ALL)
def test_progress_counts_up_to_the_end(objective: Objective, name: str) -> None:
    calls: list[tuple[int, int]] = []
    strategies.get(name)(objective, progress=lambda done, total: calls.append((done, total)))
    assert calls
    assert all(0 < done <= total for done, total in calls)


def test_climb_curved_valley() -> None:
    """A bent ridge, as two parameters that trade off against each other make it."""

    def function(points: Tensor) -> tuple[Tensor, Tensor]:
        leaf = points.clone().requires_grad_()
        x, y = (3 * leaf - 1).unbind(-1)
        value = -((1 - x) ** 2) - 4 * (y - x**2) ** 2
        (gradient,) = torch.autograd.grad(value.sum(), leaf)
        return value.detach(), gradient

    found = climb(function, torch.tensor([[0.1, 0.9], [0.9, 0.1]]).double(), steps=40)
    assert found.value > -1e-3


def test_climb_reaches_corners() -> None:
    def slope(points: Tensor) -> tuple[Tensor, Tensor]:
        direction = torch.tensor([1.0, -2.0, 0.5]).double()
        return points @ direction, direction.expand_as(points)

    found = climb(slope, torch.full((1, 3), 0.5).double())
    assert found.point.tolist() == [1, 0, 1]
    assert len(found.values) <= 6


@pytest.mark.parametrize("name", ["bayesian", "hybrid", "gradient"])
def test_the_start_is_tried(paint, grey, name: str) -> None:
    """A needle that no search finds by itself."""
    space = Space.of(paint)
    hint = space.to_unit({"red": 0.31, "green": -0.17})

    def needle(images: Tensor) -> Tensor:
        mean = images.mean((-1, -2))
        return -((mean[:, 0] - 0.81).square() + (mean[:, 1] - 0.33).square()).clamp(max=1e-6)

    objective = Objective(paint, needle, whole_views(grey, 2, size=16), space, hint=hint)
    found = strategies.get(name)(objective)
    assert found.value == pytest.approx(0, abs=1e-8)


def test_a_study_on_disk_is_not_taken_for_another_problems(
    paint, grey, target, tmp_path: Path
) -> None:
    options = {"strategy": "bayesian", "storage": tmp_path / "study.journal"}
    score = target(0.9, 0.5)
    guarded = enhance.tune(grey, paint, score, **options)
    raw = enhance.tune(grey, paint, score, guards=[], **options)
    left = enhance.tune(grey, paint, score, start={"red": -0.4}, **options)
    assert len({result.study.study_name for result in (guarded, raw, left)}) == 3
    again = enhance.tune(grey, paint, score, guards=[], **options)
    assert again.study.study_name == raw.study.study_name
    assert len(again.study.trials) == len(raw.study.trials)
