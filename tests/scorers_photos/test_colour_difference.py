"""Colour differences with a gradient are those that everybody knows."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from skimage.color import deltaE_cie76, deltaE_ciede2000
from torch import Tensor

from scorers.photos.colour_difference import cie76, ciede2000

# Sharma, Wu and Dalal 2005, Table 1: pairs that tell wrong implementations apart
PUBLISHED = [
    ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
    ((50.0, 3.1571, -77.2803), (50.0, 0.0, -82.7485), 2.8615),
    ((50.0, 2.8361, -74.02), (50.0, 0.0, -82.7485), 3.4412),
    ((50.0, -1.3802, -84.2814), (50.0, 0.0, -82.7485), 1.0),
    ((50.0, -1.1848, -84.8006), (50.0, 0.0, -82.7485), 1.0),
    ((50.0, -0.9009, -85.5211), (50.0, 0.0, -82.7485), 1.0),
    ((50.0, 0.0, 0.0), (50.0, -1.0, 2.0), 2.3669),
    ((50.0, -1.0, 2.0), (50.0, 0.0, 0.0), 2.3669),
    ((50.0, 2.49, -0.001), (50.0, -2.49, 0.0009), 7.1792),
    ((50.0, 2.49, -0.001), (50.0, -2.49, 0.001), 7.1792),
    ((50.0, 2.49, -0.001), (50.0, -2.49, 0.0011), 7.2195),
    ((50.0, 2.49, -0.001), (50.0, -2.49, 0.0012), 7.2195),
    ((50.0, -0.001, 2.49), (50.0, 0.0009, -2.49), 4.8045),
    ((50.0, -0.001, 2.49), (50.0, 0.001, -2.49), 4.8045),
    ((50.0, -0.001, 2.49), (50.0, 0.0011, -2.49), 4.7461),
    ((50.0, 2.5, 0.0), (50.0, 0.0, -2.5), 4.3065),
    ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
    ((50.0, 2.5, 0.0), (61.0, -5.0, 29.0), 22.8977),
    ((50.0, 2.5, 0.0), (56.0, -27.0, -3.0), 31.903),
    ((50.0, 2.5, 0.0), (58.0, 24.0, 15.0), 19.4535),
    ((50.0, 2.5, 0.0), (50.0, 3.1736, 0.5854), 1.0),
    ((50.0, 2.5, 0.0), (50.0, 3.2972, 0.0), 1.0),
    ((50.0, 2.5, 0.0), (50.0, 1.8634, 0.5757), 1.0),
    ((50.0, 2.5, 0.0), (50.0, 3.2592, 0.335), 1.0),
    ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ((63.0109, -31.0961, -5.8663), (62.8187, -29.7946, -4.0864), 1.263),
    ((61.2901, 3.7196, -5.3901), (61.4292, 2.248, -4.962), 1.8731),
    ((35.0831, -44.1164, 3.7933), (35.0232, -40.0716, 1.5901), 1.8645),
    ((22.7233, 20.0904, -46.694), (23.0331, 14.973, -42.5619), 2.0373),
    ((36.4612, 47.858, 18.3852), (36.2715, 50.5065, 21.2231), 1.4146),
    ((90.8027, -2.0831, 1.441), (91.1528, -1.6435, 0.0447), 1.4441),
    ((90.9257, -0.5406, -0.9208), (88.6381, -0.8985, -0.7239), 1.5381),
    ((6.7747, -0.2908, -2.4247), (5.8714, -0.0985, -2.2286), 0.6377),
    ((2.0776, 0.0795, -1.135), (0.9033, -0.0636, -0.5514), 0.9082),
]


def pixel(lab: tuple[float, float, float]) -> Tensor:
    return torch.tensor(lab, dtype=torch.float64)[:, None, None]


@pytest.mark.parametrize(("first", "second", "difference"), PUBLISHED)
def test_published_pairs(
    first: tuple[float, float, float], second: tuple[float, float, float], difference: float
) -> None:
    found = ciede2000(pixel(first), pixel(second))
    assert float(found) == pytest.approx(difference, abs=1e-4)
    assert float(ciede2000(pixel(second), pixel(first))) == pytest.approx(float(found))


def test_opposite_hues_have_a_finite_gradient() -> None:
    pairs = [(p[0], p[1]) for p in PUBLISHED]
    for dtype in (torch.float32, torch.float64):
        first, second = (
            torch.tensor(side, dtype=dtype).T[:, :, None].requires_grad_()
            for side in zip(*pairs, strict=True)
        )
        ciede2000(first, second).sum().backward()
        for side in (first, second):
            assert side.grad is not None
            assert bool(side.grad.isfinite().all())


@given(st.integers(0, 2**31 - 1))
@example(400175)  # the mean of two hues is blue, where the rotation term counts
def test_equals_scikit_image(seed: int) -> None:
    generator = np.random.default_rng(seed)
    low, high = np.array([0.0, -90.0, -90.0]), np.array([100.0, 90.0, 90.0])
    first, second = generator.uniform(low, high, (2, 6, 5, 3))
    images = [torch.from_numpy(x).permute(2, 0, 1) for x in (first, second)]
    for ours, theirs in ((ciede2000, deltaE_ciede2000), (cie76, deltaE_cie76)):
        expected = torch.from_numpy(theirs(first, second))
        torch.testing.assert_close(ours(*images), expected, atol=1e-5, rtol=1e-6)


def test_gradcheck() -> None:
    generator = torch.Generator().manual_seed(0)
    scale = torch.tensor([100.0, 120.0, 120.0], dtype=torch.float64)[:, None, None]
    drawn = torch.rand(2, 3, 4, 4, generator=generator, dtype=torch.float64)
    first, second = scale * (drawn - torch.tensor([0.0, 0.5, 0.5])[:, None, None].double())
    assert torch.autograd.gradcheck(
        ciede2000, (first.requires_grad_(), second.requires_grad_()), atol=1e-4
    )


@pytest.mark.parametrize("value", [(0.0, 0.0, 0.0), (100.0, 0.0, 0.0), (40.0, 30.0, -20.0)])
def test_equal_pixels_have_no_difference_and_a_finite_gradient(
    value: tuple[float, float, float],
) -> None:
    first = pixel(value).float().requires_grad_()
    difference = ciede2000(first, pixel(value).float())
    difference.sum().backward()
    assert float(difference.detach()) == 0
    assert first.grad is not None
    assert bool(first.grad.isfinite().all())
