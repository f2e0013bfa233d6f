"""Local measurements that several guards share."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from enhance.operators.luma import luma

LEVEL = 1 / 255
"""One 8-bit level."""
NOTHING = 1e-10
"""Activity that is rounding."""
ENOUGH = 1 / 3
"""Share of a view that must show something for the rest of it not to count."""


def light(images: Tensor, window: int) -> Tensor:
    """Luma ``(V, h, w)`` of ``(V, 3, h, w)``, averaged over squares of this odd side."""
    return mean(luma(images), window)


def mean(plane: Tensor, window: int) -> Tensor:
    """Mean of ``(V, h, w)`` over squares, smaller at the borders."""
    radius = window // 2
    pooled = functional.avg_pool2d(plane[:, None], window, 1, radius, count_include_pad=False)
    return pooled[:, 0]


def activity(images: Tensor) -> Tensor:
    """Local mean square ``(V, h, w)`` of what a 3x3 mean takes out of the mean of the channels."""
    grey = images.mean(1)
    return mean((grey - mean(grey, 3)) ** 2, 5)


def quietest(measured: Tensor, share: float) -> Tensor:
    """Mask ``(V, h, w)`` of the pixels with the least of `measured` in their view.

    Bars and backgrounds of one colour do not count, where there is nothing to see, unless little
    else is there: of a drawing only its edges would be left.
    """
    limits, counted = [], measured > NOTHING
    for view, counts in zip(measured.flatten(1), counted.flatten(1), strict=True):
        some = view[counts]
        few = len(some) < ENOUGH * len(view)
        if few:
            counts.fill_(True)
        limits.append((view if few else some).quantile(share))
    return counted & (measured <= torch.stack(limits)[:, None, None])


def quantile(values: Tensor, share: float) -> float:
    """Quantile of a flat tensor of any length; 0 of an empty one."""
    if not len(values):
        return 0.0
    rank = min(len(values), max(1, round(share * len(values))))
    return float(torch.kthvalue(values, rank).values)
