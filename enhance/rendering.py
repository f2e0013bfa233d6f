"""Apply an operator at full resolution, tile by tile where the photo is large."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from enhance.imaging.tiling import apply_tiled
from enhance.operators.base import Operator

TILE = 1024


def render_full(operator: Operator[Any], pixels: Tensor, settings: Mapping[str, float]) -> Tensor:
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
        return apply_tiled(
            lambda tile: operator(tile, extent=extent, **complete),
            pixels,
            halo=operator.halo(extent, complete),
            size=TILE,
        )
