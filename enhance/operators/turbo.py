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

from enhance.operators import turbo_compiled
from enhance.operators.base import Operator, Parameter, Settings, check_image
from enhance.operators.batching import broadcast_shapes
from enhance.operators.box import box_mean
from enhance.operators.domain_transform import domain_transform
from enhance.operators.luma import WEIGHTS, luma
from enhance.operators.noise import CHROMA_OF_LUMA, MAX_TILT, NOISE_FLOOR, noise_profile

_BELL = [math.exp(-(x**2) / 2) for x in range(-3, 4)]
GAUSSIAN = [value / sum(_BELL) for value in _BELL]  # one pixel wide
CHROMA = 2  # colour is smoothed this much more, in space and in range
LUMA_WINDOW = 5  # side of the square over which residual energy is averaged
CHROMA_WINDOW = 9  # wider, since colour noise is slow and colour detail is large
CHROMA_MARGIN = 1.5  # energy that colour must exceed the noise's by: blotches offend more


@dataclass(frozen=True)
class TurboLayers:
    """Planes that every rendering shares.

    `image`, `luma`, `chroma` (B-Y, R-Y), `guide` and `variance` are ``(..., C, H, W)``; the
    guide's scale is bent so that its noise has one std, `guide_noise` ``(...)``, at all
    brightnesses, and `variance` is that of luma's noise. `chroma_noise` ``(...)`` is a std.
    """

    image: Tensor
    luma: Tensor
    chroma: Tensor
    guide: Tensor
    variance: Tensor
    guide_noise: Tensor
    chroma_noise: Tensor


class Turbo(Operator[TurboLayers]):
    """Denoising for photos at native resolution, fast enough for every crop of a search.

    Luma and the colour differences B-Y, R-Y are smoothed by the domain transform, guided by
    luma blurred by one pixel; ``sigma_r`` is ``k_r`` times the noise of that guide. What luma
    lost, ``r``, is given back with the Wiener weight ``max(E[r^2] - sigma^2, 0) / E[r^2]`` of
    its 5x5 energy; so is what colour lost, one weight for both differences, so that colour
    does not bleed where luma shows no edge. Noise that follows the light is made uniform in the
    guide by a variance-stabilising curve. The default denoises; ``strength=0`` is the identity.

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
    noise_parameter: ClassVar[str | None] = "sigma_n"
    parameters_spec: Mapping[str, Parameter] = {
        "sigma_s": Parameter(
            1,
            10,
            3,
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
        "luma": Parameter(0, 1, 1, "share of luma's denoising; 0 keeps the grain", tuned=False),
        "chroma": Parameter(0, 1, 1, "share of colour's denoising", tuned=False),
        "sigma_n": Parameter(
            0,
            0.5,
            0,
            "noise std of luma at middle grey (.67 of that of independent R, G, B noise); "
            "0 asks the photo, also for tilt, grain and sigma_c",
            tuned=False,
            stage="analyse",
        ),
        "tilt": Parameter(
            -MAX_TILT,
            MAX_TILT,
            0,
            "octaves by which noise grows from black to white",
            unit="octaves",
            tuned=False,
            stage="analyse",
        ),
        "grain": Parameter(
            0.5,
            3,
            1,
            "noise at 2-4 px over sigma_n: more than 1 where a camera has smeared it",
            tuned=False,
            stage="analyse",
        ),
        "sigma_c": Parameter(
            0,
            0.8,
            0,
            "noise std of B-Y and R-Y; 0 takes what goes with sigma_n",
            tuned=False,
            stage="analyse",
        ),
    }

    def calibrate(self, image: Tensor, settings: Settings) -> dict[str, Tensor]:
        """Replace ``sigma_n = 0`` by the noise read from `image`, with all that describes it.

        With a given ``sigma_n``, ``sigma_c = 0`` becomes what independent channels have.
        """
        given, colour = settings["sigma_n"], settings["sigma_c"]
        asked = given == 0
        if not bool((asked | (colour == 0)).any()):
            return dict(settings)
        white = (given * CHROMA_OF_LUMA).clamp_max(self.parameters_spec["sigma_c"].high)
        if not bool(asked.any()):
            return {**settings, "sigma_c": torch.where(colour == 0, white, colour)}
        seen = noise_profile(image)
        found = {"tilt": seen.tilt, "grain": seen.grain}
        found["sigma_n"] = seen.level.clamp_min(NOISE_FLOOR)
        found["sigma_c"] = torch.where(colour == 0, seen.chroma.clamp_min(NOISE_FLOOR), colour)
        answered = dict(settings)
        for name, value in found.items():
            bounds = self.parameters_spec[name]
            answer = value.clamp(bounds.low, bounds.high)
            answered[name] = torch.where(asked, answer, settings[name])
        kept = torch.where(colour == 0, white, colour)
        answered["sigma_c"] = torch.where(asked, answered["sigma_c"], kept)
        return answered

    def analyse(
        self,
        image: Tensor,
        settings: Settings | None = None,
        *,
        extent: tuple[int, int] | None = None,
    ) -> TurboLayers:
        """Split luma from colour, blur the guide, take or read the noise."""
        check_image(image)
        if settings is None:
            settings = self.complete({}, like=image)
        answered = self.calibrate(image, settings)
        noise, tilt, grain = (answered[name] for name in ("sigma_n", "tilt", "grain"))
        if turbo_compiled.able(image, noise, tilt):
            light, chroma, blurred = turbo_compiled.split(image, GAUSSIAN)
            guide, variance = turbo_compiled.level(blurred, noise, tilt)
        else:
            light, chroma, blurred = _split(image)
            guide, variance = _level(blurred, noise, tilt)
        # edges are judged between the finest and the second scale of the noise
        guide_noise = noise * (1 + grain) / 2 * sum(value**2 for value in GAUSSIAN)
        return TurboLayers(image, light, chroma, guide, variance, guide_noise, answered["sigma_c"])

    def render(self, layers: TurboLayers, settings: Settings) -> Tensor:
        """Smooth, blend back, recombine; see `Operator.render`."""
        values = [layers.guide_noise, layers.chroma_noise]
        values += [settings[name] for name in ("sigma_s", "k_r", "strength", "luma", "chroma")]
        planes = [layers.image, layers.luma, layers.chroma, layers.guide, layers.variance]
        shape = broadcast_shapes(
            *(plane.shape[:-3] for plane in planes), *(value.shape for value in values)
        )
        if len(shape) > 1:
            values = [value.expand(shape).reshape(-1) for value in values]
            planes = [plane.expand(*shape, -1, -1, -1).flatten(end_dim=-4) for plane in planes]
        guide_noise, chroma_noise, sigma_s, k_r, *shares = values
        image, light, chroma, guide, variance = planes
        sigma_r = k_r * guide_noise
        smooth_light = domain_transform(light, guide, sigma_s, sigma_r)
        smooth_chroma = domain_transform(chroma, guide, sigma_s * CHROMA, sigma_r * CHROMA)
        floor = CHROMA_MARGIN * chroma_noise.square()
        parts = [image, light, chroma, smooth_light, smooth_chroma, variance, floor, *shares]
        if turbo_compiled.able(*parts):
            rendered = turbo_compiled.blend(*parts, sides=(LUMA_WINDOW, CHROMA_WINDOW))
        else:
            rendered = _blend(*parts)
        return rendered.reshape(*shape, *image.shape[-3:])

    def halo(self, extent: tuple[int, int], settings: Settings | None = None) -> int:
        """Five widths of the chroma filter, whose response is then 1/2000, and the windows."""
        windows = len(GAUSSIAN) // 2 + CHROMA_WINDOW // 2
        return math.ceil(5 * CHROMA * self.largest("sigma_s", settings)) + windows


def _split(image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Luma, colour differences B-Y and R-Y, blurred luma."""
    light = luma(image).unsqueeze(-3)
    return light, image[:, [2, 0]] - light, _blur(light)


