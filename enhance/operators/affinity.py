"""Filters ``W = I + alpha (K - D)`` without normalisation, as fluxes between pairs of pixels.

``K`` is the affinity of two pixels in a 5x5 window, ``D`` its row sums. Because every pair is
visited once and what one pixel gains the other loses, ``W`` is symmetric and keeps the mean
exactly; with ``alpha = 1/25`` its weights are positive, so it never overshoots.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from enhance.operators import strips

ALPHA = 1 / 25
"""One over the window's area: the largest step at which no weight turns negative."""
RADIUS = 2
HALF_OFFSETS = tuple(
    (dy, dx) for dy in range(RADIUS + 1) for dx in range(-RADIUS, RADIUS + 1) if dy > 0 or dx > 0
)
"""Half of the 5x5 window: with the opposite half, each pair of pixels once."""
LOG2_E = math.log2(math.e)  # powers of two are three times as fast as powers of e


def fluxes(luma: Tensor, h: Tensor, dilation: int, levels: int) -> tuple[Tensor, Tensor]:
    """What pixels gain from their neighbours, per affinity level, and how unlike those are.

    Level 1 has the affinity ``K_ij = exp(-(y_i - y_j)^2 / h^2)``; each further level squares it
    elementwise, so it smooths less. Then ``W_l y = y + fluxes[l - 1]``.

    Args:
        luma: ``(N, H, W)``, the plane ``y``.
        h: ``(N,)`` or ``()``, the difference at which affinity falls to 1/e; positive.
        dilation: step of the 5x5 window in pixels.
        levels: number of affinity levels.

    Returns:
        ``(levels, N, H, W)`` fluxes, already times `ALPHA`; and ``(N, H, W)`` structure in
        [0, 24/25], the mean of ``1 - K`` over the window (neighbours outside the image count as
        alike), 0 where the image is flat.

    >>> flux, structure = fluxes(torch.full((1, 8, 8), 0.5), torch.tensor(0.15), 1, 2)
    >>> flux.abs().max().item(), structure.max().item()
    (0.0, 0.0)
    """
    flux, unlike = _Fluxes.apply(luma, h.expand(luma.shape[0]), dilation, levels)
    return flux, unlike


def _pairs(height: int, width: int, dilation: int, batch: int) -> list[tuple[Any, Any]]:
    """Index pairs (i, j) of all pixel pairs, cut into strips of rows, in row order."""
    rows = max(1, strips.STRIP // (width * batch))
    pairs = []
    for top in range(0, height, rows):
        for dy, dx in HALF_OFFSETS:
            down, right = dy * dilation, dx * dilation
            bottom = min(top + rows, height - down)
            if bottom <= top or abs(right) >= width:
                continue
            left, stop = max(0, -right), min(width, width - right)
            first = (..., slice(top, bottom), slice(left, stop))
            second = (..., slice(top + down, bottom + down), slice(left + right, stop + right))
            pairs.append((first, second))
    return pairs


def _neighbours(length: int, dilation: int, like: Tensor) -> Tensor:
    """How many of the window's five positions along one axis lie inside, per pixel."""
    position = torch.arange(length, device=like.device)
    inside = torch.zeros(length, dtype=like.dtype, device=like.device)
    for step in range(-RADIUS, RADIUS + 1):
        inside += (position + step * dilation >= 0) & (position + step * dilation < length)
    return inside


class _Fluxes(torch.autograd.Function):
    """Both results of `fluxes`, with an adjoint that recomputes the affinities: no pair is kept."""

    @staticmethod
    def forward(
        ctx: Any, luma: Tensor, h: Tensor, dilation: int, levels: int
    ) -> tuple[Tensor, Tensor]:
        ctx.save_for_backward(luma, h)
        ctx.dilation = dilation
        batch, height, width = luma.shape
        zero = luma.new_zeros(())
        scaled = luma / h[:, None, None]
        flux = luma.new_zeros(levels, batch, height, width)
        degree = torch.zeros_like(luma)
        for i, j in _pairs(height, width, dilation, batch):
            difference = scaled[j] - scaled[i]
            affinity = torch.addcmul(zero, difference, difference, value=-LOG2_E).exp2_()
            degree[i] += affinity
            degree[j] += affinity
            for level in range(levels):
                if level:
                    affinity *= affinity
                flux[level][i].addcmul_(affinity, difference)
                flux[level][j].addcmul_(affinity, difference, value=-1)
        flux *= (ALPHA * h)[:, None, None]
        inside = torch.outer(
            _neighbours(height, dilation, luma), _neighbours(width, dilation, luma)
        )
        unlike = degree.neg_().add_(inside - 1).mul_(ALPHA)
        return flux, unlike

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, flux_grad: Tensor, unlike_grad: Tensor
    ) -> tuple[Tensor, Tensor, None, None]:
        luma, h = ctx.saved_tensors
        batch, height, width = luma.shape
        zero = luma.new_zeros(())
        scaled = luma / h[:, None, None]
        # with d = (y_j - y_i) / h: flux_l = h d exp(-2^l d^2), unlike = 1 - exp(-d^2)
        pull = flux_grad * (ALPHA * h)[:, None, None]
        unlike_grad = unlike_grad * ALPHA
        scaled_grad = torch.zeros_like(luma)
        direct = torch.zeros_like(h)  # through the factor h of the flux
        for i, j in _pairs(height, width, ctx.dilation, batch):
            difference = scaled[j] - scaled[i]
            negative = torch.addcmul(zero, difference, difference, value=-1)
            affinity = (negative * LOG2_E).exp2_()
            slope = (unlike_grad[i] + unlike_grad[j]) * affinity * difference * 2
            for level, grad in enumerate(pull):
                if level:
                    affinity *= affinity
                pulled = (grad[i] - grad[j]) * affinity
                direct += (pulled * difference).sum((-2, -1))
                slope.add_(pulled).addcmul_(pulled, negative, value=float(2 << level))
            scaled_grad[j] += slope
            scaled_grad[i] -= slope
        luma_grad = scaled_grad / h[:, None, None]
        h_grad = (direct - (scaled_grad * scaled).sum((-2, -1))) / h
        return luma_grad, h_grad, None, None
