"""Search strategies, one a file.

A strategy is a module here with a function

    search(objective, *, seed=0, progress=silent, storage=None) -> Search

that looks for the point of ``objective.space`` with the highest ``objective.values``. Adding the
file is all it takes: its name is the strategy's name, and its docstring's first line its summary.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from typing import Protocol

from enhance.errors import unknown_name
from enhance.tuning.objective import Objective
from enhance.tuning.search import Search


class Strategy(Protocol):
    """The signature of every strategy's `search`."""

    def __call__(
        self,
        objective: Objective,
        *,
        seed: int = 0,
        progress: Callable[[int, int], None] = ...,
        storage: str | None = None,
    ) -> Search: ...


def list_strategies() -> list[str]:
    """Names of the strategies.

    >>> {"bayesian", "gradient", "grid", "hybrid"} <= set(list_strategies())
    True
    """
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def get(name: str) -> Strategy:
    """The `search` function of a strategy.

    Raises:
        UnknownNameError: no strategy has this name.
    """
    if name not in list_strategies():
        raise unknown_name("strategy", name, list_strategies())
    search: Strategy = importlib.import_module(f"{__name__}.{name}").search
    return search
