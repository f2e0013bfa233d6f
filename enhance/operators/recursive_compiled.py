"""The domain transform by compiled loops: distances, recursive filter, and the adjoint of both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from enhance.operators import adjoint_kernels, scan_kernels
from enhance.operators.compiled import share


def smooth(
    image: Tensor,
    guide: Tensor | None,
    inverse_s: Tensor,
    inverse_r: Tensor,
    rates: Sequence[float],
) -> Tensor:
    """The recursive filter of `enhance.operators.recursive` with the distances of `guide`.

    Args:
        image, guide: ``(B, C, H, W)`` and ``(B, C', H, W)``, as `compiled.usable` wants them.
            None lets the image guide itself: both its gradients then are one plane's, added as
            they arise.
        inverse_s, inverse_r: ``(B, 1, 1)``; neighbours that differ by ``s``, summed over the
            guide's channels, are ``inverse_s + inverse_r s`` apart.
        rates: one number an iteration, each twice the one before.
    """
    settings = image if guide is None else guide, inverse_s, inverse_r
    keep = torch.is_grad_enabled() and any(value.requires_grad for value in settings)
    smoothed: Tensor = _Smooth.apply(image, guide, inverse_s, inverse_r, tuple(rates), keep)
    return smoothed


class _Smooth(torch.autograd.Function):
    """The whole filter as one node; what goes into each iteration is kept for the weights' adjoint.

    What lies between its rows and its columns is filtered again: fresh memory would take longer.
    Where the image's gradient alone is wanted, which the weights tell, nothing else is kept.
    """

    @staticmethod
    def forward(
        ctx: Any,
        image: Tensor,
        guide: Tensor | None,
        inverse_s: Tensor,
        inverse_r: Tensor,
        rates: tuple[float, ...],
        keep: bool,
    ) -> Tensor:
        # those of the first iteration; later ones are their squares
        slope, offset = -rates[0] * inverse_r, -rates[0] * inverse_s
        steps = _steps(image if guide is None else guide)
        weights = [step.mul_(slope).add_(offset).exp_() for step in steps]
        states, between = [image], _empty(image, *image.shape)
        for number in range(len(rates)):
            state = _empty(image, *image.shape) if keep else between
            _share(scan_kernels.scan_rows, [states[-1], between, weights[0]], [number], 0)
            _share(scan_kernels.scan_columns, [between, state, weights[1]], [number], 1)
            states.append(state)
        ctx.rates, ctx.keep = rates, keep
        ctx.save_for_backward(guide, inverse_r, *weights, *(states if keep else ()))
        return states[-1]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        guide, inverse_r, *weights = ctx.saved_tensors[:4]
        states, rates = ctx.saved_tensors[4:], ctx.rates
        grad = _empty(grad, *grad.shape).copy_(grad)
        if ctx.keep:
            slopes = [_empty(weight, *weight.shape).zero_() for weight in weights]
            between = _empty(grad, *grad.shape)
        for number in reversed(range(len(rates))):
            numbers = [number, rates[number]]
            rows: list[Tensor | None] = [grad, weights[0], None, None, None]
            columns: list[Tensor | None] = [grad, weights[1], None, None, None]
            if ctx.keep:
                before, after = states[number : number + 2]
                _share(scan_kernels.scan_rows, [before, between, weights[0]], [number], 0)
                rows[2:] = before, between, slopes[0]
                columns[2:] = between, after, slopes[1]
            _share(adjoint_kernels.adjoint_columns, columns, numbers, 1)
            _share(adjoint_kernels.adjoint_rows, rows, numbers, 0)
        if not ctx.keep:
            return grad, None, None, None, None, None
        guide_grad = s_grad = r_grad = None
        own = guide is None
        guide = states[0] if own else guide
        if ctx.needs_input_grad[2]:
            s_grad = _total(slopes)
        if ctx.needs_input_grad[3]:
            r_grad = _total([a.mul_(b) for a, b in zip(_steps(guide), slopes, strict=True)])
        if ctx.needs_input_grad[0 if own else 1]:
            if not own:
                guide_grad = _empty(guide, *guide.shape).zero_()
            pulls = [slope.mul_(inverse_r) for slope in slopes]
            target = grad if own else guide_grad
            _share(scan_kernels.steps_adjoint, [guide, *pulls, target], [], 0)
        return grad, guide_grad, s_grad, r_grad, None, None


def _total(planes: Sequence[Tensor]) -> Tensor:
    """Sum over all pixels of all planes ``(B, H, W)``: ``(B, 1, 1)``."""
    first, second = (plane.sum((-2, -1), keepdim=True) for plane in planes)
    return first + second


def _steps(guide: Tensor) -> tuple[Tensor, Tensor]:
    """Absolute differences of neighbours: ``(B, H, W - 1)`` in rows, ``(B, H - 1, W)`` in columns.

    Summed over channels.
    """
    batch, _, height, width = guide.shape
    across = _empty(guide, batch, height, width - 1)
    down = _empty(guide, batch, height - 1, width)
    _share(scan_kernels.steps, [guide, across, down], [], 0)
    return across, down


def _empty(like: Tensor, *shape: int) -> Tensor:
    """Memory by torch, in small pages.

    NumPy asks for large ones: a third faster where they are at hand, three times as slow to touch
    first where a virtual machine has given its free memory back to the host.
    """
    return torch.empty(shape, dtype=like.dtype)


def _share(
    function: Callable[..., None],
    planes: Sequence[Tensor | None],
    numbers: Sequence[float],
    axis: int,
) -> None:
    """Run a kernel on each image of a batch, its rows (axis 0) or columns among threads."""
    first = planes[0]
    assert first is not None  # a kernel works on something
    batch, _, *size = first.shape
    items: list[list[Tensor | float | None]] = [
        [*(None if plane is None else plane[b] for plane in planes), *numbers] for b in range(batch)
    ]
    share(function, items, size[axis], first.numel())
