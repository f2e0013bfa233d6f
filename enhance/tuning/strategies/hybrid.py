"""A few Optuna trials to find the right hill, then gradient steps to its top."""

from __future__ import annotations

from collections.abc import Callable

import torch

from enhance.tuning.objective import Objective
from enhance.tuning.search import Search, silent
from enhance.tuning.strategies import bayesian
from enhance.tuning.trust_region import climb

TRIALS = 16
STARTS = 2


def search(
    objective: Objective,
    *,
    seed: int = 0,
    progress: Callable[[int, int], None] = silent,
    storage: str | None = None,
) -> Search:
    """Run `bayesian` for `TRIALS` trials and climb from its `STARTS` best points."""
    coarse = bayesian.search(
        objective, seed=seed, progress=progress, storage=storage, trials=TRIALS
    )
    starts = coarse.points[coarse.values.argsort(descending=True, stable=True)[:STARTS]]
    fine = climb(objective.values_and_gradients, starts, progress=progress)
    return Search(
        torch.cat([coarse.points, fine.points]),
        torch.cat([coarse.values, fine.values]),
        coarse.study,
    )
