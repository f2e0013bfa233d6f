"""Contrast: an S-shaped curve on luma that fixes black, white and a pivot between them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor

from enhance.operators.base import Operator, Parameter, Settings, check_image
from enhance.operators.batching import broadcast_shapes
from enhance.operators.gamut import follow_luma
from enhance.operators.luma import luma as luma_of
from enhance.operators.strips import in_strips

MAX_SLOPE = 2.5
"""Slope of the curve at its pivot when `contrast` is 1; at -1 it is the inverse."""


class Contrast(Operator[tuple[Tensor, Tensor]]):
    """Schlick's gain (1994) with a movable pivot, on luma; colour follows by its ratio.

    Below the pivot ``p`` luma becomes ``p B(y / p)``, above it ``1 - (1 - p) B((1 - y) / (1 - p))``
    with ``B(t) = t / (1 + a (1 - t))`` and ``1 + a = 2.5^contrast``. The curve is monotone, with
    slope ``1 + a`` at the pivot and ``1 / (1 + a)`` at black and white, so every gradient is
    finite; the curve of ``-contrast`` is its inverse. 0 is the identity, exactly.

    >>> photo = torch.rand(1, 3, 8, 8)
    >>> operator = Contrast()
    >>> torch.equal(operator(photo), photo)
    True
    >>> operator(photo, contrast=torch.tensor([-0.5, 0.5])).shape
    torch.Size([2, 3, 8, 8])
    """

    name: ClassVar[str] = "contrast"
    summary: ClassVar[str] = "an S-shaped tone curve about a pivot"
    identity: Mapping[str, float] | None = {}
    parameters_spec: Mapping[str, Parameter] = {
        "contrast": Parameter(-1, 1, 0, "steepens middle tones, or flattens them below 0"),
        "pivot": Parameter(0.2, 0.8, 0.5, "luma that keeps its value", tuned=False),
    }

    def analyse(
        self,
        image: Tensor,
        settings: Settings | None = None,
        *,
        extent: tuple[int, int] | None = None,
    ) -> tuple[Tensor, Tensor]:
        """The image and its luma; see `Operator.analyse`."""
        check_image(image)
        return image, luma_of(image)

    def render(self, layers: tuple[Tensor, Tensor], settings: Settings) -> Tensor:
        """Bend luma and let colour follow; see `Operator.render`."""
        values = [settings["contrast"], settings["pivot"]]
        shape = broadcast_shapes(layers[1].shape[:-2], *(v.shape for v in values))
        return in_strips(_render, layers, values, math.prod(shape))


def _render(image: Tensor, luma: Tensor, contrast: Tensor, pivot: Tensor) -> Tensor:
    return follow_luma(
        image, luma, curve_change(luma, contrast[..., None, None], pivot[..., None, None])
    )


def curve_change(luma: Tensor, contrast: Tensor, pivot: Tensor) -> Tensor:
    """What the curve adds to `luma` (in [0, 1]); all three broadcast.

    >>> pair = torch.tensor(0.25), torch.tensor(0.5)
    >>> slope = torch.tensor(1.0), torch.tensor(0.5)
    >>> curve_change(pair[0], *slope).item()  # .5 B(.5) - .25, with B(.5) = .5 / 1.75
    -0.10714...
    >>> curve_change(pair[1], *slope).item()
    0.0
    """
    a = torch.expm1(contrast * math.log(MAX_SLOPE))
    rest = 1 - pivot
    # each side stands still at its end beyond the pivot, so that the two can be added
    below = torch.minimum(luma, pivot) / pivot
    above = torch.minimum(1 - luma, rest) / rest
    return rest * _drop(above, a) - pivot * _drop(below, a)


def _drop(t: Tensor, a: Tensor) -> Tensor:
    """``t - B(t)``, exactly zero where ``a`` is."""
    left = a * (1 - t)
    return t * left / (1 + left)