def _level(blurred: Tensor, noise: Tensor, tilt: Tensor) -> tuple[Tensor, Tensor]:
    """Guide and variance: blurred luma on a scale where its noise is uniform, and that noise."""
    # log of the noise over its level at middle grey
    bend = (tilt * math.log(2))[..., None, None, None] * (blurred - 0.5)
    variance = torch.exp(2 * bend) * noise.square()[..., None, None, None]
    return (blurred - 0.5) * _mean_of_exp(-bend), variance


def _blend(
    image: Tensor,
    light: Tensor,
    chroma: Tensor,
    smooth_light: Tensor,
    smooth_chroma: Tensor,
    variance: Tensor,
    *values: Tensor,
) -> Tensor:
    """The rendering: what was smoothed, with the detail given back."""
    floor, strength, luma_share, chroma_share = (value[..., None, None, None] for value in values)
    residual = light - smooth_light
    kept = _keep(residual, variance, LUMA_WINDOW)
    new_light = torch.addcmul(smooth_light, kept, residual)
    residual = chroma - smooth_chroma
    new_chroma = torch.addcmul(smooth_chroma, _keep(residual, floor, CHROMA_WINDOW), residual)
    new_light = torch.lerp(light, new_light, luma_share)
    new_chroma = torch.lerp(chroma, new_chroma, chroma_share)
    denoised = _to_rgb(new_light, new_chroma)
    # chroma and luma are smoothed apart, so a channel can leave the range by a little
    return torch.addcmul(image, strength, denoised - image).clamp(0, 1)


def _blur(plane: Tensor) -> Tensor:
    """One-pixel Gaussian of ``(B, 1, H, W)``, borders repeated."""
    radius = len(GAUSSIAN) // 2
    blurred = functional.pad(plane, (radius,) * 4, mode="replicate")
    for dim in (-1, -2):
        size = plane.shape[dim]
        # sums of shifted planes: convolving one channel takes several times as long
        total = blurred.narrow(dim, 0, size) * GAUSSIAN[0]
        for shift, weight in enumerate(GAUSSIAN[1:], start=1):
            total = total.add_(blurred.narrow(dim, shift, size), alpha=weight)
        blurred = total
    return blurred


def _mean_of_exp(exponent: Tensor) -> Tensor:
    """Mean of ``exp`` from 0 to `exponent`, by its series: exact to 1e-7 within what tilt allows.

    ``(exp(x) - 1) / x`` itself would divide zero by zero at middle grey.
    """
    one = exponent.new_ones(())
    total = one
    for order in range(7, 1, -1):
        total = torch.addcmul(one, exponent, total, value=1 / order)
    return total


def _keep(residual: Tensor, variance: Tensor, window: int) -> Tensor:
    """Share of the residual that is detail rather than noise, by its energy in a square."""
    energy = box_mean(residual.square().mean(-3, keepdim=True), window // 2)
    return (energy - variance).clamp_min(0) / (energy + 1e-12)


def _to_rgb(light: Tensor, chroma: Tensor) -> Tensor:
    """Inverse of the split into Y, B-Y, R-Y."""
    blue, red = (light + chroma).split(1, dim=-3)
    green = (light - WEIGHTS[0] * red - WEIGHTS[2] * blue) / WEIGHTS[1]
    return torch.cat([red, green, blue], dim=-3)
