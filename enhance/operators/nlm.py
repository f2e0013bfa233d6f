"""Non-local means: the mean of pixels whose surroundings look alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor

from enhance.operators.base import Parameter, Settings
from enhance.operators.batching import broadcast_shapes
from enhance.operators.box import box_mean
from enhance.operators.denoising import BLEND_PARAMETERS, Denoiser
from enhance.operators.luma import WEIGHTS

PATCH_RADIUS = 2  # in pixels
SOFT = 0.25  # width of the bend where distances rise above noise, in variances of the noise
CHANNEL = sum(weight**2 for weight in WEIGHTS) ** -0.5
"""Noise of a channel over luma's, for noise that is independent in R, G and B."""

Pairs = list[tuple[tuple[int, int], Tensor]]
"""Shifts, and the mean squared difference of patches that lie so far apart ``(B, 1, h, w)``."""


class NonLocalMeans(Denoiser[tuple[Tensor, Pairs]]):
    """Each pixel becomes the mean of those near it whose 5x5 patches are like its own.

    With the mean squared difference ``D`` of two patches, over R, G and B, and the noise
    ``sigma`` of a channel, weights are ``exp(-max(D - 2 sigma^2, 0) / h^2)``, ``h = k_h sigma``,
    with a soft maximum that lets gradients through where patches differ by noise alone.
    Distances are found once for each image. Pairs are visited once, for both of their pixels;
    those that reach over the border are left out. The default denoises; ``strength=0`` is the
    identity.

    References:
        Buades, Coll and Morel, "A non-local algorithm for image denoising", CVPR 2005, and
        "Non-local means denoising", Image Processing On Line 2011, for the weights.

    >>> photo = torch.rand(1, 3, 16, 16)
    >>> operator = NonLocalMeans()
    >>> operator(photo, k_h=torch.tensor([0.5, 1.0])).shape
    torch.Size([2, 3, 16, 16])
    >>> torch.equal(operator(photo, strength=0.0), photo)
    True
    """

    name: ClassVar[str] = "nlm"
    summary: ClassVar[str] = "denoising by non-local means"
    parameters_spec: Mapping[str, Parameter] = {
        "k_h": Parameter(
            0.2,
            3,
            0.6,
            "difference of patches that counts, in stds of the noise",
            unit="std",
            scale="log",
        ),
        "search": Parameter(
            1,
            10,
            5,
            "radius of the square in which like patches are looked for",
            unit="px",
            levels=10,
            tuned=False,
            stage="analyse",
            integer=True,
        ),
        **BLEND_PARAMETERS,
    }

    def prepare(self, image: Tensor, settings: Settings) -> tuple[Tensor, Pairs]:
        """How far to search; patches compared as far apart as the widest search asks for."""
        search = settings["search"]
        shifts = _shifts(int(search.max()), *image.shape[-2:])
        return search, [(shift, _distance(*_overlap(image, shift))) for shift in shifts]

    def denoise(
        self, image: Tensor, prepared: tuple[Tensor, Pairs], noise: Tensor, settings: Settings
    ) -> Tensor:
        """Weigh the distances and average."""
        analysed, pairs = prepared
        variance = (CHANNEL * noise).square()[..., None, None, None]
        falloff = -(variance * settings["k_h"].square()[..., None, None, None]).reciprocal()
        search = analysed[..., None, None, None]
        shape = broadcast_shapes(image.shape[:1], falloff.shape[:-3], search.shape[:-3])
        # a fourth channel of ones gathers the sum of the weights
        pixels = torch.cat([image, torch.ones_like(image[:, :1])], dim=1)
        total = pixels.expand(*shape, -1, -1, -1).clone()
        for shift, distance in pairs:
            weight = torch.exp(_above(distance - 2 * variance, SOFT * variance) * falloff)
            weight = weight * (search >= max(map(abs, shift)))
            here, there = _overlap(pixels, shift)
            _overlap(total, shift)[0].addcmul_(weight, there)
            _overlap(total, shift)[1].addcmul_(weight, here)
        return total[..., :3, :, :] / total[..., 3:, :, :]

    def halo(self, extent: tuple[int, int], settings: Settings | None = None) -> int:
        """Where a patch may begin, and its own reach."""
        return int(self.largest("search", settings)) + PATCH_RADIUS


def _shifts(search: int, height: int, width: int) -> list[tuple[int, int]]:
    """Half of the offsets in the square, as far as they fit; their opposites are implied."""
    return [
        (y, x)
        for y in range(min(search + 1, height))
        for x in range(-search if y else 1, search + 1)
        if abs(x) < width
    ]


def _overlap(plane: Tensor, shift: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Views of the pixels that have a partner at `shift`, and of those partners."""
    y, x = shift
    height, width = plane.shape[-2:]
    here = plane[..., : height - y, max(0, -x) : width - max(0, x)]
    there = plane[..., y:, max(0, x) : width + min(0, x)]
    return here, there


def _distance(here: Tensor, there: Tensor) -> Tensor:
    """Mean squared difference over channels and patches; beyond the border it is repeated."""
    square = (here - there).square().mean(-3, keepdim=True)
    return box_mean(square, PATCH_RADIUS)


def _above(value: Tensor, width: Tensor) -> Tensor:
    """``max(value, 0)`` with a bend of this width, positive everywhere."""
    return (value + (value.square() + width.square()).sqrt()) / 2
