"""Turbo denoising: one fast edge-aware smoothing, then suppressed detail is blended back.

A reconstruction of "Turbo denoising for mobile photographic applications" (Wong and Milanfar,
2016), the operator that NIMA tunes in its Fig. 15, on the domain transform's recursive filter.
It does not claim to reproduce that paper's figures.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor
from torch.nn import functional

from enhance.operators.base import Operator, Parameter, Settings, check_image
from enhance.operators.domain_transform import domain_transform
from enhance.operators.luma import WEIGHTS, luma
from enhance.operators.noise import estimate_noise

NOISE_FLOOR = 1 / 255 / math.sqrt(12)
"""Rounding noise of an 8-bit photo: no photo is taken to be cleaner."""
_BELL = [math.exp(-(x**2) / 2) for x in range(-3, 4)]
GAUSSIAN = [value / sum(_BELL) for value in _BELL]  # one pixel wide
CHROMA = 2  # colour is smoothed this much more, in space and in range
WINDOW = 5  # side of the square over which residual energy is averaged


@dataclass(frozen=True)
class TurboLayers:
    """Luma, B-Y and R-Y ``(B, 1 | 2, H, W)``, the guide, and the noise std of luma ``(...)``."""

    image: Tensor
    luma: Tensor
    chroma: Tensor
    guide: Tensor
    noise: Tensor


class Turbo(Operator[TurboLayers]):
    """Denoising for photos at native resolution, fast enough for every crop of a search.

    Luma and the colour differences B-Y, R-Y are smoothed by the domain transform, guided by
    luma blurred by one pixel; ``sigma_r`` is ``k_r`` times the noise of that guide. What luma
    lost, ``r``, is given back with the Wiener weight ``max(E[r^2] - sigma^2, 0) / E[r^2]`` of
    its 5x5 energy. The default denoises; ``strength=0`` is the identity.

    >>> photo = torch.rand(1, 3, 16, 16)
    >>> operator = Turbo()
    >>> operator(photo, sigma_s=torch.tensor([1.0, 2.0, 4.0])).shape
    torch.Size([3, 3, 16, 16])
    >>> torch.equal(operator(photo, strength=0.0), photo)
    True
    """

    name: ClassVar[str] = "turbo"
    summary: ClassVar[str] = "fast edge-aware denoising on the domain transform"
    views: ClassVar[Literal["whole", "native"]] = "native"
    identity: Mapping[str, float] | None = {"strength": 0.0}
    parameters_spec: Mapping[str, Parameter] = {
        "sigma_s": Parameter(
            1,
            10,
            2.5,
            "width of the smoothing; textures want less",
            unit="px",
            scale="log",
            levels=37,
            grid=tuple(1 + step / 4 for step in range(37)),
        ),
        "k_r": Parameter(
            2,
            12,
            4,
            "difference that counts as an edge, in stds of the guide's noise",
            unit="std",
            tuned=False,
        ),
        "strength": Parameter(
            0, 1, 1, "share of the denoised photo in the result", levels=5, tuned=False
        ),
        "sigma_n": Parameter(
            0,
            0.5,
            0,
            "noise std of luma (.67 of that of independent R, G, B noise); 0 asks the photo",
            tuned=False,
            stage="analyse",
        ),
    }

    def calibrate(self, image: Tensor, settings: Settings) -> dict[str, Tensor]:
        """Replace ``sigma_n = 0`` by the noise estimated on `image`."""
        given = settings["sigma_n"]
        if bool((given > 0).all()):
            return dict(settings)
        estimate = estimate_noise(luma(image)).clamp(NOISE_FLOOR, 0.5)
        return {**settings, "sigma_n": torch.where(given > 0, given, estimate)}

    def analyse(
        self,
        image: Tensor,
        settings: Settings | None = None,
        *,
        extent: tuple[int, int] | None = None,
    ) -> TurboLayers:
        """Split luma from colour, blur the guide, take or estimate the noise."""
        check_image(image)
        if settings is None:
            settings = self.complete({}, like=image)
        noise = self.calibrate(image, settings)["sigma_n"]
        light = luma(image).unsqueeze(-3)
        chroma = image[:, [2, 0]] - light
        return TurboLayers(image, light, chroma, _blur(light), noise)

    def render(self, layers: TurboLayers, settings: Settings) -> Tensor:
        """Smooth, blend back, recombine; see `Operator.render`."""
        values = [layers.noise, *(settings[name] for name in ("sigma_s", "k_r", "strength"))]
        shape = torch.broadcast_shapes(layers.image.shape[:1], *(v.shape for v in values))
        nested = len(shape) > 1
        noise, sigma_s, k_r, strength = (
            v.expand(shape).reshape(-1) if nested else v for v in values
        )
        image, light, chroma, guide = (
            plane.expand(*shape, -1, -1, -1).flatten(end_dim=-4) if nested else plane
            for plane in (layers.image, layers.luma, layers.chroma, layers.guide)
        )
        sigma_r = k_r * noise * sum(value**2 for value in GAUSSIAN)
        smooth = domain_transform(light, guide, sigma_s, sigma_r)
        residual = light - smooth
        kept = _keep(residual, noise[..., None, None, None])
        new_light = torch.addcmul(smooth, kept, residual)
        new_chroma = domain_transform(chroma, guide, sigma_s * CHROMA, sigma_r * CHROMA)
        denoised = _to_rgb(new_light, new_chroma)
        strength = strength[..., None, None, None]
        # chroma and luma are smoothed apart, so a channel can leave the range by a little
        rendered = torch.addcmul(image, strength, denoised - image).clamp(0, 1)
        return rendered.reshape(*shape, *image.shape[-3:])

    def halo(self, extent: tuple[int, int]) -> int:
        """Five widths of the chroma filter; its response has then fallen below 1/2000."""
        return math.ceil(5 * CHROMA * self.parameters_spec["sigma_s"].high)


def _blur(plane: Tensor) -> Tensor:
    """One-pixel Gaussian of ``(B, 1, H, W)``, borders repeated."""
    taps = plane.new_tensor(GAUSSIAN)
    radius = len(GAUSSIAN) // 2
    padded = functional.pad(plane, (radius,) * 4, mode="replicate")
    return functional.conv2d(
        functional.conv2d(padded, taps.view(1, 1, 1, -1)), taps.view(1, 1, -1, 1)
    )


def _keep(residual: Tensor, noise: Tensor) -> Tensor:
    """Share of the residual that is detail rather than noise, by its local energy."""
    radius = WINDOW // 2
    padded = functional.pad(residual.square(), (radius,) * 4, mode="replicate")
    energy = functional.avg_pool2d(padded, WINDOW, stride=1)
    return (energy - noise.square()).clamp_min(0) / (energy + 1e-12)


def _to_rgb(light: Tensor, chroma: Tensor) -> Tensor:
    """Inverse of the split into Y, B-Y, R-Y."""
    blue, red = (light + chroma).split(1, dim=-3)
    green = (light - WEIGHTS[0] * red - WEIGHTS[2] * blue) / WEIGHTS[1]
    return torch.cat([red, green, blue], dim=-3)
