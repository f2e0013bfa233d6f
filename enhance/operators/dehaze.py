"""Dehaze: the veil that distance lays over a photo, taken off or added."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from enhance.operators.base import Operator, Parameter, Settings, check_image
from enhance.operators.batching import broadcast_shapes, paired
from enhance.operators.gamut import within_range
from enhance.operators.guided_filter import guided_filter
from enhance.operators.luma import luma
from enhance.operators.scale import step_in_pixels
from enhance.operators.strips import in_strips

PATCH_RADIUS = 7  # in which the darkest value is taken, in pixels of a photo of 512
FILTER_RADII = 2  # radius of the guided filter, in radii of the patch
EPS = 1e-3  # of the guided filter
MAX_DEHAZE = 0.9  # share of the haze that goes at 1: a little keeps the sense of distance
BRIGHTEST = 0.001  # share of the pixels, the haziest, that tell the airlight
DIMMEST = 0.2  # airlight that is believed; a photo without a bright veil has none


class Dehaze(Operator[tuple[Tensor, Tensor, Tensor]]):
    """A photo ``I = J t + A (1 - t)`` becomes ``J = A + (I - A) / t``, bent to stay in range.

    Haze ``1 - t`` is the dark channel of ``I / A``, the least of R, G and B in a patch, refined
    by a guided filter under luma instead of by soft matting. With ``t = 1 - .9 dehaze
    (1 - t)`` a positive setting takes haze off and a negative one adds to what there is. The
    airlight ``A`` is taken to be grey. 0 is the identity, exactly.

    References:
        He, Sun and Tang, "Single image haze removal using dark channel prior", CVPR 2009;
        "Guided image filtering", ECCV 2010, for the refinement.

    >>> photo = torch.rand(1, 3, 16, 16)
    >>> operator = Dehaze()
    >>> torch.equal(operator(photo), photo)
    True
    >>> operator(photo, dehaze=torch.tensor([-0.5, 0.5])).shape
    torch.Size([2, 3, 16, 16])
    """

    name: ClassVar[str] = "dehaze"
    summary: ClassVar[str] = "haze taken off or added, by the dark channel"
    identity: Mapping[str, float] | None = {}
    parameters_spec: Mapping[str, Parameter] = {
        "dehaze": Parameter(-1, 1, 0, "takes haze off above 0, adds to it below"),
        "airlight": Parameter(
            0,
            1,
            0,
            "brightness of the haze itself; 0 asks the photo",
            tuned=False,
            stage="analyse",
        ),
    }

    def calibrate(self, image: Tensor, settings: Settings) -> dict[str, Tensor]:
        """Replace ``airlight = 0`` by the brightness where `image` is haziest."""
        given = settings["airlight"]
        if bool((given > 0).all()):
            return dict(settings)
        return {**settings, "airlight": torch.where(given > 0, given, read_airlight(image))}

    def analyse(
        self,
        image: Tensor,
        settings: Settings | None = None,
        *,
        extent: tuple[int, int] | None = None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Take or read the airlight and find the haze; see `Operator.analyse`."""
        check_image(image)
        if settings is None:
            settings = self.complete({}, like=image)
        # an airlight near black would have everything be haze
        airlight = self.calibrate(image, settings)["airlight"].clamp_min(DIMMEST)
        height, width = image.shape[-2:]
        radius = step_in_pixels(PATCH_RADIUS, extent or (height, width))
        shape, planes, (light,) = paired(
            torch.stack([luma(image), dark_channel(image, radius)], dim=1), airlight
        )
        guide, dark = planes.split(1, dim=1)
        ratio = (dark / light[:, None, None, None]).clamp_max(1)
        eps = torch.full_like(light, EPS)
        haze = guided_filter(guide, ratio, FILTER_RADII * radius, eps).clamp(0, 1)
        return image, airlight, haze.reshape(*shape, height, width)

    def render(self, layers: tuple[Tensor, Tensor, Tensor], settings: Settings) -> Tensor:
        """Divide by the transmission; see `Operator.render`."""
        image, airlight, haze = layers
        values = [airlight, settings["dehaze"]]
        shape = broadcast_shapes(haze.shape[:-2], *(v.shape for v in values))
        return in_strips(_render, [image, haze], values, math.prod(shape))

    def halo(self, extent: tuple[int, int], settings: Settings | None = None) -> int:
        """Reach of the patch and of the guided filter's two windows."""
        return (1 + 2 * FILTER_RADII) * step_in_pixels(PATCH_RADIUS, extent)


def dark_channel(image: Tensor, radius: int) -> Tensor:
    """Least of R, G and B in a square about each pixel: ``(B, 3, H, W)`` to ``(B, H, W)``.

    >>> image = torch.ones(1, 3, 5, 5)
    >>> image[0, 2, 0, 0] = 0.25
    >>> dark_channel(image, 1)[0, :3, :3]
    tensor([[0.2500, 0.2500, 1.0000],
            [0.2500, 0.2500, 1.0000],
            [1.0000, 1.0000, 1.0000]])
    """
    darkest = functional.pad(image.amin(1, keepdim=True), (radius,) * 4, mode="replicate")
    side = 2 * radius + 1
    for dim in (-1, -2):
        count = darkest.shape[dim] - 2 * radius
        reach = 1
        while 2 * reach <= side:  # the least of twice as many, from two of the least before
            left = darkest.shape[dim] - reach
            darkest = torch.minimum(darkest.narrow(dim, 0, left), darkest.narrow(dim, reach, left))
            reach *= 2
        rest = darkest.narrow(dim, side - reach, count)
        darkest = torch.minimum(darkest.narrow(dim, 0, count), rest)
    return darkest.squeeze(1)


@torch.no_grad()
def read_airlight(image: Tensor) -> Tensor:
    """Luma where the dark channel is brightest, in [`DIMMEST`, 1]: ``(B, 3, H, W)`` to ``(B,)``.

    >>> hazy = torch.full((1, 3, 8, 8), 0.5)
    >>> hazy[..., :3, :3] = 0.75
    >>> read_airlight(hazy)
    tensor([0.7500])
    """
    height, width = image.shape[-2:]
    dark = dark_channel(image, step_in_pixels(PATCH_RADIUS, (height, width))).flatten(1)
    count = max(1, round(BRIGHTEST * dark.shape[1]))
    haziest = dark.topk(count, dim=1).indices
    return luma(image).flatten(1).gather(1, haziest).mean(1).clamp(DIMMEST, 1)


def _render(image: Tensor, haze: Tensor, airlight: Tensor, dehaze: Tensor) -> Tensor:
    share = MAX_DEHAZE * dehaze[..., None, None] * haze
    veil = airlight[..., None, None, None]
    return within_range(image, (image - veil) * (share / (1 - share)).unsqueeze(-3))
