"""Exposure: stops are doublings of light, they add up, and nothing clips."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from enhance.operators.exposure import Exposure


def decode(value: np.ndarray) -> np.ndarray:
    """IEC 61966-2-1, written once more."""
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def encode(light: float) -> float:
    return 12.92 * light if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055


def grey(value: float) -> Tensor:
    return torch.full((1, 3, 1, 1), value, dtype=torch.float64)


@pytest.mark.parametrize("stops", [-2.0, -1.0, 1.0, 2.0])
def test_dark_tones_are_multiplied_by_powers_of_two(stops: float) -> None:
    rendered = Exposure()(grey(encode(0.004)), exposure=stops)
    light = decode(rendered.numpy())
    np.testing.assert_allclose(light, 0.004 * 2**stops, rtol=2e-4)


def test_known_values_of_the_shoulder() -> None:
    # .5 doubled: 1 / sqrt(1 + 3 / 4); middle grey .18 halved: .09 / sqrt(1 - .75 * .18^2)
    for light, stops, expected in ((0.5, 1.0, 0.755929), (0.18, -1.0, 0.091114)):
        rendered = Exposure()(grey(encode(light)), exposure=stops)
        np.testing.assert_allclose(decode(rendered.numpy()), expected, rtol=1e-5)


@given(st.floats(0, 1), st.floats(-1, 1), st.floats(-1, 1))
def test_stops_add_up(value: float, first: float, second: float) -> None:
    operator = Exposure()
    twice = operator(operator(grey(value), exposure=first), exposure=second)
    torch.testing.assert_close(
        twice, operator(grey(value), exposure=first + second), atol=1e-6, rtol=0
    )


def test_highlights_keep_their_order() -> None:
    ramp = torch.linspace(0, 1, 257, dtype=torch.float64).reshape(1, 1, 1, -1).expand(1, 3, 1, -1)
    for stops in (-2.0, -0.5, 0.5, 2.0):
        rendered = Exposure()(ramp, exposure=stops)[0, 0, 0]
        assert bool((rendered.diff() > 0).all())
        assert rendered[[0, -1]].tolist() == pytest.approx([0, 1], abs=1e-9)


def test_more_light_makes_bright_colours_pale() -> None:
    orange = torch.tensor([0.9, 0.6, 0.3], dtype=torch.float64).reshape(1, 3, 1, 1)
    brighter = Exposure()(orange, exposure=torch.tensor([0.0, 1.0, 2.0]))
    saturation = 1 - brighter.amin(1) / brighter.amax(1)
    assert bool((saturation.flatten().diff() < 0).all())


@pytest.mark.parametrize("value", [1.0000005, 1.02, 1.1, -0.02])
def test_light_slightly_beyond_the_range_is_taken_for_its_end(value: float) -> None:
    rendered = Exposure()(grey(value), exposure=torch.tensor([-2.0, 0.0, 2.0]))
    torch.testing.assert_close(rendered, torch.full_like(rendered, float(value > 0)))


def test_the_slope_falls_off_as_the_documentation_says() -> None:
    step = 1e-4
    ends = [encode(0.18 - step), encode(0.18 + step)]
    low, high = (decode(Exposure()(grey(end), exposure=2.0).numpy()) for end in ends)
    np.testing.assert_allclose((high - low) / (2 * step), 2.2, atol=0.02)
