"""Colour to grey, for files that hold no colour.

Not the luma on which operators judge structure, `enhance.operators.luma`, whose weights are those
of BT.601: a grey file is looked at, and on the screens of today light is what BT.709 makes it.

Source: ITU-R BT.709, the weights.
"""

from __future__ import annotations

from torch import Tensor

WEIGHTS = (0.2126, 0.7152, 0.0722)
"""BT.709 weights of red, green and blue."""


def grey_of(image: Tensor) -> Tensor:
    """Weighted mean of the channels: ``(..., 3, H, W)`` to ``(..., 1, H, W)``, same range.

    A neutral pixel keeps its value exactly, which a plain weighted sum would round.

    >>> import torch
    >>> grey_of(torch.full((1, 3, 1, 1), 0.3)).item() == torch.tensor(0.3).item()
    True
    """
    red, green, blue = image.unbind(-3)
    return (green + WEIGHTS[0] * (red - green) + WEIGHTS[2] * (blue - green)).unsqueeze(-3)
