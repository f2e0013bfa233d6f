"""Highlights, whites and blacks: known values, where each acts, and monotone curves."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from enhance.operators.highlights import Highlights, curve_change
from enhance.operators.luma import luma

RAMP = torch.linspace(0, 1, 1001, dtype=torch.float64)
amounts = st.floats(-1, 1)


def change(tone: Tensor, highlights: float = 0, whites: float = 0, blacks: float = 0) -> Tensor:
    return curve_change(tone, *torch.tensor([highlights, whites, blacks], dtype=torch.float64))


@pytest.mark.parametrize(
    ("setting", "tone", "expected"),
    [
        ({"highlights": -1.0}, 0.75, -2.5 * 0.75**3 * 0.25),
        ({"highlights": 1.0}, 0.75, 0.9 * 0.75**3 * 0.25),
        ({"whites": -1.0}, 0.875, -4 * 0.875**7 * 0.125),
        ({"whites": 1.0}, 0.875, 0.9 * 0.875**7 * 0.125),
        ({"blacks": 1.0}, 0.125, 4 * 0.875**7 * 0.125),
        ({"blacks": -1.0}, 0.125, -0.9 * 0.875**7 * 0.125),
    ],
)
def test_known_values(setting: dict[str, float], tone: float, expected: float) -> None:
    found = change(torch.tensor(tone, dtype=torch.float64), **setting).item()
    assert found == pytest.approx(expected, abs=1e-12)


@given(amounts, amounts, amounts)
def test_every_setting_is_monotone_and_fixes_the_ends(a: float, b: float, c: float) -> None:
    curve = RAMP + change(RAMP, a, b, c)
    assert bool((curve.diff() > 0).all())
    assert curve[[0, -1]].tolist() == pytest.approx([0, 1], abs=1e-12)


@pytest.mark.parametrize("name", ["highlights", "whites", "blacks"])
def test_each_acts_in_its_range(name: str) -> None:
    moved = change(RAMP, **{name: 0.8}).abs()
    centre = (moved * RAMP).sum() / moved.sum()
    if name == "blacks":
        assert centre < 0.25
        assert (moved[RAMP > 0.6] < 0.02 * moved.max()).all()
    else:
        assert centre > (0.75 if name == "whites" else 0.65)
        assert (moved[RAMP < 0.1] < 0.02 * moved.max()).all()


def test_recovery_spreads_light_tones_and_leaves_dark_ones(coffee: Tensor) -> None:
    light = 0.7 + 0.28 * coffee
    recovered = Highlights()(light, highlights=-0.8)
    assert luma(recovered).mean() < luma(light).mean() - 0.1
    dark = 0.2 * coffee
    assert (Highlights()(dark, highlights=-0.8) - dark).abs().max() < 0.02


def test_luma_follows_the_curve_and_colour_its_ratio(coffee: Tensor) -> None:
    photo = (0.3 + 0.4 * coffee).double()
    rendered = Highlights()(photo, highlights=-0.5, blacks=-0.3)
    wanted = luma(photo) + change(luma(photo), -0.5, 0, -0.3)
    torch.testing.assert_close(luma(rendered), wanted, atol=1e-9, rtol=0)
    ratio = (rendered + 0.01) / (photo + 0.01)
    assert (ratio.amax(1) - ratio.amin(1)).max() < 1e-9
