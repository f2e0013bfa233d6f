"""Colour differences with a gradient to learn from: CIE76, and CIEDE2000, which judges results.

Source of CIEDE2000: Sharma, Wu and Dalal, "The CIEDE2000 color-difference formula: implementation
notes, supplementary test data, and mathematical observations", Color Research and Application
30(1), 2005. Hues are compared by the vectors they stand for instead of by angles, which gives the
same numbers without the cases of an angle that passes 360 degrees, and a gradient everywhere. Only
of opposite hues, whose vectors have no mean direction, the angles themselves are averaged.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

Difference = Callable[[Tensor, Tensor], Tensor]
"""Two CIELAB images ``(..., 3, H, W)`` to the difference of their pixels ``(..., H, W)``."""
_TINY = 1e-12
_SEVENTH = 25.0**7


def cie76(first: Tensor, second: Tensor) -> Tensor:
    """Euclidean distance of each pixel of two CIELAB images; arguments as of `ciede2000`.

    It overstates differences between strong colours.
    """
    return (first - second).norm(dim=-3)


def ciede2000(first: Tensor, second: Tensor) -> Tensor:
    """CIEDE2000 difference of each pixel of two CIELAB images, all parametric factors 1.

    Args:
        first, second: ``(..., 3, H, W)``, L in [0, 100]; their shapes broadcast.

    Returns:
        ``(..., H, W)``; differentiable, with a gradient of 0 where two pixels are equal.

    >>> blue = torch.tensor([50.0, 2.6772, -79.7751])[:, None, None]
    >>> other = torch.tensor([50.0, 0.0, -82.7485])[:, None, None]
    >>> round(float(ciede2000(blue, other)), 4)
    2.0425
    """
    (l1, a1, b1), (l2, a2, b2) = first.unbind(-3), second.unbind(-3)
    mean_chroma = (_length(a1, b1) + _length(a2, b2)) / 2
    stretch = 1.5 - 0.5 * _saturated(mean_chroma)  # of a: greys differ more than they seem to
    a1, a2 = stretch * a1, stretch * a2
    c1, c2 = _length(a1, b1), _length(a2, b2)
    product = c1 * c2
    cross, dot = a1 * b2 - a2 * b1, a1 * a2 + b1 * b2
    lightness, chroma = l2 - l1, c2 - c1
    hue = cross * math.sqrt(2) * (product + dot).clamp(min=0).add(_TINY).rsqrt()
    opposite = product + dot <= 1e-6 * product  # the angle between the hues is 180 degrees
    farthest = 2 * (product + _TINY).sqrt()
    exactly, backwards, halfway = _opposed(opposite, (a1, b1), (a2, b2))
    backwards = torch.where(exactly, backwards, cross < 0)
    hue = torch.where(opposite, torch.where(backwards, -farthest, farthest), hue)

    mean_chroma = (c1 + c2) / 2
    angle = torch.atan2(b1 / c1 + b2 / c2, a1 / c1 + a2 / c2 + _TINY)
    angle = torch.where(exactly, halfway, angle)
    weight = (
        1
        - 0.17 * torch.cos(angle - math.radians(30))
        + 0.24 * torch.cos(2 * angle)
        + 0.32 * torch.cos(3 * angle + math.radians(6))
        - 0.20 * torch.cos(4 * angle - math.radians(63))
    )
    middle = ((l1 + l2) / 2 - 50).square()
    by_lightness = lightness / (1 + 0.015 * middle / (20 + middle).sqrt())
    by_chroma = chroma / (1 + 0.045 * mean_chroma)
    by_hue = hue / (1 + 0.015 * mean_chroma * weight)
    from_blue = torch.remainder(torch.rad2deg(angle), 360) - 275
    turn = 60 * torch.exp(-(from_blue / 25).square())
    rotation = -2 * _saturated(mean_chroma) * torch.sin(torch.deg2rad(turn))
    total = by_lightness.square() + by_chroma.square() + by_hue.square()
    return _root(total + rotation * by_chroma * by_hue)


def _opposed(
    nearly: Tensor, first: tuple[Tensor, Tensor], second: tuple[Tensor, Tensor]
) -> tuple[Tensor, Tensor, Tensor]:
    """Where hues are 180 degrees apart, to rounding; where the second has the smaller angle; and
    the mean of the angles, which the standard takes as they are, in [0, 360) degrees."""
    angles = []
    for a, b in (first, second):
        # elsewhere a grey, which has no angle, would have no gradient either
        a, b = torch.where(nearly, a, 1.0), torch.where(nearly, b, 0.0)
        angles.append(torch.remainder(torch.atan2(b, a), 2 * math.pi))
    apart = angles[1] - angles[0]
    rounding = 8 * torch.finfo(apart.dtype).eps
    exactly = nearly & ((apart.abs() - math.pi).abs() <= rounding)
    return exactly, apart < 0, (angles[0] + angles[1]) / 2


def _length(a: Tensor, b: Tensor) -> Tensor:
    return (a.square() + b.square() + _TINY).sqrt()


def _saturated(chroma: Tensor) -> Tensor:
    """The share near 1 of strong colours, near 0 of greys."""
    return chroma**3.5 * (chroma**7 + _SEVENTH).rsqrt()


def _root(square: Tensor) -> Tensor:
    """A square root without the infinite slope at 0."""
    return (square.clamp(min=0) + _TINY).sqrt() - math.sqrt(_TINY)
