"""Unsharp masking: the difference to a blurred copy is added back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor

from enhance.operators.base import Operator, Parameter, Settings, check_image
from enhance.operators.batching import broadcast_shapes, paired
from enhance.operators.gamut import follow_luma
from enhance.operators.luma import luma as luma_of
from enhance.operators.scale import REFERENCE, scale_of
from enhance.operators.strips import in_strips

TAILS = 3  # standard deviations of the Gaussian that its window holds


class Unsharp(Operator[tuple[Tensor, Tensor, Tensor]]):
    """Luma becomes ``y + amount d d^2 / (d^2 + threshold^2)`` with ``d = y - blur(y)``.

    The blur is kornia's Gaussian. `threshold` cores: differences well below it, as of noise,
    are left alone. On luma only, so edges get no coloured fringes. Amount 0 is the identity,
    exactly. Unlike the Laplacian and guided detail it overshoots at strong edges.

    >>> photo = torch.rand(1, 3, 8, 8)
    >>> operator = Unsharp()
    >>> torch.equal(operator(photo), photo)
    True
    >>> operator(photo, amount=torch.tensor([0.5, 2.0])).shape
    torch.Size([2, 3, 8, 8])
    """

    name: ClassVar[str] = "unsharp"
    summary: ClassVar[str] = "sharpening by unsharp masking of luma"
    identity: Mapping[str, float] | None = {}
    parameters_spec: Mapping[str, Parameter] = {
        "amount": Parameter(-1, 3, 0, "how much is added back; blurs below 0", levels=9),
        "sigma": Parameter(
            0.3,
            4,
            1,
            f"width of the blur, in pixels of a photo whose long side is {REFERENCE}",
            unit="px",
            scale="log",
            tuned=False,
            stage="analyse",
        ),
        "threshold": Parameter(
            0, 0.1, 0.01, "difference below which nothing is added", tuned=False, stage="analyse"
        ),
    }

    def analyse(
        self,
        image: Tensor,
        settings: Settings | None = None,
        *,
        extent: tuple[int, int] | None = None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Blur luma and core the difference; see `Operator.analyse`."""
        from kornia.filters import gaussian_blur2d

        check_image(image)
        if settings is None:
            settings = self.complete({}, like=image)
        luma = luma_of(image)
        shape, planes, (sigma, threshold) = paired(
            luma.unsqueeze(-3), settings["sigma"], settings["threshold"]
        )
        height, width = luma.shape[-2:]
        whole = extent or (height, width)
        pixels = sigma * scale_of(whole)
        # one window for every sigma: its reach may not depend on the batch
        side = 2 * self.halo(whole) + 1
        sigmas = torch.stack([pixels, pixels], dim=1)
        blurred = gaussian_blur2d(planes, (side, side), sigmas, "replicate")
        difference = planes - blurred
        square = difference.square()
        cored = difference * square / (square + threshold[:, None, None, None] ** 2 + 1e-12)
        return image, luma, cored.reshape(*shape, height, width)

    def render(self, layers: tuple[Tensor, Tensor, Tensor], settings: Settings) -> Tensor:
        """Add the difference and let colour follow; see `Operator.render`."""
        amount = settings["amount"]
        shape = broadcast_shapes(layers[2].shape[:-2], amount.shape)
        return in_strips(_render, layers, [amount], math.prod(shape))

    def halo(self, extent: tuple[int, int], settings: Settings | None = None) -> int:
        """Half the Gaussian's window at the largest sigma."""
        return math.ceil(TAILS * self.parameters_spec["sigma"].high * scale_of(extent))


def _render(image: Tensor, luma: Tensor, cored: Tensor, amount: Tensor) -> Tensor:
    return follow_luma(image, luma, amount[..., None, None] * cored)
