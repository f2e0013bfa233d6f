"""Does a scorer look at the photo, or at its border?"""

from __future__ import annotations

import torch
from torch import Tensor

from scorers.errors import InputError


def border_share(attribution: Tensor, ring: float = 0.125) -> Tensor:
    """Share of absolute attribution in the outer ring: ``(B, H, W)`` -> ``(B,)``, in [0, 1].

    Compare with `uniform_share`, which a scorer that looks everywhere alike would have. A map
    that is zero everywhere counts as uniform.

    Args:
        attribution: from `attribute`, of views: of photos for a scorer of whole photos, of
            `scorers.explain.squares` for one of native squares.
        ring: its width as a share of each side, below one half.

    >>> flat = torch.ones(1, 8, 8)
    >>> border_share(flat), uniform_share(8, 8)
    (tensor([0.4375]), 0.4375)
    """
    height, width = attribution.shape[-2:]
    outside = _ring(height, width, ring).to(attribution.device)
    weight = attribution.abs()
    total = weight.sum((-2, -1))
    share = (weight * outside).sum((-2, -1)) / total
    return torch.where(total > 0, share, torch.full_like(share, uniform_share(height, width, ring)))


def uniform_share(height: int, width: int, ring: float = 0.125) -> float:
    """Share of the area that the ring covers."""
    return _ring(height, width, ring).double().mean().item()


def _ring(height: int, width: int, ring: float) -> Tensor:
    if not 0 < ring < 0.5:
        raise InputError(f"ring must lie in (0, 0.5), got {ring:g}")
    rows, columns = round(height * ring), round(width * ring)
    outside = torch.ones(height, width, dtype=torch.bool)
    outside[rows : height - rows, columns : width - columns] = False
    return outside
