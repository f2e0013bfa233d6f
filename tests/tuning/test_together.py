"""One setting for several photos."""

from __future__ import annotations

import pytest
import torch

import enhance
from enhance.operators.resolve import resolve_operator
from enhance.tuning.space import Space
from enhance.tuning.together import around, joined, tune_together
from enhance.tuning.views import whole_views


@pytest.mark.parametrize("strategy", ["gradient", "grid", None])
def test_the_mean_over_photos_is_best(paint, grey, target, strategy: str | None) -> None:
    # each alone wants a mean of .6; what is best for both at once lies between
    photos = [grey - 0.1, grey + 0.1]
    recipe = tune_together(photos, paint, target(0.6, 0.5), strategy, guards=[])
    assert recipe.settings["red"] == pytest.approx(0.1, abs=0.01)
    assert recipe.settings["green"] == pytest.approx(0, abs=0.01)
    own = [enhance.tune(p, paint, target(0.6, 0.5), strategy, guards=[]) for p in photos]
    assert [r.settings["red"] for r in own] == pytest.approx([0.2, 0.0], abs=0.01)
    means = [sum(values) / 2 for values in zip(*((r.baseline, r.score) for r in own), strict=True)]
    assert recipe.baseline == pytest.approx(means[0], abs=1e-3)
    assert recipe.baseline < recipe.score < means[1]


def test_one_photo_is_tuned_as_ever(coffee, tone_scorer) -> None:
    together = tune_together([coffee], "laplacian", tone_scorer, seed=3)
    alone = enhance.tune(coffee, "laplacian", tone_scorer, seed=3).recipe
    assert together == alone


def test_leaving_costs_from_the_start(paint, grey, target) -> None:
    checks = ["interval", "clipping"]
    recipe = tune_together([grey, grey], paint, target(0.8, 0.5), start={"red": 0.2}, guards=checks)
    # the maximum of 5 - 40 (r - .3)^2 - 1.6 ((r - .2) / .5)^2, where the derivative is zero
    assert recipe.settings["red"] == pytest.approx((40 * 0.3 + 6.4 * 0.2) / 46.4, abs=0.01)


def test_nothing_to_gain_leaves_the_photos_alone(paint, grey, target) -> None:
    recipe = tune_together([grey, grey], paint, target(0.5, 0.5))
    assert recipe.verdict == "untouched"
    assert recipe.settings == {"red": 0, "green": 0}


def test_the_first_views_show_every_photo() -> None:
    photos = [torch.full((1, 3, 30, 40), level) for level in (0.1, 0.2, 0.3)]
    views = joined(whole_views(photo, 2, 16) for photo in [*photos, torch.ones(1, 3, 8, 8)])
    assert views.images.mean((1, 2, 3)).tolist() == pytest.approx([0.1, 0.2, 0.3] * 2)


def test_bounds_around_a_setting_stay_within_those_asked_for() -> None:
    space = Space.of(resolve_operator("laplacian"), {"shadow": 0.2}, {"detail": (0, 2)})
    bounds = around(space, {"detail": 0.1, "brightness": 0.5, "shadow": 0.2}, 0.25)
    assert bounds == {"detail": (0, 0.6), "brightness": (0, 1)}
    point = around(space, {"detail": 0.1, "brightness": 0.5}, 0)
    assert point == {"detail": (0.1, 0.1), "brightness": (0.5, 0.5)}


def test_what_cannot_be_tuned_together(coffee, tone_scorer) -> None:
    with pytest.raises(enhance.ParameterError, match="judged on the whole photo, got turbo"):
        tune_together([coffee], "turbo", tone_scorer)
    with pytest.raises(enhance.ParameterError, match="at least one photo, got none"):
        tune_together([], "laplacian", tone_scorer)


@pytest.mark.parametrize(
    ("crops", "rule"),
    [(0, "at least 2, .* got 0"), (1, "at least 2, .* got 1"), (2.5, "whole number, got 2.5")],
)
def test_views_that_give_no_interval_are_refused(paint, grey, target, crops, rule: str) -> None:
    with pytest.raises(enhance.ParameterError, match=rule):
        tune_together([grey], paint, target(0.6, 0.5), crops=crops)


def test_refused_together_the_settings_change_nothing(paint, grey, target) -> None:
    options = {"fixed": {"red": 0.4}, "start": {"green": 0.1}}
    recipe = tune_together([grey], paint, target(0.5, 0.5), **options)
    assert recipe.verdict == "untouched"
    assert dict(recipe.settings) == {"red": 0, "green": 0}


def test_a_setting_that_says_nothing_is_gone_around_at_the_default() -> None:
    space = Space.of(resolve_operator("laplacian"))
    assert around(space, {}, 0.1) == around(
        space, {n: p.default for n, p in space.varying.items()}, 0.1
    )


def test_what_is_not_several_photos_is_refused(paint, target) -> None:
    with pytest.raises(enhance.ParameterError, match="images must be several, got int"):
        tune_together(5, paint, target(0.6, 0.5))  # type: ignore[arg-type]


def test_several_photos_are_searched_as_one_would_be(paint, grey, target) -> None:
    fixed = {"red": 0.25, "green": 0.0}
    alone = enhance.tune(grey, paint, target(0.5, 0.5), fixed=fixed, guards=[])
    together = tune_together([grey], paint, target(0.5, 0.5), fixed=fixed, guards=[], device="cpu")
    assert (together.strategy, together.settings) == (alone.strategy, dict(alone.settings))


def test_what_is_misspelt_is_told_before_a_photo_is_read(paint, target) -> None:
    with pytest.raises(enhance.UnknownNameError, match="grid"):
        tune_together(["nowhere.jpg"], paint, target(0.5, 0.5), "gird")
    with pytest.raises(enhance.ParameterError, match="crops must be at least 2"):
        enhance.tune("nowhere.jpg", crops=1)
