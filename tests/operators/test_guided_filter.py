"""The guided filter: the paper's formula, kornia's result, constants kept, right gradients."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from kornia.filters import guided_blur
from scipy.ndimage import uniform_filter
from torch import Tensor

from enhance.operators.guided_filter import guided_filter
from enhance.operators.luma import luma

radii_and_edges = pytest.mark.parametrize(("radius", "edge"), [(2, 0.05), (4, 0.1), (40, 0.3)])


@radii_and_edges
def test_is_that_of_the_paper(coffee: Tensor, radius: int, edge: float) -> None:
    guide, plane = luma(coffee)[0].double().numpy(), coffee[0, 2].double().numpy()

    def mean(values: np.ndarray) -> np.ndarray:
        return uniform_filter(values, 2 * radius + 1, mode="nearest")

    covariance = mean(guide * plane) - mean(guide) * mean(plane)
    slope = covariance / (mean(guide**2) - mean(guide) ** 2 + edge**2)
    expected = mean(slope) * guide + mean(mean(plane) - slope * mean(guide))
    given_planes = (torch.from_numpy(values)[None, None] for values in (guide, plane))
    ours = guided_filter(*given_planes, radius, torch.tensor([edge**2], dtype=torch.float64))
    np.testing.assert_allclose(ours[0, 0].numpy(), expected, atol=1e-12)


@radii_and_edges
def test_equals_kornias(coffee: Tensor, radius: int, edge: float) -> None:
    plane = luma(coffee)[None]
    eps = torch.tensor([edge**2])
    peer = guided_blur(plane, plane, 2 * radius + 1, eps, "replicate")
    torch.testing.assert_close(guided_filter(plane, plane, radius, eps), peer, atol=2e-5, rtol=0)


@given(st.floats(0, 1), st.integers(1, 9), st.floats(1e-4, 0.1))
def test_keeps_constants(value: float, radius: int, eps: float) -> None:
    flat = torch.full((1, 1, 5, 4), value)
    smooth = guided_filter(flat, flat, radius, torch.tensor([eps]))
    torch.testing.assert_close(smooth, flat, atol=1e-6, rtol=0)


def test_gradients_equal_finite_differences() -> None:
    generator = torch.Generator().manual_seed(0)
    guide, plane = torch.rand(2, 1, 1, 4, 5, dtype=torch.float64, generator=generator)
    eps = torch.tensor([0.02], dtype=torch.float64)
    inputs = [value.requires_grad_() for value in (guide.clone(), plane.clone(), eps)]
    assert torch.autograd.gradcheck(lambda g, p, e: guided_filter(g, p, 2, e), inputs)
