"""Synthetic images on which mistakes of an operator show."""

from __future__ import annotations

import torch
from torch import Tensor


def photo(height: int, width: int, *, seed: int = 0, batch: int = 1) -> Tensor:
    """Slopes, a hard edge, texture and noise in three channels: ``(B, 3, H, W)`` in [0, 1].

    >>> photo(8, 12).shape
    torch.Size([1, 3, 8, 12])
    """
    generator = torch.Generator().manual_seed(seed)
    y = torch.linspace(0, 1, height)[:, None]
    x = torch.linspace(0, 1, width)
    tint = torch.rand(batch, 3, 1, 1, generator=generator)
    slope = 0.25 + 0.4 * tint * x + 0.2 * (1 - tint) * y
    edge = 0.25 * ((x + 0.3 * y) > 0.6)
    texture = 0.05 * torch.sin(40 * x) * torch.sin(31 * y)
    noise = 0.03 * torch.randn(batch, 3, height, width, generator=generator)
    return (slope + edge + texture + noise).clamp(0, 1)


def extremes(height: int, width: int) -> dict[str, Tensor]:
    """Images at the ends of what can occur: flat, black, white, saturated, random.

    >>> sorted(extremes(4, 4))
    ['black', 'checkers', 'flat', 'primaries', 'random', 'white']
    """
    shape = (1, 3, height, width)
    checkers = (torch.arange(height)[:, None] + torch.arange(width)) % 2
    primaries = torch.zeros(shape)
    for channel in range(3):
        primaries[:, channel, :, channel::3] = 1
    return {
        "flat": torch.full(shape, 0.4),
        "black": torch.zeros(shape),
        "white": torch.ones(shape),
        "checkers": checkers.float().expand(shape),
        "primaries": primaries,
        "random": torch.rand(shape, generator=torch.Generator().manual_seed(0)),
    }
