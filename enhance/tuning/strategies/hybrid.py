"""A few Optuna trials on few views find the right hill, then gradient steps reach its top."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from enhance.tuning.objective import Objective
from enhance.tuning.search import Search, silent
from enhance.tuning.strategies import bayesian
from enhance.tuning.strategies.gradient import STARTS, climb_coarse_to_fine, fewer_views

TRIALS = 32


def search(
    objective: Objective,
    *,
    seed: int = 0,
    progress: Callable[[int, int], None] = silent,
    storage: str | None = None,
) -> Search:
    """Run `bayesian` on an eighth of the views, then climb as `gradient` does.

    Raises:
        ParameterError: the operator or the scorer passes no gradient on.
    """
    few = fewer_views(objective)
    scanned = bayesian.search(
        few,
        seed=seed,
        progress=progress,
        storage=storage,
        trials=TRIALS,
        sampler=bayesian.tree_parzen,
    )
    starts = scanned.points[scanned.values.argsort(descending=True, stable=True)[:STARTS]]
    found = climb_coarse_to_fine(objective, few, starts, progress)
    return replace(found, study=scanned.study)
