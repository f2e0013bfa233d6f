"""How the score depends on one parameter, the others as in the chosen setting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from enhance.operators.base import Parameter
from enhance.tuning.gain import Gain, paired_gain
from enhance.tuning.space import grid_nodes

if TYPE_CHECKING:
    from enhance.tuning.result import TuneResult


@dataclass(frozen=True)
class GainCurve:
    """Paired gains along one parameter.

    Attributes:
        name, parameter: which one.
        values: where the gain was measured, ascending: the grid's nodes and `chosen`.
        gains: one for each value.
        chosen: the parameter's value in the setting that the others are held at.
        costs: what is taken off each gain before the search compares them; empty where nothing is.
    """

    name: str
    parameter: Parameter
    values: Sequence[float]
    gains: Sequence[Gain]
    chosen: float
    costs: Sequence[float] = ()


def shown_setting(result: TuneResult) -> Mapping[str, float]:
    """The searched parameters as they were used; as they were refused, if nothing was used."""
    used = result.settings if result.verdict == "enhanced" else result.candidate
    return {name: used[name] for name in result.objective.space.names}


def gain_curve(result: TuneResult, name: str) -> GainCurve:
    """Measure the gain along one searched parameter, on the views of the result."""
    space, setting = result.objective.space, shown_setting(result)
    parameter = space.varying[name]
    values = sorted({*grid_nodes(parameter), setting[name]})
    points = torch.stack([space.to_unit({**setting, name: value}) for value in values])
    scores = result.objective.scores(points)
    gains = [paired_gain(result.objective.baseline, row) for row in scores]
    cost = result.objective.cost
    costs = [] if cost is None else cost(points).tolist()
    return GainCurve(name, parameter, values, gains, setting[name], costs)
