"""Dehaze: undoes synthetic haze, reads its airlight, and leaves clear photos nearly alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import minimum_filter
from torch import Tensor

from enhance.operators.dehaze import DIMMEST, Dehaze, dark_channel, read_airlight

AIRLIGHT = 0.85


@pytest.fixture
def clear() -> Tensor:
    """Patches of colours that each lack a channel, so that the prior holds: (1, 3, 64, 64)."""
    generator = torch.Generator().manual_seed(0)
    colours = torch.rand(1, 3, 16, 16, generator=generator)
    colours = colours.masked_fill(colours == colours.amin(1, keepdim=True), 0.0)
    return 0.8 * colours.repeat_interleave(4, 2).repeat_interleave(4, 3)


@pytest.fixture
def hazy(clear: Tensor) -> Tensor:
    """Seen through air that thickens upwards, to nothing but air at the top."""
    transmission = torch.linspace(0, 1, 64)[:, None].clamp_min(0.02)
    return clear * transmission + AIRLIGHT * (1 - transmission)


@pytest.mark.parametrize("radius", [1, 3, 12])
def test_dark_channel_equals_scipys_minimum_filter(coffee: Tensor, radius: int) -> None:
    expected = minimum_filter(coffee[0].amin(0).numpy(), 2 * radius + 1, mode="nearest")
    np.testing.assert_array_equal(dark_channel(coffee, radius)[0].numpy(), expected)


def test_even_air_is_taken_off_by_the_formula(clear: Tensor) -> None:
    hazy = 0.5 * clear + 0.5 * AIRLIGHT
    rendered = Dehaze()(hazy, extent=(512, 512), dehaze=1.0, airlight=AIRLIGHT)
    expected = AIRLIGHT + (hazy - AIRLIGHT) / (1 - 0.9 * 0.5)
    torch.testing.assert_close(rendered, expected, atol=1e-5, rtol=0)


def test_undoes_most_of_air_that_thickens_slowly(clear: Tensor) -> None:
    transmission = torch.linspace(0.4, 0.7, 64)[:, None]
    hazy = clear * transmission + AIRLIGHT * (1 - transmission)
    rendered = Dehaze()(hazy, extent=(512, 512), dehaze=1.0, airlight=AIRLIGHT)
    before, after = ((image - clear).square().mean() for image in (hazy, rendered))
    assert after < 0.25 * before


def test_airlight_is_read_where_there_is_nothing_but_air(hazy: Tensor) -> None:
    assert read_airlight(hazy).item() == pytest.approx(AIRLIGHT, abs=0.03)


def test_airlight_of_dark_photos_stays_believable() -> None:
    assert read_airlight(torch.zeros(1, 3, 8, 8)).item() == pytest.approx(DIMMEST)


def test_contrast_grows_with_the_setting(hazy: Tensor) -> None:
    spreads = Dehaze()(hazy, dehaze=torch.linspace(-1, 1, 9))[:, :, 32:].std((1, 2, 3))
    assert bool((spreads.diff() > 0).all())


def test_a_photo_without_haze_is_left_alone(clear: Tensor) -> None:
    # every patch of 7 by 7 has a channel that is black
    rendered = Dehaze()(clear, extent=(512, 512), dehaze=1.0, airlight=0.9)
    assert (rendered - clear).abs().max() < 1e-5
