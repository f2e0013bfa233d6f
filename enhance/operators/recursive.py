"""First-order recursive filtering along columns and rows, with its adjoint written by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from enhance.operators.threads import in_slabs

BLOCK = 1 << 16  # elements worked on at once, so that they stay in the processor's cache


def recursive_filter(image: Tensor, across: Tensor, down: Tensor, rates: Sequence[float]) -> Tensor:
    """Filter rows, then columns, forwards and backwards, once for each rate.

    One direction is ``y[n] = x[n] + w[n] (y[n-1] - x[n])`` with the weight
    ``w = exp(-rate * distance)`` between neighbours.

    Args:
        image: ``(B, C, H, W)``.
        across: ``(B, H, W - 1)`` distances between horizontal neighbours, not negative.
        down: ``(B, H - 1, W)``, the same for vertical ones.
        rates: one number an iteration, each twice the one before.

    >>> image = torch.rand(1, 1, 4, 5)
    >>> far = recursive_filter(image, torch.full((1, 4, 4), 1e3), torch.full((1, 3, 5), 1e3), [1.0])
    >>> torch.equal(far, image)
    True
    """
    filtered: Tensor = _Recursive.apply(image, across, down, tuple(rates))
    return filtered


class _Recursive(torch.autograd.Function):
    """The whole filter as one node of the graph.

    The adjoint of one direction is ``g[n] = dy[n] + w[n+1] g[n+1]``, ``dx = (1 - w) g`` and,
    because ``y[n-1] - y[n] = (1 - w) (y[n-1] - x[n])``, ``dw = g (y[n-1] - y[n]) / (1 - w)``:
    each direction's output is all that needs to be kept.
    """

    @staticmethod
    def forward(
        ctx: Any, image: Tensor, across: Tensor, down: Tensor, rates: tuple[float, ...]
    ) -> Tensor:
        keep = any(ctx.needs_input_grad[1:3])
        weights = [(distance * -rates[0]).exp_() for distance in _along_lines(across, down)]
        state = image.clone(memory_format=torch.contiguous_format)
        other = torch.empty_like(state.mT, memory_format=torch.contiguous_format)
        kept: list[Tensor] = []
        for iteration in range(len(rates)):
            for links in weights:
                if iteration:
                    links.square_()  # the rate has doubled
                turned = torch.empty_like(other) if keep else other
                state, other = _transpose(state, turned), state
                middle = torch.empty_like(state) if keep else None
                _scan(state, links, middle)
                if middle is not None:
                    kept += middle, state
        ctx.rates = rates
        ctx.save_for_backward(across, down, *kept)
        return state

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor | None, Tensor | None, None]:
        across, down, *kept = ctx.saved_tensors
        distances = _along_lines(across, down)
        distance_grads = [torch.zeros_like(distance) for distance in distances]
        weights = [torch.empty_like(distance) for distance in distances]
        state = grad.clone(memory_format=torch.contiguous_format)
        other = torch.empty_like(state.mT, memory_format=torch.contiguous_format)
        for rate in reversed(ctx.rates):
            for axis in (1, 0):
                links = torch.mul(distances[axis], -rate, out=weights[axis]).exp_()
                for backwards in (True, False):
                    output = kept.pop() if kept else None
                    _scan_adjoint(state, links, backwards, output, distance_grads[axis], rate)
                state, other = _transpose(state, other), state
        if not any(ctx.needs_input_grad[1:3]):
            return state, None, None, None
        across_grad, down_grad = (distance_grad.squeeze(-3) for distance_grad in distance_grads)
        return state, across_grad.mT, down_grad, None


def _along_lines(across: Tensor, down: Tensor) -> tuple[Tensor, Tensor]:
    """Both distances as ``(B, 1, L - 1, M)``: steps along the scan, then independent lines."""
    return across.mT.contiguous().unsqueeze(-3), down.contiguous().unsqueeze(-3)


def _transpose(state: Tensor, out: Tensor) -> Tensor:
    """Transposed copy, plane by plane: torch copies matrices in blocks, but not batches of them.

    Scanning rows of the transpose is scanning columns, in contiguous memory.
    """

    def work(lines: slice) -> None:
        for target, source in zip(out.flatten(0, 1), state.flatten(0, 1), strict=True):
            target[:, lines].copy_(source[lines].t())

    _among_threads(work, state, state.shape[-2])
    return out


def _scan(state: Tensor, links: Tensor, middle: Tensor | None) -> None:
    """Filter in place along the second last axis, both ways; `middle` gets what lay between."""

    def work(lines: slice) -> None:
        rows, weights = state[..., lines].unbind(-2), links[..., lines].unbind(-2)
        for previous, row, weight in zip(rows, rows[1:], weights, strict=False):
            row.lerp_(previous, weight)
        if middle is not None:
            middle[..., lines] = state[..., lines]
        for previous, row, weight in zip(rows[::-1], rows[-2::-1], weights[::-1], strict=False):
            row.lerp_(previous, weight)

    _among_threads(work, state, state.shape[-1])


def _scan_adjoint(
    grad: Tensor,
    links: Tensor,
    backwards: bool,
    output: Tensor | None,
    distance_grad: Tensor,
    rate: float,
) -> None:
    """Adjoint of `_scan` on `grad` in place; with its `output`, adds to `distance_grad`."""

    def work(lines: slice) -> None:
        g, w = grad[..., lines], links[..., lines]
        rows, weights = g.unbind(-2), w.unbind(-2)
        for block in _blocks(g, len(weights), forwards=backwards):
            order = (
                range(block.start, block.stop)
                if backwards
                else range(block.stop - 1, block.start - 1, -1)
            )
            for n in order:
                giver, taker = (n, n + 1) if backwards else (n + 1, n)
                rows[taker].addcmul_(weights[n], rows[giver])
            first, second = block, slice(block.start + 1, block.stop + 1)
            givers = g[..., first if backwards else second, :]
            weight = w[..., block, :]
            left = 1 - weight
            if output is not None:
                y = output[..., lines]
                step = y[..., first, :] - y[..., second, :]
                slope = step.mul_(givers).sum(-3, keepdim=True).mul_(weight)
                # a weight of one lets nothing change, so that its slope is zero over zero
                distance_grad[..., block, lines].addcdiv_(
                    slope, left.clamp_min(1e-30), value=rate if backwards else -rate
                )
            givers.mul_(left)

    _among_threads(work, grad, grad.shape[-1])


def _blocks(state: Tensor, count: int, *, forwards: bool) -> Iterator[slice]:
    """Cut `count` links into runs whose pixels fit into `BLOCK`, in scanning order."""
    batch, channels, _, lines = state.shape
    size = max(1, BLOCK // (batch * channels * max(1, lines)))
    starts = range(0, count, size)
    for start in starts if forwards else reversed(starts):
        yield slice(start, min(start + size, count))


def _among_threads(work: Callable[[slice], None], state: Tensor, lines: int) -> None:
    """Share independent lines in the processor's memory; another device has threads enough."""
    if state.device.type == "cpu":
        in_slabs(work, lines, state.numel())
    else:
        work(slice(None))
