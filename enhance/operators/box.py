"""Means over squares."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional


def box_mean(plane: Tensor, radius: int) -> Tensor:
    """Mean of ``(B, C, H, W)`` over squares of side ``2 radius + 1``, borders repeated.

    Sums of 1, 2, 4 ... neighbours are added up, so that a square costs the logarithm of its
    side; pooling costs the side itself, and differences of running sums cost digits.
    Differentiable.

    >>> import torch
    >>> box_mean(torch.arange(5.0).reshape(1, 1, 1, 5), 1).flatten()
    tensor([0.3333, 1.0000, 2.0000, 3.0000, 3.6667])
    """
    side = 2 * radius + 1
    sums = functional.pad(plane, (radius,) * 4, mode="replicate")
    for dim in (-1, -2):
        sums = _sums(sums, side, dim)
    return sums / side**2


def _sums(plane: Tensor, side: int, dim: int) -> Tensor:
    """Sums of `side` neighbours, an odd number, wherever that many are."""
    count = plane.shape[dim] - side + 1
    total, done, width = plane.narrow(dim, 0, count), 1, 1
    while done < side:
        size = plane.shape[dim] - width
        plane = plane.narrow(dim, 0, size) + plane.narrow(dim, width, size)
        width *= 2
        if side & width:
            total = total + plane.narrow(dim, done, count)
            done += width
    return total
