"""Pixels as most programs hold them, to be looked at: 8 bits, rounded, not dithered."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor


def eight_bits(pixels: Tensor) -> NDArray[np.uint8]:
    """A photo ``(1, 3, H, W)`` in [0, 1] as ``(H, W, 3)`` in 0..255; what is beyond is clipped.

    >>> import torch
    >>> eight_bits(torch.tensor([-0.1, 0.2, 1.1]).reshape(1, 3, 1, 1)).flatten().tolist()
    [0, 51, 255]
    """
    levels: NDArray[np.uint8] = (
        pixels[0].detach().permute(1, 2, 0).clamp(0, 1).mul(255).round().byte().cpu().numpy()
    )
    return levels
