"""Settings matched with the images that they are for."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def broadcast_shapes(*shapes: tuple[int, ...]) -> torch.Size:
    """As `torch.broadcast_shapes`, whose first call loads sympy: half a second.

    >>> broadcast_shapes((3, 1), (2,))
    torch.Size([3, 2])
    """
    return torch.Size(np.broadcast_shapes(*shapes))


def paired(planes: Tensor, *values: Tensor) -> tuple[torch.Size, Tensor, tuple[Tensor, ...]]:
    """One plane for each setting: the joint batch shape, flat planes and flat values.

    Args:
        planes: ``(B, C, H, W)``.
        values: shapes that broadcast against ``(B,)``.

    Returns:
        The broadcast shape, planes ``(N, C, H, W)`` and values ``(N,)``, with N its size.

    >>> shape, planes, (h,) = paired(torch.zeros(2, 1, 4, 4), torch.ones(3, 1))
    >>> shape, planes.shape, h.shape
    (torch.Size([3, 2]), torch.Size([6, 1, 4, 4]), torch.Size([6]))
    """
    shape = broadcast_shapes(planes.shape[:1], *(value.shape for value in values))
    flat = planes.expand(*shape, *planes.shape[1:]).reshape(-1, *planes.shape[1:])
    return shape, flat, tuple(value.expand(shape).reshape(-1) for value in values)
