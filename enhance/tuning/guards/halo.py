"""Bright and dark seams along edges."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from enhance.tuning.guards.evidence import Evidence, GuardReport
from enhance.tuning.guards.local import light, quantile

RADIUS = 6
"""Pixels around an edge in which a halo is looked for."""
EDGE = 0.15
"""Range of luma within that radius that counts as an edge."""
_LEVELS = 33


@dataclass(frozen=True)
class Halo:
    """How far luma near edges leaves the range that its surroundings had, both as rendered.

    A curve that is the same everywhere in a view moves a pixel and its surroundings alike and
    cannot overshoot; it is read from the view itself, as the mean luma after for each luma
    before. The value is the 99th percentile over the pixels near edges, 0 where there are none.
    """

    limit: float = 0.06
    name: str = "halo"

    def check(self, evidence: Evidence) -> GuardReport:
        before, after = light(evidence.before, 3), light(evidence.after, 3)
        high = _highest(before)
        low = -_highest(-before)
        over = torch.stack(
            [
                torch.maximum(now - _curve(was, now, top), _curve(was, now, bottom) - now)
                for was, now, top, bottom in zip(before, after, high, low, strict=True)
            ]
        )
        value = max(0.0, quantile(over[high - low > EDGE], 0.99))
        finding = f"luma overshoots by {value:.3f} beside edges (limit {self.limit:g})"
        return GuardReport(self.name, value, self.limit, value <= self.limit, finding)


def _highest(plane: Tensor) -> Tensor:
    """Highest within `RADIUS` of each pixel, along rows, then columns: the same, sooner."""
    side, pad = 2 * RADIUS + 1, RADIUS
    rows = functional.max_pool2d(plane[:, None], (1, side), 1, (0, pad))
    return functional.max_pool2d(rows, (side, 1), 1, (pad, 0))[:, 0]


def _curve(before: Tensor, after: Tensor, at: Tensor) -> Tensor:
    """The tone curve that best explains ``(h, w)`` `after` by `before`, at the lumas `at`.

    What it adds is piecewise linear: each pixel counts for the two nodes around it. Nodes that
    no pixel is near add nothing.
    """
    left, share = _place(before)
    weight = torch.full((_LEVELS,), 1e-3, dtype=before.dtype, device=before.device)
    added = torch.zeros_like(weight)
    for index, part in ((left, 1 - share), (left + 1, share)):
        weight.index_add_(0, index.flatten(), part.flatten())
        added.index_add_(0, index.flatten(), (part * (after - before)).flatten())
    added = added / weight
    left, share = _place(at)
    return at + torch.lerp(added[left], added[left + 1], share)


def _place(plane: Tensor) -> tuple[Tensor, Tensor]:
    """Each luma's node to the left, and its share of the way to the next."""
    nodes = plane.clamp(0, 1) * (_LEVELS - 1)
    left = nodes.floor().long().clamp_max(_LEVELS - 2)
    return left, nodes - left
