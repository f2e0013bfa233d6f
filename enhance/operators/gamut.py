"""Keeping changed pixels within [0, 1] without clipping them."""

from __future__ import annotations

import torch
from torch import Tensor

DARK = 0.01
"""Luma below which colour stops following luma, so that ratios stay finite at black."""
MARGIN = 1 / 32
"""Width of the bend towards black and white."""


def follow_luma(image: Tensor, luma: Tensor, change: Tensor) -> Tensor:
    """The image with luma changed by `change`; colour keeps its ratio to luma.

    Each channel becomes ``x + change (x + DARK) / (luma + DARK)``, then `within_range`.

    Args:
        image: ``(..., 3, H, W)`` in [0, 1].
        luma: its luma, ``(..., H, W)``.
        change: ``(..., H, W)``; zero changes nothing, exactly.

    >>> image = torch.tensor([0.2, 0.4, 0.6]).reshape(1, 3, 1, 1)
    >>> luma = torch.full((1, 1, 1), 0.4)
    >>> follow_luma(image, luma, torch.full((1, 1, 1), 0.2)).flatten().round(decimals=2)
    tensor([0.3000, 0.6000, 0.9000])
    """
    # an image a little below black must not divide by zero
    slope = (change / (luma.clamp_min(0) + DARK)).unsqueeze(-3)
    return within_range(image, slope * (image + DARK))


def within_range(image: Tensor, change: Tensor) -> Tensor:
    """``image + change``, bent where it would leave [0, 1].

    What lies within `MARGIN` of an end, or beyond it, and farther out than the image itself is
    drawn in: with ``room`` to the end an excess ``e`` becomes ``e / (1 + (e / room)^4)^(1/4)``.
    Unlike a clamp this keeps a gradient wherever there is room, and no change stays no change.

    >>> within_range(torch.tensor([0.5, 0.5]), torch.tensor([0.1, 9.0]))
    tensor([0.6000, 1.0000])
    """
    wanted = image + change
    inner = torch.minimum(
        torch.maximum(wanted, image.clamp_max(MARGIN)), image.clamp_min(1 - MARGIN)
    )
    excess = wanted - inner
    # the room in the excess's direction; any positive number where there is no excess
    room = torch.addcmul(image.new_tensor(0.5), excess.sign(), 0.5 - inner)
    both = torch.addcmul((excess * excess).square(), room * room, room * room) + 1e-20
    bent = torch.addcdiv(inner, excess * room, both.rsqrt().rsqrt())
    return bent.clamp(0, 1)  # rounding only
