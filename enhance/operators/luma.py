"""Luma of gamma-encoded RGB, the plane on which operators judge structure."""

from __future__ import annotations

from torch import Tensor

WEIGHTS = (0.299, 0.587, 0.114)
"""Rec. ITU-R BT.601-7, section 2.5.1: what JPEG files use for gamma-encoded R, G, B."""


def luma(image: Tensor) -> Tensor:
    """Weighted mean of R, G and B: ``(..., 3, H, W)`` in [0, 1] to ``(..., H, W)`` in [0, 1].

    >>> import torch
    >>> luma(torch.ones(1, 3, 2, 2)).shape
    torch.Size([1, 2, 2])
    """
    red, green, blue = image.unbind(-3)
    return (red * WEIGHTS[0]).add(green, alpha=WEIGHTS[1]).add(blue, alpha=WEIGHTS[2])
