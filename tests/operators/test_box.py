"""Means over squares against SciPy's, near and far from borders, and their gradient."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import uniform_filter

from enhance.operators.box import box_mean


def random(*shape: int) -> torch.Tensor:
    return torch.rand(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("radius", range(12))
@pytest.mark.parametrize("size", [(1, 1), (3, 17), (16, 9)])
def test_equals_scipy(size: tuple[int, int], radius: int) -> None:
    planes = random(2, 3, *size)
    side = (1, 1, 2 * radius + 1, 2 * radius + 1)
    expected = uniform_filter(planes.numpy(), side, mode="nearest")
    np.testing.assert_allclose(box_mean(planes, radius).numpy(), expected, atol=1e-13)


def test_is_exact_far_from_the_border_of_a_long_row() -> None:
    row = random(1, 1, 1, 20000)
    found = box_mean(row.float(), 1).double()
    torch.testing.assert_close(found, box_mean(row, 1), rtol=0, atol=1.5e-7)


def test_gradient() -> None:
    plane = random(2, 1, 4, 5).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: box_mean(x, 2), plane)
