"""What a strategy returns, and how it reports progress."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Search:
    """Every point a strategy tried, in order.

    Attributes:
        points: ``(N, D)`` in the unit cube, float64.
        values: ``(N,)`` objective values, float64.
        study: the Optuna study, where Optuna ran.
    """

    points: Tensor
    values: Tensor
    study: Any = None

    @property
    def best(self) -> int:
        """Index of the highest value; the first of equals."""
        return int(torch.argmax(self.values))

    @property
    def point(self) -> Tensor:
        """The best point ``(D,)``."""
        return self.points[self.best]

    @property
    def value(self) -> float:
        """The best value."""
        return float(self.values[self.best])


def evenly_spread(dimensions: int, count: int, seed: int = 0) -> Tensor:
    """`count` points ``(count, D)`` of the unit cube without clusters or gaps, float64.

    The first of a scrambled Sobol sequence; the same seed gives the same points.

    >>> evenly_spread(2, 5).shape
    torch.Size([5, 2])
    """
    engine = torch.quasirandom.SobolEngine(dimensions, scramble=True, seed=seed)
    return engine.draw(count, dtype=torch.float64)


def silent(done: int, total: int) -> None:
    """Report no progress."""
