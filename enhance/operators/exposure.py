"""Exposure: stops in linear light, with a shoulder instead of clipped highlights."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor

from enhance.operators.base import Operator, Parameter, Settings, check_image
from enhance.operators.batching import broadcast_shapes
from enhance.operators.strips import in_strips


class Exposure(Operator[tuple[Tensor, Tensor]]):
    """Light is multiplied by ``g = 2^exposure`` in linear RGB, and rolls off towards white.

    Linear ``x`` becomes ``g x / sqrt(1 + (g^2 - 1) x^2)``: slope ``g`` at black, less from there
    on (2.2 instead of 4 at middle grey, for two stops), and white stays white. Stops add up, so
    the opposite exposure undoes one, and
    highlights that were crowded together by a positive one are spread again by a negative one.
    Working on each channel lets bright colours pale as on film. 0 is the identity, exactly.

    >>> photo = torch.rand(1, 3, 8, 8)
    >>> operator = Exposure()
    >>> torch.equal(operator(photo), photo)
    True
    >>> bool((operator(photo, exposure=1.0) >= photo).all())
    True
    """

    name: ClassVar[str] = "exposure"
    summary: ClassVar[str] = "more or less light, without clipped highlights"
    identity: Mapping[str, float] | None = {}
    parameters_spec: Mapping[str, Parameter] = {
        "exposure": Parameter(-2, 2, 0, "light, doubled by each stop; white stays", unit="stops"),
    }

    def analyse(
        self,
        image: Tensor,
        settings: Settings | None = None,
        *,
        extent: tuple[int, int] | None = None,
    ) -> tuple[Tensor, Tensor]:
        """The image, and its light in linear RGB; see `Operator.analyse`."""
        from kornia.color import rgb_to_linear_rgb

        check_image(image)
        # beyond white the shoulder's root would end
        return image, rgb_to_linear_rgb(image).clamp(0, 1)

    def render(self, layers: tuple[Tensor, Tensor], settings: Settings) -> Tensor:
        """Multiply light; see `Operator.render`."""
        stops = settings["exposure"]
        shape = broadcast_shapes(layers[0].shape[:-3], stops.shape)
        return in_strips(_render, layers, [stops], math.prod(shape))


def _render(image: Tensor, light: Tensor, stops: Tensor) -> Tensor:
    gain = torch.exp2(stops)[..., None, None, None]
    exposed = gain * light * (1 + (gain * gain - 1) * light * light).rsqrt()
    return with_light(image, light, exposed)


def with_light(image: Tensor, light: Tensor, changed: Tensor) -> Tensor:
    """The image after its linear light has become `changed`; the same light is the same image.

    Args:
        image: ``(..., 3, H, W)``, gamma-encoded sRGB in [0, 1].
        light: the image in linear RGB.
        changed: linear RGB in [0, 1].

    >>> image = torch.rand(1, 3, 2, 2)
    >>> torch.equal(with_light(image, image**2, image**2), image)
    True
    """
    from kornia.color import linear_rgb_to_rgb

    # a difference of two encodings: a round trip alone would not be exact
    return (image + (linear_rgb_to_rgb(changed) - linear_rgb_to_rgb(light))).clamp(0, 1)
