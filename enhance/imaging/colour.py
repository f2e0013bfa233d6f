"""The sRGB transfer curve and luma, on tensors.

Source: IEC 61966-2-1 (sRGB) for the curve, ITU-R BT.709 for the luma weights.
"""

from __future__ import annotations

import torch
from torch import Tensor

LUMA = (0.2126, 0.7152, 0.0722)
"""BT.709 weights of red, green and blue."""


def luma(image: Tensor) -> Tensor:
    """Weighted mean of the channels: ``(..., 3, H, W)`` to ``(..., 1, H, W)``, same range.

    A neutral pixel keeps its value exactly, which a plain weighted sum would round.

    >>> luma(torch.full((1, 3, 1, 1), 0.3)).item() == torch.tensor(0.3).item()
    True
    """
    red, green, blue = image.unbind(-3)
    return (green + LUMA[0] * (red - green) + LUMA[2] * (blue - green)).unsqueeze(-3)


def srgb_to_linear(image: Tensor) -> Tensor:
    """Gamma-encoded sRGB in [0, 1] to linear light in [0, 1]; any shape, differentiable.

    >>> round(srgb_to_linear(torch.tensor(0.5)).item(), 4)
    0.214
    """
    # the clamp keeps the unused branch's gradient finite
    power = ((image.clamp(min=0.04045) + 0.055) / 1.055) ** 2.4
    return torch.where(image <= 0.04045, image / 12.92, power)


def linear_to_srgb(image: Tensor) -> Tensor:
    """Linear light in [0, 1] to gamma-encoded sRGB in [0, 1]; any shape, differentiable.

    >>> round(linear_to_srgb(torch.tensor(0.214)).item(), 3)
    0.5
    """
    power = 1.055 * image.clamp(min=0.0031308) ** (1 / 2.4) - 0.055
    return torch.where(image <= 0.0031308, image * 12.92, power)
