"""Looks to start from."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

import enhance
from enhance.presets import list_presets, load_preset


@pytest.mark.parametrize("name", list_presets())
def test_a_preset_applies_and_says_what_it_is(name: str, coffee: Tensor) -> None:
    preset = load_preset(name)
    applied = enhance.apply(coffee, preset)
    assert applied.shape == coffee.shape
    assert not torch.equal(applied, coffee)
    assert preset.reason


def test_unknown_preset() -> None:
    with pytest.raises(enhance.UnknownNameError, match="did you mean 'punchy'"):
        load_preset("punch")


def test_a_scorer_without_preference_leaves_the_start_as_it_is(coffee: Tensor) -> None:
    def slightly(images: Tensor) -> Tensor:
        """Anything but the photo as it is, and all of that alike."""
        return (images - images.mean((-1, -2), keepdim=True)).flatten(1).norm(dim=1) * 0

    preset = load_preset("soft")
    result = enhance.tune(coffee, scorer=slightly, start=preset, guards=["clipping"])
    assert result.recipe.operators == preset.operators
    for name, value in preset.settings.items():
        assert result.candidate[name] == pytest.approx(value, abs=1e-3)


def test_leaving_costs_from_the_start(paint, grey, target) -> None:
    result = enhance.tune(
        grey, paint, target(0.8, 0.5), start={"red": 0.2}, guards=["interval", "clipping"]
    )
    # the maximum of 5 - 40 (r - .3)^2 - 1.6 ((r - .2) / .5)^2, where the derivative is zero
    assert result.settings["red"] == pytest.approx((40 * 0.3 + 6.4 * 0.2) / 46.4, abs=0.01)


def test_instant_takes_the_start_where_the_scorer_agrees(paint, grey, target) -> None:
    result = enhance.tune(
        grey, paint, target(0.8, 0.5), "instant", start={"red": 0.25}, guards=["interval"]
    )
    assert result.settings == {"red": 0.25, "green": 0}


def test_a_start_must_be_of_the_operator(paint, grey, target) -> None:
    with pytest.raises(enhance.UnknownNameError, match="did you mean 'red'"):
        enhance.tune(grey, paint, target(0.5, 0.5), start={"rad": 0.1})
    with pytest.raises(enhance.ParameterError, match=r"red must lie in \[-0.5, 0.5\]"):
        enhance.tune(grey, paint, target(0.5, 0.5), start={"red": 3})
