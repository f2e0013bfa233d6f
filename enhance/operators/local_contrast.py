"""Local contrast: detail at three scales, from fine texture to the modelling of large shapes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor

from enhance.operators.affinity import RADIUS
from enhance.operators.base import Operator, Parameter, Settings, check_image
from enhance.operators.batching import broadcast_shapes, paired
from enhance.operators.gamut import follow_luma
from enhance.operators.layers import TAU, split
from enhance.operators.luma import luma as luma_of
from enhance.operators.scale import REFERENCE, step_in_pixels
from enhance.operators.strips import in_strips

SCALES = {"fine": 1, "medium": 3, "coarse": 8}
"""Step of the 5x5 window, in pixels of a photo whose long side is `REFERENCE`."""
LIMITS = (TAU, 1.5 * TAU, 2 * TAU)  # contrast grows with scale, and so does what is boosted


class LocalContrast(Operator[tuple[Tensor, ...]]):
    """Each scale of detail with a gain of its own, on luma; colour follows.

    Luma is smoothed by the multi-layer Laplacian's filters with a wider window each time, as in
    the stationary wavelet transform "à trous": what a step takes away, softly limited and under
    the structure mask of that scale, is its boost. Luma becomes ``y + sum(gain_s boost_s)``. All
    at 0 are the identity, exactly.

    References:
        Talebi and Milanfar, "Fast multilayer Laplacian enhancement", 2016, for the filters;
        Shensa, "The discrete wavelet transform: wedding the à trous and Mallat algorithms", 1992.

    >>> photo = torch.rand(1, 3, 8, 8)
    >>> operator = LocalContrast()
    >>> torch.equal(operator(photo), photo)
    True
    >>> operator(photo, fine=torch.tensor([-1.0, 2.0]), coarse=0.5).shape
    torch.Size([2, 3, 8, 8])
    """

    name: ClassVar[str] = "local_contrast"
    summary: ClassVar[str] = "detail at three scales, fine to coarse, without halos"
    identity: Mapping[str, float] | None = {}
    parameters_spec: Mapping[str, Parameter] = {
        **{
            name: Parameter(
                -1,
                3,
                0,
                f"gain of detail {RADIUS * step} px about a pixel of a photo whose long side is "
                f"{REFERENCE}: -1 smooths it away, 1 doubles it",
                levels=9,
            )
            for name, step in SCALES.items()
        },
        "h": Parameter(
            0.05,
            0.4,
            0.15,
            "luma difference that counts as an edge",
            scale="log",
            tuned=False,
            stage="analyse",
        ),
    }

    def analyse(
        self,
        image: Tensor,
        settings: Settings | None = None,
        *,
        extent: tuple[int, int] | None = None,
    ) -> tuple[Tensor, ...]:
        """Image, luma and the boost of each scale; see `Operator.analyse`."""
        check_image(image)
        if settings is None:
            settings = self.complete({}, like=image)
        luma = luma_of(image)
        shape, planes, (h,) = paired(luma.unsqueeze(-3), settings["h"])
        height, width = luma.shape[-2:]
        smooth, boosts = planes.squeeze(-3), []
        for step, limit in zip(SCALES.values(), LIMITS, strict=True):
            pixels = step_in_pixels(step, extent or (height, width))
            smooth, boost = split(smooth, h, pixels, limit)
            boosts.append(boost.reshape(*shape, height, width))
        return image, luma, *boosts

    def render(self, layers: tuple[Tensor, ...], settings: Settings) -> Tensor:
        """Add the boosts and let colour follow; see `Operator.render`."""
        gains = [settings[name] for name in SCALES]
        shape = broadcast_shapes(layers[-1].shape[:-2], *(gain.shape for gain in gains))
        return in_strips(_render, layers, gains, math.prod(shape))

    def halo(self, extent: tuple[int, int], settings: Settings | None = None) -> int:
        """Reach of the three windows, one after the other."""
        return RADIUS * sum(step_in_pixels(step, extent) for step in SCALES.values())


def _render(image: Tensor, luma: Tensor, *others: Tensor) -> Tensor:
    boosts, gains = others[: len(SCALES)], others[len(SCALES) :]
    products = (gain[..., None, None] * boost for gain, boost in zip(gains, boosts, strict=True))
    return follow_luma(image, luma, sum(products, torch.zeros_like(luma)))
