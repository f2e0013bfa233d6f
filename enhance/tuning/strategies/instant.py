"""Take the predictor's answer: one look at the photo, and two settings scored instead of hundreds.

The default setting is scored beside the predicted one, so that a prediction which the scorer
finds worse than leaving the photo alone is not taken.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from enhance.errors import ParameterError
from enhance.tuning.objective import Objective
from enhance.tuning.predictor import embedded
from enhance.tuning.search import Search, silent


def search(
    objective: Objective,
    *,
    seed: int = 0,
    progress: Callable[[int, int], None] = silent,
    storage: str | None = None,
) -> Search:
    """Score the predicted setting and the default one.

    Raises:
        ParameterError: no predictor was trained for this operator.
    """
    if objective.hint is None:
        raise _without_predictor(objective.operator.name)
    points = torch.stack([objective.space.defaults(), objective.hint])
    values = objective.values(points)
    progress(1, 1)
    return Search(points, values)


def check_predictor(operator_name: str) -> None:
    """Raise `ParameterError` unless a predictor was trained for the operator."""
    if embedded(operator_name) is None:
        raise _without_predictor(operator_name)


def _without_predictor(operator_name: str) -> ParameterError:
    return ParameterError(
        f"strategy instant needs a predictor, and none was trained for {operator_name}"
    )
