"""Which parameter earned how much of the gain."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import combinations
from typing import TYPE_CHECKING

import torch

from enhance.errors import ParameterError
from enhance.tuning.curve import shown_setting

if TYPE_CHECKING:
    from enhance.tuning.result import TuneResult

MAX_ABLATED = 8
"""Parameters that are shared among: each further one doubles the settings scored."""


def ablate(result: TuneResult) -> Mapping[str, float]:
    """Share the gain of the score among the parameters, fairly: their Shapley values.

    Every subset of the parameters is set to its chosen values, the others to their defaults, and
    scored on the views of the result; a parameter's share is what it adds, averaged over all
    orders of adding them. The shares sum to the score of the chosen setting less that of the
    defaults.

    Raises:
        ParameterError: more than `MAX_ABLATED` parameters were searched.

    References:
        Shapley, "A value for n-person games", 1953.
    """
    objective, chosen = result.objective, shown_setting(result)
    names = objective.space.names
    if len(names) > MAX_ABLATED:
        raise ParameterError(f"at most {MAX_ABLATED} parameters can be ablated, got {len(names)}")
    rest = {name: objective.space.varying[name].default for name in names}
    subsets = [s for size in range(len(names) + 1) for s in combinations(names, size)]
    points = torch.stack(
        [objective.space.to_unit({**rest, **{name: chosen[name] for name in s}}) for s in subsets]
    )
    scores = dict(zip(subsets, objective.scores(points).mean(1).tolist(), strict=True))
    shares = dict.fromkeys(names, 0.0)
    for subset in subsets:
        before, after = len(subset), len(names) - len(subset) - 1
        for name in names:
            if name in subset:
                continue
            joined = tuple(n for n in names if n in subset or n == name)
            orders = math.factorial(before) * math.factorial(after) / math.factorial(len(names))
            shares[name] += orders * (scores[joined] - scores[subset])
    return shares
