"""Contrast: known values of its curve, its inverse, and what it leaves alone."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from enhance.operators.contrast import MAX_SLOPE, Contrast, curve_change
from enhance.operators.luma import luma

RAMP = torch.linspace(0, 1, 1001, dtype=torch.float64)
contrasts = st.floats(-1, 1)
pivots = st.floats(0.2, 0.8)


def curve(values: Tensor, contrast: float, pivot: float = 0.5) -> Tensor:
    return values + curve_change(values, *torch.tensor([contrast, pivot], dtype=torch.float64))


@pytest.mark.parametrize("side", [0.1, 0.25, 0.4])
def test_known_values_of_schlicks_gain(side: float) -> None:
    # Schlick: bias(t, b) = t / ((1 / b - 2) (1 - t) + 1), gain mirrors it about one half
    bend = MAX_SLOPE - 1
    expected = 0.5 * (2 * side) / (1 + bend * (1 - 2 * side))
    low, high = curve(torch.tensor([side, 1 - side], dtype=torch.float64), 1.0).tolist()
    assert low == pytest.approx(expected, abs=1e-12)
    assert high == pytest.approx(1 - expected, abs=1e-12)


@given(contrasts, pivots)
def test_fixes_black_pivot_and_white_and_rises(contrast: float, pivot: float) -> None:
    fixed = torch.tensor([0, pivot, 1], dtype=torch.float64)
    torch.testing.assert_close(curve(fixed, contrast, pivot), fixed, atol=1e-12, rtol=0)
    rises = curve(RAMP, contrast, pivot).diff()
    assert bool((rises > 0).all())


@given(contrasts, pivots)
def test_the_opposite_contrast_undoes_it(contrast: float, pivot: float) -> None:
    there = curve(RAMP, contrast, pivot)
    torch.testing.assert_close(curve(there, -contrast, pivot), RAMP, atol=1e-12, rtol=0)


@given(contrasts, pivots)
def test_slopes_at_pivot_and_ends(contrast: float, pivot: float) -> None:
    points = torch.tensor([0, pivot, 1], dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(curve(points, contrast, pivot).sum(), points)
    steep = MAX_SLOPE**contrast
    expected = torch.tensor([1 / steep, steep, 1 / steep], dtype=torch.float64)
    torch.testing.assert_close(slope, expected, atol=1e-9, rtol=1e-9)


def test_luma_follows_the_curve_and_colour_its_ratio(coffee: Tensor) -> None:
    photo = (0.2 + 0.5 * coffee).double()
    rendered = Contrast()(photo, contrast=0.4)
    wanted = curve(luma(photo), 0.4)
    torch.testing.assert_close(luma(rendered), wanted, atol=1e-9, rtol=0)
    ratio = (rendered + 0.01) / (photo + 0.01)
    assert (ratio.amax(1) - ratio.amin(1)).max() < 1e-9


def test_more_contrast_spreads_luma_and_less_gathers_it(astronaut: Tensor) -> None:
    spreads = luma(Contrast()(astronaut, contrast=torch.linspace(-1, 1, 9))).std((1, 2))
    assert bool((spreads.diff() > 0).all())


def test_grey_stays_grey() -> None:
    grey = torch.linspace(0, 1, 33).reshape(1, 1, 3, 11).expand(1, 3, 3, 11)
    rendered = Contrast()(grey, contrast=0.8)
    assert (rendered - rendered[:, :1]).abs().max() < 1e-6
