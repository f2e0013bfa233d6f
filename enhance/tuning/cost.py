"""What leaving the input costs, so that a scorer's slope does not carry a photo to the corner.

The maximum of a scorer over an operator's settings is farther from a retoucher's version than
the input itself; a penalty that grows with the distance from the untouched setting slows that.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from enhance.operators.base import Operator, Parameter
from enhance.operators.chain import leaves
from enhance.tuning.space import Space

CostFunction = Callable[[Tensor], Tensor]
"""Points ``(K, D)`` to costs ``(K,)``, in units of the score, differentiable."""
LEAVING_COST = 0.8
"""Score that one parameter moved over its whole range costs, away from the default or a start.

Chosen for the tone operator and its scorer, away from a predictor's answer, by how many damaged
validation photos come closer and how many undamaged ones stay as they are (`benchmarks/cost.py`).
"""


@dataclass(frozen=True)
class Cost:
    """``weight * sum_p ((v_p - centre_p) / reach_p)^2`` over some of the varying parameters.

    The centre is the default setting, or what a predictor answers for this photo. `reach` is
    the distance from the default to the operator's farther bound (in logarithms on a log scale),
    so bounds that a caller narrows change nothing about what a setting costs.

    Attributes:
        space: maps points to settings.
        spec: the parameters that cost, with the operator's own bounds.
        weight: what one parameter moved over its whole range costs, in units of the score.
        centre: the setting that costs nothing; parameters it does not name keep their default.
    """

    space: Space
    spec: Mapping[str, Parameter]
    weight: float = LEAVING_COST
    centre: Mapping[str, float] = field(default_factory=dict)

    def __call__(self, points: Tensor) -> Tensor:
        """Cost ``(K,)`` of points ``(K, D)``, in units of the score, differentiable."""
        settings = self.space.settings(points)
        total = torch.zeros(points.shape[:-1], dtype=points.dtype)
        for name, parameter in self.spec.items():
            centre = torch.tensor(self.centre.get(name, parameter.default), dtype=points.dtype)
            away = _normalised(parameter, settings[name]) - _normalised(parameter, centre)
            total = total + away**2
        return self.weight * total


def leaving_cost(
    operator: Operator[Any],
    space: Space,
    centre: Mapping[str, float] | None = None,
    weight: float = LEAVING_COST,
) -> Cost | None:
    """The cost of leaving the input, or `centre`, or None where no varying parameter has one.

    A parameter costs where its operator's defaults change nothing: tone. Denoising has no such
    default, its settings are compared with the untouched photo only. In a chain, each member
    counts for itself.
    """
    spec = {name: operator.parameters_spec[name] for name in neutral_at_default(operator, space)}
    return Cost(space, spec, weight, centre or {}) if spec else None


@dataclass(frozen=True)
class TotalCost:
    """The sum of costs.

    Attributes:
        costs: one at least.
    """

    costs: Sequence[CostFunction]

    def __call__(self, points: Tensor) -> Tensor:
        """Cost ``(K,)`` of points ``(K, D)``, in units of the score."""
        return torch.stack([cost(points) for cost in self.costs]).sum(0)


def total_cost(*costs: CostFunction | None) -> CostFunction | None:
    """The sum of those costs that there are, or None where there is none.

    >>> total_cost(None, lambda points: points.sum(1))(torch.ones(1, 2))
    tensor([2.])
    """
    known = [cost for cost in costs if cost is not None]
    return TotalCost(known) if known else None


def neutral_at_default(operator: Operator[Any], space: Space) -> list[str]:
    """The varying parameters of those operators, chained or not, whose defaults change nothing."""
    neutral = {
        chained
        for leaf, names in leaves(operator)
        if _still_at_default(leaf)
        for chained in names.values()
    }
    return [name for name in space.names if name in neutral]


def _still_at_default(operator: Operator[Any]) -> bool:
    spec, identity = operator.parameters_spec, operator.identity
    return identity is not None and all(spec[name].default == v for name, v in identity.items())


def _normalised(parameter: Parameter, value: Tensor) -> Tensor:
    low, high, default = parameter.low, parameter.high, parameter.default
    if parameter.scale == "log":
        reach = max(math.log(high / default), math.log(default / low))
        return (value / default).log() / reach
    return (value - default) / max(high - default, default - low)
