"""Guided detail: what a guided filter takes away, strengthened or weakened."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor

from enhance.operators.base import Operator, Parameter, Settings, check_image
from enhance.operators.batching import broadcast_shapes, paired
from enhance.operators.gamut import follow_luma
from enhance.operators.guided_filter import guided_filter
from enhance.operators.luma import luma as luma_of
from enhance.operators.scale import REFERENCE, step_in_pixels
from enhance.operators.strips import in_strips

TAU = 0.1  # detail beyond which its boost levels off


class GuidedDetail(Operator[tuple[Tensor, Tensor, Tensor]]):
    """Luma becomes ``y + amount tau tanh(d / tau)`` with ``d = y - guided(y)``; colour follows.

    The guided filter smooths what varies by less than `edge` in its window and leaves stronger
    edges, so that they get no halo as from unsharp masking. Amount 0 is the identity, exactly.

    References:
        He, Sun and Tang, "Guided image filtering", ECCV 2010.

    >>> photo = torch.rand(1, 3, 8, 8)
    >>> operator = GuidedDetail()
    >>> torch.equal(operator(photo), photo)
    True
    >>> operator(photo, amount=torch.tensor([-1.0, 2.0])).shape
    torch.Size([2, 3, 8, 8])
    """

    name: ClassVar[str] = "guided_detail"
    summary: ClassVar[str] = "detail by a guided filter, edges left alone"
    identity: Mapping[str, float] | None = {}
    parameters_spec: Mapping[str, Parameter] = {
        "amount": Parameter(-1, 3, 0, "gain of detail: -1 smooths it away, 1 doubles it", levels=9),
        "edge": Parameter(
            0.02,
            0.3,
            0.1,
            "standard deviation of luma in a window that counts as an edge",
            scale="log",
            tuned=False,
            stage="analyse",
        ),
        "radius": Parameter(
            1,
            16,
            4,
            f"half the window's side, in pixels of a photo whose long side is {REFERENCE}",
            unit="px",
            levels=5,
            grid=(1.0, 2.0, 4.0, 8.0, 16.0),
            tuned=False,
            stage="analyse",
            integer=True,
        ),
    }

    def analyse(
        self,
        image: Tensor,
        settings: Settings | None = None,
        *,
        extent: tuple[int, int] | None = None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Split off the detail; see `Operator.analyse`."""
        check_image(image)
        if settings is None:
            settings = self.complete({}, like=image)
        luma = luma_of(image)
        shape, planes, (edge, radius) = paired(
            luma.unsqueeze(-3), settings["edge"], settings["radius"]
        )
        height, width = luma.shape[-2:]
        radii = [step_in_pixels(r, extent or (height, width)) for r in radius.tolist()]
        smooth = torch.empty_like(planes)
        for own in set(radii):
            which = torch.tensor([r == own for r in radii], device=planes.device)
            part = guided_filter(planes[which], planes[which], own, edge[which] ** 2)
            smooth = smooth.masked_scatter(which[:, None, None, None], part)
        boost = TAU * torch.tanh((planes - smooth) / TAU)
        return image, luma, boost.reshape(*shape, height, width)

    def render(self, layers: tuple[Tensor, Tensor, Tensor], settings: Settings) -> Tensor:
        """Add detail and let colour follow; see `Operator.render`."""
        amount = settings["amount"]
        shape = broadcast_shapes(layers[2].shape[:-2], amount.shape)
        return in_strips(_render, layers, [amount], math.prod(shape))

    def halo(self, extent: tuple[int, int], settings: Settings | None = None) -> int:
        """Two windows, one for the statistics and one for their mean."""
        return 2 * step_in_pixels(self.largest("radius", settings), extent)


def _render(image: Tensor, luma: Tensor, boost: Tensor, amount: Tensor) -> Tensor:
    return follow_luma(image, luma, amount[..., None, None] * boost)
