"""Apply an operator at full resolution, tile by tile where the photo is large."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from enhance.imaging.tiling import apply_tiled
from enhance.operators.base import Operator

TILES = 1024, 3072
"""Least and greatest side of a tile, in pixels."""
CORE_OF_HALO = 32  # a tile this many halos wide computes an eighth twice, whatever its size


def render_full(
    operator: Operator[Any], pixels: Tensor, settings: Mapping[str, float | Tensor]
) -> Tensor:
    """Apply `operator` to a photo ``(1, 3, H, W)`` of any size, without gradient.

    Settings that are not named keep their default. Large photos are worked on in tiles with the
    halo that the operator declares, so that memory stays bounded.

    >>> from enhance.operators.registry import get
    >>> photo = torch.rand(1, 3, 8, 8)
    >>> torch.equal(render_full(get("laplacian"), photo, {"detail": 0.0}), photo)
    True
    """
    extent = (pixels.shape[-2], pixels.shape[-1])
    with torch.no_grad():
        complete = operator.calibrate(pixels, operator.complete(settings, like=pixels))
        halo = operator.halo(extent, complete)
        return apply_tiled(
            lambda tile: operator(tile, extent=extent, **complete),
            pixels,
            halo=halo,
            size=tile_size(halo),
        )


def tile_size(halo: int) -> int:
    """Side of a tile's core: larger with a wide halo, which is computed for every tile again.

    >>> tile_size(0), tile_size(50), tile_size(500)
    (1024, 1600, 3072)
    """
    least, greatest = TILES
    return min(max(least, CORE_OF_HALO * halo), greatest)
