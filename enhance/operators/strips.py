"""Pointwise work in strips of rows, so that its temporaries stay in the processor's cache."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

STRIP = 1 << 16  # pixels worked on at once


def in_strips(
    function: Callable[..., Tensor],
    planes: Sequence[Tensor],
    values: Sequence[Tensor],
    count: int,
) -> Tensor:
    """``function(*planes, *values)``, a strip of rows at a time.

    The backward pass computes each strip again instead of keeping its temporaries: less memory,
    and on batches less time than a graph of the whole.

    Args:
        function: pointwise in space; gives ``(..., H, W)``.
        planes: tensors ``(..., H, W)``, cut into strips.
        values: tensors without spatial dimensions, handed to every strip.
        count: renderings that one pixel takes part in; more of them make strips thinner.

    >>> ramp = torch.linspace(0, 1, 12).reshape(1, 4, 3)
    >>> torch.equal(in_strips(torch.mul, [ramp], [torch.tensor(2.0)], 1), 2 * ramp)
    True
    """
    height, width = planes[0].shape[-2:]
    rows = max(1, STRIP // (width * max(1, count)))
    if rows >= height:
        return function(*planes, *values)
    result: Tensor = _InStrips.apply(function, rows, len(planes), *planes, *values)
    return result


class _InStrips(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, function: Callable[..., Tensor], rows: int, planes: int, *inputs: Tensor
    ) -> Tensor:
        ctx.save_for_backward(*inputs)
        ctx.function, ctx.rows, ctx.planes = function, rows, planes
        height, width = inputs[0].shape[-2:]
        result: Tensor | None = None
        for strip in _strips(height, rows):
            part = function(*(_cut(t, strip) for t in inputs[:planes]), *inputs[planes:])
            if result is None:
                result = part.new_empty(*part.shape[:-2], height, width)
            result[..., strip, :] = part
        assert result is not None  # an image has at least one row
        return result

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        inputs = ctx.saved_tensors
        needed = [n for n, need in enumerate(ctx.needs_input_grad[3:]) if need]
        totals = {n: torch.zeros_like(inputs[n]) for n in needed}
        for strip in _strips(inputs[0].shape[-2], ctx.rows):
            parts = [
                (_cut(tensor, strip) if n < ctx.planes else tensor)
                .detach()
                .requires_grad_(n in totals)
                for n, tensor in enumerate(inputs)
            ]
            with torch.enable_grad():
                part = ctx.function(*parts)
                # the product's gradient is that of the part with `grad` as its outputs', which
                # autograd.grad takes too, but its first such call loads sympy: half a second
                product = torch.dot(part.flatten(), _cut(grad, strip).flatten())
            own_gradients = torch.autograd.grad(product, [parts[n] for n in needed])
            for n, own in zip(needed, own_gradients, strict=True):
                total = _cut(totals[n], strip) if n < ctx.planes else totals[n]
                total += own
        return (None, None, None, *(totals.get(n) for n in range(len(inputs))))


def _strips(height: int, rows: int) -> Iterator[slice]:
    return (slice(top, min(top + rows, height)) for top in range(0, height, rows))


def _cut(plane: Tensor, strip: slice) -> Tensor:
    return plane[..., strip, :]
