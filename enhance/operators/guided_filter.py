"""The guided filter: keeps the edges of its guide, and costs the same at any radius."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def guided_filter(guide: Tensor, plane: Tensor, radius: int, eps: Tensor) -> Tensor:
    """Smooth `plane` by a linear model of `guide` in each window, borders repeated.

    Window means are differences of running sums, so that a window that grows with the photo
    costs no more; kornia's guided blur, which equals this, convolves. Differentiable.

    Args:
        guide, plane: ``(N, 1, H, W)``.
        radius: half the window's side, in pixels.
        eps: ``(N,)``, variance of the guide that counts as an edge.

    References:
        He, Sun and Tang, "Guided image filtering", ECCV 2010, equations 5, 6 and 8.

    >>> flat = torch.full((1, 1, 5, 5), 0.25)
    >>> torch.allclose(guided_filter(flat, flat, 1, torch.tensor([0.01])), flat)
    True
    """
    mean_guide, mean_plane = window_mean(guide, radius), window_mean(plane, radius)
    covariance = window_mean(guide * plane, radius) - mean_guide * mean_plane
    variance = window_mean(guide * guide, radius) - mean_guide * mean_guide
    slope = covariance / (variance + eps[:, None, None, None])
    offset = mean_plane - slope * mean_guide
    return window_mean(slope, radius) * guide + window_mean(offset, radius)


def window_mean(plane: Tensor, radius: int) -> Tensor:
    """Mean of ``(N, C, H, W)`` over a square of side ``2 radius + 1``, borders repeated.

    >>> window_mean(torch.arange(5.0).reshape(1, 1, 1, 5), 1).flatten()
    tensor([0.3333, 1.0000, 2.0000, 3.0000, 3.6667])
    """
    side = 2 * radius + 1
    for dim, pad in ((-1, (radius + 1, radius, 0, 0)), (-2, (0, 0, radius + 1, radius))):
        # in double precision: a small difference of large sums is wanted
        sums = functional.pad(plane, pad, mode="replicate").cumsum(dim, dtype=torch.float64)
        count = plane.shape[dim]
        plane = ((sums.narrow(dim, side, count) - sums.narrow(dim, 0, count)) / side).to(plane)
    return plane
