"""Every combination of the parameters' levels: the paper's 726 settings for the Laplacian."""

from __future__ import annotations

from collections.abc import Callable

import torch

from enhance.tuning.objective import Objective
from enhance.tuning.search import Search, silent

_BATCH = 48


def search(
    objective: Objective,
    *,
    seed: int = 0,
    progress: Callable[[int, int], None] = silent,
    storage: str | None = None,
) -> Search:
    """Evaluate the whole grid; deterministic whatever the seed.

    Raises:
        ParameterError: the grid has too many settings (see `Space.grid`).
    """
    points = objective.space.grid()
    values = []
    for start in range(0, len(points), _BATCH):
        values.append(objective.values(points[start : start + _BATCH]))
        progress(min(start + _BATCH, len(points)), len(points))
    return Search(points, torch.cat(values))
