"""Turbo denoising by compiled loops, where no gradient is asked for."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from enhance.operators import turbo_kernels
from enhance.operators.batching import broadcast_shapes
from enhance.operators.compiled import share, usable


def able(*tensors: Tensor) -> bool:
    """Whether the loops below can take these, of one type, without cutting off a gradient."""
    if torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors):
        return False
    return usable(*tensors) and len({tensor.dtype for tensor in tensors}) == 1


def split(image: Tensor, bell: Sequence[float]) -> tuple[Tensor, Tensor, Tensor]:
    """Luma, colour differences, and luma blurred by `bell`: ``(B, C, H, W)`` each."""
    batch, _, *size = image.shape
    light = image.new_empty(batch, 1, *size)
    chroma = image.new_empty(batch, 2, *size)
    _each(turbo_kernels.split, [image, light, chroma], [])
    return light, chroma, _window(light, None, image.new_tensor(bell))


def level(blurred: Tensor, noise: Tensor, tilt: Tensor) -> tuple[Tensor, Tensor]:
    """Guide and variance of the noise, each with the batch shape of what it depends on."""
    batch, size = blurred.shape[:-3], blurred.shape[-3:]
    guide = blurred.new_empty(*broadcast_shapes(batch, tilt.shape), *size)
    _each(turbo_kernels.guide, [blurred, guide], [tilt])
    shape = broadcast_shapes(batch, tilt.shape, noise.shape)
    variance = blurred.new_empty(*shape, *size)
    _each(turbo_kernels.variance, [blurred, variance], [tilt, noise])
    return guide, variance


def blend(
    image: Tensor,
    light: Tensor,
    chroma: Tensor,
    smooth_light: Tensor,
    smooth_chroma: Tensor,
    variance: Tensor,
    *values: Tensor,
    sides: tuple[int, int],
) -> Tensor:
    """The rendering; energies of what luma and colour lost are means over squares of `sides`."""
    pairs = (light, smooth_light), (chroma, smooth_chroma)
    energies = [
        _window(*pair, image.new_full((side,), 1 / side))
        for pair, side in zip(pairs, sides, strict=True)
    ]
    planes = [image, *pairs[0], *pairs[1], *energies, variance]
    shapes = [plane.shape[:-3] for plane in planes]
    shape = broadcast_shapes(*shapes, *(value.shape for value in values))
    target = image.new_empty(*shape, *image.shape[-3:])
    _each(turbo_kernels.blend, [*planes, target], values)
    return target


def _window(plane: Tensor, smooth: Tensor | None, weights: Tensor) -> Tensor:
    shape = plane.shape if smooth is None else broadcast_shapes(plane.shape, smooth.shape)
    target = plane.new_empty(*shape[:-3], 1, *shape[-2:])
    _each(turbo_kernels.window, [plane, smooth, target], [], weights)
    return target


def _each(
    kernel: Callable[..., None],
    planes: Sequence[Tensor | None],
    values: Sequence[Tensor],
    *others: Tensor,
) -> None:
    """Run a kernel once for each place of the joint batch, with `others` the same at each.

    The last plane that is not None is written to, so that it must have the whole batch.
    """
    given = [plane for plane in planes if plane is not None]
    shape = given[-1].shape[:-3]
    spread = [p if p is None else p.expand(*shape, *p.shape[-3:]) for p in planes]
    numbers = [value.expand(shape).flatten().tolist() for value in values]
    places = itertools.product(*(range(count) for count in shape))
    items = [
        [*(None if plane is None else plane[place] for plane in spread), *others, *setting]
        for place, *setting in zip(places, *numbers, strict=True)
    ]
    share(kernel, items, given[-1].shape[-2], given[-1].numel())
