"""Climb the gradient through operator and frozen scorer: coarse on few views, then on all.

A scan without gradient on few views finds the right hills, a climb on the same few views the
best of their tops, and a last climb on all views, which begins with the curvature learnt, only
has to correct it. Most of the evaluations are thus cheap ones.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from enhance.tuning.objective import Objective
from enhance.tuning.search import Search, evenly_spread, silent
from enhance.tuning.trust_region import climb

SCAN = 8
"""Points of the scan for each dimension, beside the default setting."""
STARTS = 2
COARSE_STEPS = 6
COARSE_GAIN = 4e-3
FINE_STEPS = 4


def search(
    objective: Objective,
    *,
    seed: int = 0,
    progress: Callable[[int, int], None] = silent,
    storage: str | None = None,
) -> Search:
    """Scan and climb on an eighth of the views, then climb on all of them.

    Raises:
        ParameterError: the operator or the scorer passes no gradient on.
    """
    few = fewer_views(objective)
    return climb_coarse_to_fine(objective, few, _best_of_scan(few, seed), progress)


def fewer_views(objective: Objective) -> Objective:
    """The objective on an eighth of its views, for the coarse part of a search."""
    return objective.first(max(1, len(objective) // 8))


def climb_coarse_to_fine(
    objective: Objective, few: Objective, starts: Tensor, progress: Callable[[int, int], None]
) -> Search:
    """Climb from the starts on few views, and from the best top on all views.

    Returns:
        What was tried on all views: the default setting, and the last climb.
    """
    coarse = climb(few.values_and_gradients, starts, steps=COARSE_STEPS, least_gain=COARSE_GAIN)
    default = objective.space.defaults()[None]
    untouched = objective.values(default)
    fine = climb(
        objective.values_and_gradients,
        coarse.point[None],
        steps=FINE_STEPS,
        model=coarse.model,
        progress=progress,
    )
    return Search(torch.cat([default, fine.points]), torch.cat([untouched, fine.values]))


def _best_of_scan(few: Objective, seed: int) -> Tensor:
    dimensions = len(few.space.names)
    points = few.space.defaults()[None]
    if few.hint is not None:
        points = torch.cat([points, few.hint[None]])
    if dimensions == 0:
        return points
    count = SCAN * dimensions
    if 2**dimensions <= count // 2:  # where a scorer that is too keen has its maximum
        ends = torch.tensor([0.0, 1.0], dtype=torch.float64)
        corners = torch.cartesian_prod(*[ends] * dimensions).reshape(-1, dimensions)
        points = torch.cat([points, corners])
        count -= len(corners)
    points = torch.cat([points, evenly_spread(dimensions, count, seed)])
    return points[few.values(points).argsort(descending=True, stable=True)[:STARTS]]
