"""The guided filter: keeps the edges of its guide, and costs little more at a larger radius."""

from __future__ import annotations

from torch import Tensor

from enhance.operators.box import box_mean


def guided_filter(guide: Tensor, plane: Tensor, radius: int, eps: Tensor) -> Tensor:
    """Smooth `plane` by a linear model of `guide` in each window, borders repeated.

    A window that grows with the photo costs its logarithm; kornia's guided blur, which equals
    this, convolves. Differentiable.

    Args:
        guide, plane: ``(N, 1, H, W)``.
        radius: half the window's side, in pixels.
        eps: ``(N,)``, variance of the guide that counts as an edge.

    References:
        He, Sun and Tang, "Guided image filtering", ECCV 2010, equations 5, 6 and 8.

    >>> import torch
    >>> flat = torch.full((1, 1, 5, 5), 0.25)
    >>> torch.allclose(guided_filter(flat, flat, 1, torch.tensor([0.01])), flat)
    True
    """
    mean_guide, mean_plane = box_mean(guide, radius), box_mean(plane, radius)
    covariance = box_mean(guide * plane, radius) - mean_guide * mean_plane
    variance = box_mean(guide * guide, radius) - mean_guide * mean_guide
    slope = covariance / (variance + eps[:, None, None, None])
    offset = mean_plane - slope * mean_guide
    return box_mean(slope, radius) * guide + box_mean(offset, radius)
