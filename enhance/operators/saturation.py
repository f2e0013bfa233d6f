"""Saturation and vibrance: more or less colour, hue and luma kept."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor

from enhance.operators.base import Operator, Parameter, Settings, check_image
from enhance.operators.batching import broadcast_shapes
from enhance.operators.luma import luma as luma_of
from enhance.operators.strips import in_strips

WEAK = 0.2  # chroma at which vibrance has fallen to half
SKIN = math.radians(123)  # hue of skin in the plane (U, V): the I axis of NTSC's YIQ
SPARED = 0.7  # how much less vibrance does at that hue
U_SCALE, V_SCALE = 0.492, 0.877  # of B - Y and R - Y in that plane


class Saturation(Operator[tuple[Tensor, Tensor, Tensor]]):
    """Chroma ``C = RGB - luma`` is multiplied; luma and hue stay.

    The gain is ``(1 + saturation) (1 + vibrance w)``. The weight ``w`` is 1 on greys, falls with
    chroma as ``1 / (1 + q / 0.2^2)``, where ``q`` is half the sum of squared differences of R, G
    and B, and is 70 % less at the hue of skin (``cos^8`` of the angle to it). A gain that would
    leave the range is bent to what the pixel has room for, so nothing clips and no hue turns.
    Both at 0 are the identity, exactly; ``saturation = -1`` is grey.

    >>> photo = torch.rand(1, 3, 8, 8)
    >>> operator = Saturation()
    >>> torch.equal(operator(photo), photo)
    True
    >>> operator(photo, vibrance=torch.tensor([-0.5, 0.5])).shape
    torch.Size([2, 3, 8, 8])
    """

    name: ClassVar[str] = "saturation"
    summary: ClassVar[str] = "strength of colour, of all or chiefly of weak ones"
    identity: Mapping[str, float] | None = {}
    parameters_spec: Mapping[str, Parameter] = {
        "saturation": Parameter(-1, 1, 0, "strength of all colours: grey at -1, doubled at 1"),
        "vibrance": Parameter(
            -1, 1, 0, "strength of weak colours; strong ones and skin are spared"
        ),
    }

    def analyse(
        self,
        image: Tensor,
        settings: Settings | None = None,
        *,
        extent: tuple[int, int] | None = None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The image, the weight of vibrance, and the share of its room that colour fills."""
        check_image(image)
        light = luma_of(image)
        return image, _weight(image, light), _fill(image, light)

    def render(self, layers: tuple[Tensor, Tensor, Tensor], settings: Settings) -> Tensor:
        """Multiply chroma; see `Operator.render`."""
        values = [settings["saturation"], settings["vibrance"]]
        shape = broadcast_shapes(layers[1].shape[:-2], *(v.shape for v in values))
        return in_strips(_render, layers, values, math.prod(shape))


def _render(
    image: Tensor, weight: Tensor, fill: Tensor, saturation: Tensor, vibrance: Tensor
) -> Tensor:
    saturation, vibrance = saturation[..., None, None], vibrance[..., None, None]
    more = saturation + (1 + saturation) * vibrance * weight  # the gain less one
    added = torch.where(more > 0, _within_room(more, fill), more)
    chroma = image - luma_of(image).unsqueeze(-3)
    return torch.addcmul(image, chroma, added.unsqueeze(-3)).clamp(0, 1)  # rounding only


def _weight(image: Tensor, light: Tensor) -> Tensor:
    """Where vibrance acts: ``(B, H, W)`` in [0, 1]."""
    red, green, blue = image.unbind(-3)
    square = ((red - green).square() + (green - blue).square() + (blue - red).square()) / 2
    u, v = U_SCALE * (blue - light), V_SCALE * (red - light)
    along = (u * math.cos(SKIN) + v * math.sin(SKIN)).clamp_min(0).square()
    # the small term keeps greys, which have no hue, from being taken for skin
    skin = (along / (u.square() + v.square() + 1e-4)).square().square()
    return (1 - SPARED * skin) / (1 + square / WEAK**2)


def _fill(image: Tensor, light: Tensor) -> Tensor:
    """Largest share, over the channels, of the way from luma to the end of the range."""
    chroma = image - light.unsqueeze(-3)
    room = torch.where(chroma > 0, 1 - light.unsqueeze(-3), light.unsqueeze(-3))
    return (chroma.abs() / (room + 1e-6)).amax(-3).clamp_max(1)


def _within_room(more: Tensor, fill: Tensor) -> Tensor:
    """``more / sqrt(1 + (more / room)^2)`` with ``room = (1 - fill) / fill``."""
    left = 1 - fill
    return more * left * ((more * fill).square() + left.square() + 1e-12).rsqrt()
