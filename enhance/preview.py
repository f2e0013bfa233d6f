"""A photo made small enough to work on while somebody waits."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

SIDE = 1024
"""Longest side of a preview on a screen, in px: small enough to follow a slider."""


def preview(pixels: Tensor, *, native: bool, side: int = SIDE) -> Tensor:
    """A photo ``(1, 3, H, W)`` with no side above `side`, shrunk or, if `native`, its middle.

    An operator that must see pixels as they are, a denoiser, is judged on the middle of the photo.

    >>> import torch
    >>> photo = torch.rand(1, 3, 60, 80)
    >>> preview(photo, native=False, side=40).shape, preview(photo, native=True, side=40).shape
    (torch.Size([1, 3, 30, 40]), torch.Size([1, 3, 40, 40]))
    """
    height, width = pixels.shape[-2:]
    longest = max(height, width)
    if longest <= side:
        return pixels
    if native:
        top, left = max(0, height - side) // 2, max(0, width - side) // 2
        return pixels[..., top : top + side, left : left + side]
    size = (max(1, height * side // longest), max(1, width * side // longest))
    return F.interpolate(pixels, size, mode="area")
