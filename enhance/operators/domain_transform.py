"""Edge-aware smoothing by the domain transform, in its recursive form.

Gastal and Oliveira, "Domain Transform for Edge-Aware Image and Video Processing", SIGGRAPH
2011: distances along rows and columns are stretched where a guide changes, and a first-order
recursive filter runs over them in both directions, N times with halving widths.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from enhance.errors import ImageError, ParameterError


def domain_transform(
    image: Tensor,
    guide: Tensor | None = None,
    sigma_s: float | Tensor = 20.0,
    sigma_r: float | Tensor = 0.3,
    iterations: int = 3,
) -> Tensor:
    """Smooth an image along, not across, the edges of a guide.

    Equals ``cv2.ximgproc.dtFilter(guide, image, sigma_s, sigma_r, mode=DTF_RF)`` and is
    differentiable to `image`, `guide`, `sigma_s` and `sigma_r`. Constants are preserved and the
    output stays within the input's range; the mean is not preserved. Half-precision inputs are
    worked on in float32.

    Args:
        image: ``(B, C, H, W)``, any number of channels and any range.
        guide: ``(B, C', H, W)`` or ``(1, C', H, W)``; its edges are kept. None means `image`.
        sigma_s: spatial width in pixels, positive; a number or a tensor that broadcasts
            against ``(B,)``: ``(K,)`` on one image gives ``(K, C, H, W)``.
        sigma_r: how large a difference of the guide, summed over its channels, counts as an
            edge, in units of the guide; positive; shaped like `sigma_s`.
        iterations: N of the paper; 3 leaves no visible stripes.

    Returns:
        The smoothed image, in the dtype of `image`.

    Raises:
        ImageError: shapes that do not fit each other.
        ParameterError: a sigma or `iterations` that is not positive.

    >>> image = torch.rand(1, 3, 8, 8)
    >>> domain_transform(image, sigma_s=torch.tensor([1.0, 4.0])).shape
    torch.Size([2, 3, 8, 8])
    """
    guide = image if guide is None else guide
    if image.ndim != 4 or guide.ndim != 4 or image.shape[-2:] != guide.shape[-2:]:
        raise ImageError(
            "image and guide must be (B, C, H, W) of one height and width, "
            f"got {tuple(image.shape)} and {tuple(guide.shape)}"
        )
    if iterations < 1:
        raise ParameterError(f"iterations must be at least 1, got {iterations}")
    half = image.dtype in (torch.float16, torch.bfloat16)
    working = image.float() if half else image
    guide = guide.to(working.dtype)
    inverse_s = _inverse("sigma_s", sigma_s, working)
    inverse_r = _inverse("sigma_r", sigma_r, working)
    batch = _batch(working, guide, inverse_s, inverse_r)
    # the paper's distance d = 1 + sigma_s / sigma_r |I'|, over sigma_s
    across = inverse_s + inverse_r * guide.diff(dim=-1).abs().sum(-3)
    down = inverse_s + inverse_r * guide.diff(dim=-2).abs().sum(-3)
    smoothed: Tensor = _Recursive.apply(
        working.expand(*batch, -1, -1, -1),
        across.expand(*batch, -1, -1),
        down.expand(*batch, -1, -1),
        iterations,
    )
    return smoothed.to(image.dtype)


class DomainTransform(nn.Module):
    """`domain_transform` with fixed settings.

    >>> DomainTransform(sigma_s=3.0)(torch.rand(1, 3, 8, 8)).shape
    torch.Size([1, 3, 8, 8])
    """

    def __init__(
        self,
        sigma_s: float | Tensor = 20.0,
        sigma_r: float | Tensor = 0.3,
        iterations: int = 3,
    ) -> None:
        super().__init__()
        self.sigma_s = sigma_s
        self.sigma_r = sigma_r
        self.iterations = iterations

    def forward(self, image: Tensor, guide: Tensor | None = None) -> Tensor:
        """Smooth ``(B, C, H, W)``; see `domain_transform`."""
        return domain_transform(image, guide, self.sigma_s, self.sigma_r, self.iterations)


def _inverse(name: str, sigma: float | Tensor, like: Tensor) -> Tensor:
    """1 / sigma, shaped ``(K, 1, 1)`` or ``(1, 1)``."""
    values = torch.as_tensor(sigma, dtype=like.dtype, device=like.device)
    if not bool((values > 0).all()):
        worst = values.detach().min().item()
        raise ParameterError(f"{name} must be greater than 0, got {worst:g}")
    return 1 / values[..., None, None]


def _batch(image: Tensor, guide: Tensor, inverse_s: Tensor, inverse_r: Tensor) -> torch.Size:
    """The common batch shape ``(B,)`` of everything that is given."""
    shapes = [image.shape[:1], guide.shape[:1], inverse_s.shape[:-2], inverse_r.shape[:-2]]
    try:
        batch = torch.broadcast_shapes(*shapes)
    except RuntimeError:
        batch = torch.Size()
    if len(batch) != 1:
        got = ", ".join(str(tuple(shape)) for shape in shapes)
        raise ImageError(
            f"image, guide, sigma_s and sigma_r must broadcast to one batch (B,), got {got}"
        )
    return batch


def _rates(iterations: int) -> list[float]:
    """``sqrt(2) sigma_s / sigma_i`` of each iteration (equation 14 of the paper)."""
    return [
        math.sqrt(2 * (4**iterations - 1) / 3) / 2 ** (iterations - i)
        for i in range(1, iterations + 1)
    ]


class _Recursive(torch.autograd.Function):
    """All iterations, with the adjoint written by hand.

    With ``w = exp(-rate * distance)`` one direction is ``y[n] = x[n] + w[n] (y[n-1] - x[n])``.
    Its adjoint is ``g[n] = dy[n] + w[n+1] g[n+1]``, ``dx = (1 - w) g`` and, because
    ``y[n-1] - y[n] = (1 - w) (y[n-1] - x[n])``, ``dw = g (y[n-1] - y[n]) / (1 - w)``: each
    direction's output is all that needs to be kept.
    """

    @staticmethod
    def forward(ctx: Any, image: Tensor, across: Tensor, down: Tensor, iterations: int) -> Tensor:
        keep = any(ctx.needs_input_grad[1:3])
        distances = _columns_first(across, down)
        state = image.clone(memory_format=torch.contiguous_format)
        kept: list[Tensor] = []
        for rate in _rates(iterations):
            for distance in distances:
                # scanning rows of the transpose is scanning columns, but in contiguous memory
                state = state.transpose(-1, -2).contiguous()
                weights = torch.exp(distance * -rate)
                for backwards in (False, True):
                    _scan(state, weights, backwards)
                    if keep:
                        kept.append(state.clone())
        ctx.iterations = iterations
        ctx.save_for_backward(across, down, *kept)
        return state

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor | None, Tensor | None, None]:
        across, down, *kept = ctx.saved_tensors
        distances = _columns_first(across, down)
        distance_grads = [torch.zeros_like(distance) for distance in distances]
        state = grad.clone(memory_format=torch.contiguous_format)
        for rate in reversed(_rates(ctx.iterations)):
            for distance, distance_grad in zip(distances[::-1], distance_grads[::-1], strict=True):
                weights = torch.exp(distance * -rate)
                for backwards in (True, False):
                    _scan_adjoint(state, weights, backwards)
                    reached = state[..., :-1, :] if backwards else state[..., 1:, :]
                    if kept:
                        output = kept.pop()
                        step = output[..., :-1, :] - output[..., 1:, :]
                        gain = (step.mul_(reached)).sum(-3, keepdim=True)
                        # dw/d(distance) = -rate w, and w / (1 - w) = 1 / expm1(rate distance)
                        gain /= torch.expm1(distance * rate)
                        distance_grad.add_(gain, alpha=rate if backwards else -rate)
                    reached.addcmul_(weights, reached, value=-1)
                state = state.transpose(-1, -2).contiguous()
        if not any(ctx.needs_input_grad[1:3]):
            return state, None, None, None
        across_grad, down_grad = (distance_grad.squeeze(-3) for distance_grad in distance_grads)
        return state, across_grad.transpose(-1, -2), down_grad, None


def _columns_first(across: Tensor, down: Tensor) -> Sequence[Tensor]:
    """Distances shaped ``(B, 1, L - 1, M)``: steps along the scan, then independent lines."""
    return (
        across.transpose(-1, -2).contiguous().unsqueeze(-3),
        down.contiguous().unsqueeze(-3),
    )


def _scan(state: Tensor, weights: Tensor, backwards: bool) -> None:
    """Filter in place along the second last axis, in one direction."""
    rows, links = state.unbind(-2), weights.unbind(-2)
    if backwards:
        rows, links = rows[::-1], links[::-1]
    for previous, row, weight in zip(rows, rows[1:], links, strict=False):
        row.lerp_(previous, weight)


def _scan_adjoint(grad: Tensor, weights: Tensor, backwards: bool) -> None:
    """``g[n] = dy[n] + w[n+1] g[n+1]`` in place, against the direction of `_scan`."""
    rows, links = grad.unbind(-2), weights.unbind(-2)
    if not backwards:
        rows, links = rows[::-1], links[::-1]
    for following, row, weight in zip(rows, rows[1:], links, strict=False):
        row.addcmul_(weight, following)
