"""Multi-layer Laplacian: detail, shadow and brightness of a photo, without halos.

A reconstruction of the operator that NIMA tunes (Talebi and Milanfar, "NIMA", 2018, section
III.D) from "Fast multilayer Laplacian enhancement" (Talebi and Milanfar, 2016): filters without
normalisation split luma into layers from fine to coarse, a structure mask keeps noise from
being magnified. It does not claim to reproduce that paper's figures.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from enhance.operators import laplacian_kernels
from enhance.operators.affinity import RADIUS
from enhance.operators.base import Operator, Parameter, Settings, check_image
from enhance.operators.batching import broadcast_shapes
from enhance.operators.compiled import share, usable
from enhance.operators.gamut import DARK, within_range
from enhance.operators.layers import split
from enhance.operators.luma import luma as luma_of
from enhance.operators.scale import REFERENCE, step_in_pixels
from enhance.operators.strips import in_strips

SHADOW_UP, SHADOW_DOWN = 2.5, 0.9
"""Largest lift and drop of the curve, well inside what keeps it monotone, 4 and 1."""


@dataclass(frozen=True)
class LaplacianLayers:
    """What rendering needs: tensors ``(..., H, W)`` of one batch shape, and the image.

    `boost` is what one unit of `detail` adds: the layers' soft-limited sum under the structure
    mask. The map of a layer is linear in `detail`, so layers need not be kept apart.
    """

    image: Tensor
    luma: Tensor
    base: Tensor
    boost: Tensor


class Laplacian(Operator[LaplacianLayers]):
    """Detail, shadow and brightness on luma; colour follows.

    ``analyse`` splits luma ``y`` with the filters ``W_l`` of `enhance.operators.affinity` into
    ``base = W_1 y``, ``detail_l = (W_{l+1} - W_l) y`` and ``high = (I - W_k) y``, which sum to
    ``y``. ``render`` gives ``tone(base) + sum(z + m (phi(z) - z))`` over the detail layers
    ``z``, with ``phi(z) = z + detail tau tanh(z / tau)`` and the structure mask ``m`` (0 in
    flats). Tone is Schlick's bias (1994) for brightness, then ``v + s v (1 - v)^3`` for shadow.
    All defaults together are the identity, exactly.

    >>> photo = torch.rand(1, 3, 16, 16)
    >>> operator = Laplacian()
    >>> torch.equal(operator(photo), photo)
    True
    >>> operator(photo, detail=torch.tensor([0.0, 1.0, 2.0]), shadow=0.3).shape
    torch.Size([3, 3, 16, 16])
    """

    name: ClassVar[str] = "laplacian"
    summary: ClassVar[str] = "detail, shadow and brightness by multi-layer Laplacian filters"
    identity: Mapping[str, float] | None = {}
    parameters_spec: Mapping[str, Parameter] = {
        "detail": Parameter(
            -1,
            5,
            0,
            "gain of fine structure: -1 smooths it away, 1 doubles it",
            levels=6,
            grid=(-1.0, 0.0, 1.0, 2.0, 3.5, 5.0),
        ),
        "shadow": Parameter(-1, 1, 0, "lifts or deepens dark tones; light ones stay"),
        "brightness": Parameter(-1, 1, 0, "lifts or lowers middle tones; black and white stay"),
        "saturation": Parameter(
            0,
            1,
            1,
            "how far colour follows luma: 1 keeps the ratio, 0 the difference",
            tuned=False,
        ),
        "h": Parameter(
            0.05,
            0.4,
            0.15,
            "luma difference that counts as an edge",
            scale="log",
            tuned=False,
            stage="analyse",
        ),
        "dilation": Parameter(
            1,
            8,
            2,
            f"scale of the detail, in pixels of a photo whose long side is {REFERENCE}",
            unit="px",
            levels=4,
            grid=(1.0, 2.0, 4.0, 8.0),
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
    ) -> LaplacianLayers:
        """Split luma into base and boost; see `Operator.analyse`."""
        check_image(image)
        if settings is None:
            settings = self.complete({}, like=image)
        luma = luma_of(image)
        shape = broadcast_shapes(settings["h"].shape, settings["dilation"].shape, luma.shape[:-2])
        plane = luma.shape[-2:]
        planes = luma.expand(*shape, *plane).reshape(-1, *plane)
        h = settings["h"].expand(shape).reshape(-1)
        steps = [
            step_in_pixels(dilation, extent or (plane[0], plane[1]))
            for dilation in settings["dilation"].expand(shape).reshape(-1).tolist()
        ]
        groups = {step: [n for n, own in enumerate(steps) if own == step] for step in steps}
        if len(groups) == 1:
            base, boost = split(planes, h, steps[0])
        else:
            parts = [split(planes[own], h[own], step) for step, own in groups.items()]
            order = torch.tensor([n for own in groups.values() for n in own]).argsort()
            base, boost = (torch.cat(kind)[order] for kind in zip(*parts, strict=True))
        return LaplacianLayers(
            image, luma, base.reshape(*shape, *plane), boost.reshape(*shape, *plane)
        )

    def render(self, layers: LaplacianLayers, settings: Settings) -> Tensor:
        """Render each setting: tone of the base, boosted detail, colour; see `Operator.render`."""
        values = [settings[name] for name in ("detail", "shadow", "brightness", "saturation")]
        planes = [layers.image, layers.luma, layers.base, layers.boost]
        shape = broadcast_shapes(layers.base.shape[:-2], *(value.shape for value in values))
        tensors = planes + values
        differentiated = torch.is_grad_enabled() and any(t.requires_grad for t in tensors)
        if not differentiated and layers.luma.dtype == torch.float32 and usable(*tensors):
            return _render_compiled(planes, values, shape)
        return in_strips(_render, planes, values, math.prod(shape))

    def halo(self, extent: tuple[int, int], settings: Settings | None = None) -> int:
        """Reach of the window: `RADIUS` steps."""
        return RADIUS * step_in_pixels(self.largest("dilation", settings), extent)


def _render(
    image: Tensor,
    luma: Tensor,
    base: Tensor,
    boost: Tensor,
    detail: Tensor,
    shadow: Tensor,
    brightness: Tensor,
    saturation: Tensor,
) -> Tensor:
    detail, shadow, brightness, saturation = (
        value[..., None, None] for value in (detail, shadow, brightness, saturation)
    )
    toned = _tone(base, shadow, brightness)
    target = luma + (toned - base) + detail * boost
    # chroma times (Y'/Y)^saturation; written so that nothing at all happens where Y' = Y
    ratio = (target.clamp_min(0) + DARK) / (luma.clamp_min(0) + DARK)
    gain = torch.exp2(saturation * ratio.log2())
    offset = target - luma * gain
    change = torch.addcmul(offset.unsqueeze(-3), image, (gain - 1).unsqueeze(-3))
    return within_range(image, change)


def _tone(base: Tensor, shadow: Tensor, brightness: Tensor) -> Tensor:
    """Monotone curve on [0, 1] that fixes 0 and 1."""
    lift, bend = _curve(shadow, brightness)
    bright = base / (1 + bend * (1 - base))
    light = 1 - bright
    return torch.addcmul(bright, lift * bright, light * light * light)


def _curve(shadow: Tensor, brightness: Tensor) -> tuple[Tensor, Tensor]:
    """Lift of the shadows and bend of the whole, the two coefficients of `_tone`."""
    bend = 2 / (1 + 0.8 * brightness) - 2  # Schlick's 1 / beta - 2, beta = (1 + .8 b) / 2
    # reaches 2.5 and -.9 at the bounds without a kink at zero, where every search begins
    ratio = SHADOW_UP / SHADOW_DOWN
    scale = SHADOW_UP / (ratio - 1)
    return scale * torch.expm1(shadow * math.log(ratio)), bend


def _render_compiled(planes: list[Tensor], values: list[Tensor], shape: torch.Size) -> Tensor:
    image = planes[0]
    detail, shadow, brightness, saturation = values
    numbers = [
        value.expand(shape).flatten().tolist()
        for value in (detail, *_curve(shadow, brightness), saturation)
    ]
    size = image.shape[-3:]
    target = image.new_empty(*shape, *size)
    own = [image.expand(*shape, *size), *(p.expand(*shape, *size[1:]) for p in planes[1:]), target]
    places = itertools.product(*(range(count) for count in shape))
    items = [
        [*(plane[place] for plane in own), *setting]
        for place, *setting in zip(places, *numbers, strict=True)
    ]
    share(laplacian_kernels.render, items, size[1], target.numel())
    return target
