"""Distances of the domain transform, with their adjoint written by hand."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

DIMS = (-1, -2)


def distances(guide: Tensor, inverse_s: Tensor, inverse_r: Tensor) -> tuple[Tensor, Tensor]:
    """The paper's ``d = 1 + sigma_s / sigma_r |I'|`` over sigma_s, in rows and in columns.

    Args:
        guide: ``(B, C, H, W)``; differences are summed over its channels.
        inverse_s, inverse_r: one over each sigma, ``(K, 1, 1)`` or ``(1, 1)``.

    Returns:
        ``(N, H, W - 1)`` and ``(N, H - 1, W)``, N being what B and K broadcast to.

    >>> step = torch.tensor([[0.0, 0.5]]).reshape(1, 1, 1, 2)
    >>> distances(step, torch.full((1, 1), 0.25), torch.full((1, 1), 2.0))[0]
    tensor([[[1.2500]]])
    """
    across, down = _Distances.apply(guide, inverse_s, inverse_r)
    return across, down


class _Distances(torch.autograd.Function):
    """One node of the graph: torch's own would keep a plane for each channel and direction."""

    @staticmethod
    def forward(
        ctx: Any, guide: Tensor, inverse_s: Tensor, inverse_r: Tensor
    ) -> tuple[Tensor, Tensor]:
        ctx.save_for_backward(guide, inverse_s, inverse_r)
        across, down = (torch.addcmul(inverse_s, inverse_r, _steps(guide, dim)) for dim in DIMS)
        return across, down

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        guide, inverse_s, inverse_r = ctx.saved_tensors
        guide_grad = s_grad = r_grad = None
        if ctx.needs_input_grad[1]:
            first, second = (grad.sum_to_size(inverse_s.shape) for grad in grads)
            s_grad = first + second
        if ctx.needs_input_grad[2]:
            first, second = (
                (grad * _steps(guide, dim)).sum_to_size(inverse_r.shape)
                for grad, dim in zip(grads, DIMS, strict=True)
            )
            r_grad = first + second
        if ctx.needs_input_grad[0]:
            guide_grad = torch.zeros_like(guide, memory_format=torch.contiguous_format)
            for grad, dim in zip(grads, DIMS, strict=True):
                pull = (grad * inverse_r).sum_to_size(len(guide), *grad.shape[-2:])
                for values, total in zip(guide.unbind(-3), guide_grad.unbind(-3), strict=True):
                    force = values.diff(dim=dim).sign_().mul_(pull)
                    total.narrow(dim, 1, force.shape[dim]).add_(force)
                    total.narrow(dim, 0, force.shape[dim]).sub_(force)
        return guide_grad, s_grad, r_grad


def _steps(guide: Tensor, dim: int) -> Tensor:
    """Absolute differences of neighbours, summed over the channels one by one to spare memory."""
    first, *others = guide.unbind(-3)
    total = first.diff(dim=dim).abs_()
    for channel in others:
        total.add_(channel.diff(dim=dim).abs_())
    return total
