"""Highlights, whites and blacks: three ranges of tone, each with its own curve."""

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

NARROW = 7  # power of the curves for whites and blacks: they act near an end only
WIDE = 3  # power of the curve for highlights, as of the Laplacian's for shadows
TOWARDS, AWAY = 0.9, {WIDE: 2.5, NARROW: 4.0}
"""Largest bend towards the near end and away from it.

They are well inside what keeps a curve monotone: 1 towards it; away from it 4 for the wide power,
5.6 for the narrow one.
"""


class Highlights(Operator[tuple[Tensor, Tensor]]):
    """Curves ``y + k y^p (1 - y)`` on luma, which fix black and white; colour follows.

    `highlights` has ``p = 3`` and acts on the light half of the tones, `whites` and `blacks`
    (mirrored) have ``p = 7`` and act beside their ends. They are applied in this order. Each is
    monotone, so no tones are swapped or merged, and with finite slope everywhere. All at 0 are
    the identity, exactly.

    >>> photo = torch.rand(1, 3, 8, 8)
    >>> operator = Highlights()
    >>> torch.equal(operator(photo), photo)
    True
    >>> bright = torch.full((1, 3, 1, 1), 0.9)
    >>> bool((operator(bright, highlights=-1.0) < 0.75).all())
    True
    """

    name: ClassVar[str] = "highlights"
    summary: ClassVar[str] = "tones of highlights, whites and blacks"
    identity: Mapping[str, float] | None = {}
    parameters_spec: Mapping[str, Parameter] = {
        "highlights": Parameter(-1, 1, 0, "recovers light tones below 0, lifts them above"),
        "whites": Parameter(-1, 1, 0, "pulls the lightest tones from white, or towards it"),
        "blacks": Parameter(-1, 1, 0, "deepens the darkest tones, or lifts them above 0"),
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
        values = [settings[name] for name in ("highlights", "whites", "blacks")]
        shape = broadcast_shapes(layers[1].shape[:-2], *(v.shape for v in values))
        return in_strips(_render, layers, values, math.prod(shape))


def _render(
    image: Tensor, luma: Tensor, highlights: Tensor, whites: Tensor, blacks: Tensor
) -> Tensor:
    change = curve_change(
        luma, highlights[..., None, None], whites[..., None, None], blacks[..., None, None]
    )
    return follow_luma(image, luma, change)


def curve_change(luma: Tensor, highlights: Tensor, whites: Tensor, blacks: Tensor) -> Tensor:
    """What the three curves together add to `luma` (in [0, 1]); all broadcast.

    >>> off = torch.tensor(0.0)
    >>> curve_change(torch.tensor(0.5), torch.tensor(-1.0), off, off).item()  # -2.5 / 16
    -0.15625
    """
    change = _bend(luma, highlights, WIDE)
    change = change + _bend(luma + change, whites, NARROW)
    return change - _bend(1 - luma - change, -blacks, NARROW)


def _bend(tone: Tensor, amount: Tensor, power: int) -> Tensor:
    """``k y^p (1 - y)``: ``k`` is `TOWARDS` at 1 and ``-AWAY`` at -1, smoothly in between."""
    ratio = AWAY[power] / TOWARDS
    scale = AWAY[power] / (ratio - 1)
    k = -scale * torch.expm1(-amount * math.log(ratio))
    return k * tone**power * (1 - tone)
