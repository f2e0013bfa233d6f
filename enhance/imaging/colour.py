"""Luma, on tensors.

Source: ITU-R BT.709, the weights.
"""

from __future__ import annotations

import torch

LUMA = (0.2126, 0.7152, 0.0722)
"""BT.709 weights of red, green and blue."""


def luma(image: torch.Tensor) -> torch.Tensor:
    """Weighted mean of the channels: ``(..., 3, H, W)`` to ``(..., 1, H, W)``, same range.

    A neutral pixel keeps its value exactly, which a plain weighted sum would round.

    >>> luma(torch.full((1, 3, 1, 1), 0.3)).item() == torch.tensor(0.3).item()
    True
    """
    red, green, blue = image.unbind(-3)
    return (green + LUMA[0] * (red - green) + LUMA[2] * (blue - green)).unsqueeze(-3)
