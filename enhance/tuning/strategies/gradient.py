"""Climb the gradient through operator and frozen scorer, from a few good starts at once.

The starts are the best of a coarse scan that judges one or few views only, so that most of
the time goes into exact steps.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from enhance.tuning.objective import Objective
from enhance.tuning.search import Search, silent
from enhance.tuning.trust_region import climb

SCAN = 24
STARTS = 2


def search(
    objective: Objective,
    *,
    seed: int = 0,
    progress: Callable[[int, int], None] = silent,
    storage: str | None = None,
) -> Search:
    """Scan coarsely on few views, then climb from the untouched setting or the best scanned.

    Raises:
        ParameterError: the operator or the scorer passes no gradient on.
    """
    starts = _starts(objective, seed)
    return climb(objective.values_and_gradients, starts, progress=progress)


def _starts(objective: Objective, seed: int) -> Tensor:
    dimensions = len(objective.space.names)
    default = objective.space.defaults()[None]
    if dimensions == 0:
        return default
    sobol = torch.quasirandom.SobolEngine(dimensions, scramble=True, seed=seed)
    points = torch.cat([default, sobol.draw(SCAN, dtype=torch.float64)])
    few = objective.first(max(1, len(objective) // 8))
    order = few.values(points).argsort(descending=True, stable=True)
    return points[order[:STARTS]]
