"""What is searched: which parameters vary, within which bounds, as points of a unit cube.

Strategies see only points ``(K, D)`` in the unit cube, one column per varying parameter. The
space maps them to settings, on a log scale where the parameter asks for one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from enhance.errors import ParameterError, shown, unknown_name
from enhance.operators.base import Operator, Parameter
from enhance.operators.chain import leaves

MAX_GRID = 20_000
"""Largest grid that is searched: beyond it another strategy is the sound choice."""


@dataclass(frozen=True)
class Space:
    """The varying parameters of an operator, and the values of the others.

    Attributes:
        varying: parameters to search, with their bounds narrowed as asked.
        constant: values of every other parameter.

    >>> from enhance.operators.registry import get
    >>> space = Space.of(get("laplacian"), fixed={"brightness": 0}, bounds={"detail": (0, 2)})
    >>> space.names
    ('detail', 'shadow')
    >>> space.describe(space.to_unit({"detail": 1.0, "shadow": -1.0}))
    {'detail': 1.0, 'shadow': -1.0}
    """

    varying: Mapping[str, Parameter]
    constant: Mapping[str, float]

    @classmethod
    def of(
        cls,
        operator: Operator[Any],
        fixed: Mapping[str, float] | None = None,
        bounds: Mapping[str, tuple[float, float]] | None = None,
    ) -> Space:
        """The space of an operator's tuned parameters.

        Args:
            operator: whose `parameters_spec` is read.
            fixed: values that are given, not searched.
            bounds: narrower bounds; naming a parameter that is not tuned by default tunes it.

        Raises:
            UnknownNameError: a name that is not a parameter of the operator.
            ParameterError: a value or bound outside the operator's bounds or no number,
                ``low > high``, or a parameter that is both fixed and bounded.
        """
        _check_mapping("fixed", fixed, "numbers")
        _check_mapping("bounds", bounds, "(low, high)")
        fixed, bounds = dict(fixed or {}), dict(bounds or {})
        spec = operator.parameters_spec
        for name in (*fixed, *bounds):
            if name not in spec:
                raise unknown_name(f"{operator.name} parameter", name, spec)
        for name in fixed.keys() & bounds.keys():
            raise ParameterError(f"{name} must be either fixed or bounded, got both")
        fixed = {name: one_number(name, spec[name], value) for name, value in fixed.items()}
        varying = {
            name: _narrowed(name, parameter, bounds[name]) if name in bounds else parameter
            for name, parameter in spec.items()
            if name not in fixed and (parameter.tuned or name in bounds)
        }
        constant = {
            name: fixed.get(name, float(parameter.default))
            for name, parameter in spec.items()
            if name not in varying
        }
        return cls(varying, constant)

    def calibrated(self, operator: Operator[Any], pixels: Tensor) -> Space:
        """The same space, with constants that mean "ask the photo" answered by the photo."""
        asked = {name: pixels.new_tensor(value) for name, value in self.constant.items()}
        asked |= {name: pixels.new_tensor(p.default) for name, p in self.varying.items()}
        answered = operator.calibrate(pixels, asked)
        constant = {
            name: value if torch.equal(answered[name], asked[name]) else float(answered[name])
            for name, value in self.constant.items()
        }
        return replace(self, constant=constant)

    @property
    def names(self) -> tuple[str, ...]:
        """The varying parameters, in the order of a point's columns."""
        return tuple(self.varying)

    @property
    def smooth(self) -> bool:
        """Whether every varying parameter has a gradient."""
        return not any(parameter.integer for parameter in self.varying.values())

    def nodes(self, name: str) -> list[float]:
        """The values of one parameter that the grid tries, within the bounds."""
        return grid_nodes(self.varying[name])

    def grid(self) -> Tensor:
        """Every combination of the parameters' nodes, as points ``(K, D)``, float64.

        Raises:
            ParameterError: more than `MAX_GRID` combinations.
        """
        nodes = [self.nodes(name) for name in self.names]
        count = math.prod(map(len, nodes))
        if count > MAX_GRID:
            raise ParameterError(
                f"a grid may have at most {MAX_GRID} settings, got {count}; "
                "fix some parameters or use another strategy"
            )
        columns = [
            torch.tensor([_to_unit(self.varying[name], v) for v in values], dtype=torch.float64)
            for name, values in zip(self.names, nodes, strict=True)
        ]
        if not columns:
            return torch.zeros(1, 0, dtype=torch.float64)
        return torch.stack([c.reshape(-1) for c in torch.meshgrid(*columns, indexing="ij")], -1)

    def settings(self, points: Tensor) -> dict[str, Tensor]:
        """Complete settings of points ``(K, D)``: a ``(K,)`` tensor per parameter, differentiable.

        Coordinates outside the cube are clamped to it; whole-number parameters are rounded.
        """
        complete: dict[str, Tensor] = {
            name: torch.full(points.shape[:-1], value, dtype=points.dtype, device=points.device)
            for name, value in self.constant.items()
        }
        for column, (name, parameter) in enumerate(self.varying.items()):
            complete[name] = _from_unit(parameter, points[..., column])
        return complete

    def describe(self, point: Tensor) -> dict[str, float]:
        """The varying settings of one point ``(D,)``, as numbers a person can read and type.

        They are rounded to six decimals, or more where a parameter's range is small: far finer
        than anybody can see. They stay in bounds.
        """
        described = {}
        for column, (name, parameter) in enumerate(self.varying.items()):
            exact = float(_from_unit(parameter, point[column].double()))
            value = round(exact, _decimals(parameter)) + 0.0
            described[name] = min(max(value, parameter.low), parameter.high)
        return described

    def to_unit(self, settings: Mapping[str, float]) -> Tensor:
        """The point ``(D,)`` of settings; other names are ignored, values clamped to the bounds."""
        return torch.tensor(
            [_to_unit(parameter, settings[name]) for name, parameter in self.varying.items()],
            dtype=torch.float64,
        )

    def defaults(self) -> Tensor:
        """The point nearest to the operator's default settings."""
        return self.to_unit({name: p.default for name, p in self.varying.items()})


def _decimals(parameter: Parameter) -> int:
    """So many that about a millionth of the range shows, in logs a thousandth of its low end."""
    least = 1e-6 * (parameter.high - parameter.low)
    if parameter.scale == "log":
        least = min(least, 1e-3 * parameter.low)
    return max(6, round(-math.log10(least))) if least > 0 else 6


def answers_to_keep(operator: Operator[Any], asked: Space, answered: Space) -> dict[str, float]:
    """Values read from the photo that must be saved with the settings for an exact replay.

    Most are read anew from whatever photo the settings are applied to. A replay would read other
    values for an operator behind others, which reads what those made of the photo, and for one
    whose own analysis was searched, which was read at its default: these are saved.

    Args:
        operator: whose parameters they are.
        asked, answered: its space before and after `Space.calibrated`.

    >>> from enhance.operators.resolve import resolve_operator
    >>> photo = torch.rand(1, 3, 32, 32)
    >>> def kept(*names):
    ...     operator = resolve_operator(names)
    ...     asked = Space.of(operator)
    ...     return sorted(answers_to_keep(operator, asked, asked.calibrated(operator, photo)))
    >>> kept("nlm", "laplacian"), kept("laplacian", "nlm")
    ([], ['sigma_n'])
    """
    kept: dict[str, float] = {}
    for index, (leaf, names) in enumerate(leaves(operator)):
        searched = any(
            names[own] in answered.varying and parameter.stage == "analyse"
            for own, parameter in leaf.parameters_spec.items()
        )
        if index or searched:
            kept |= {n: v for n, v in answered.constant.items() if n in names.values()}
    return {name: value for name, value in kept.items() if value != asked.constant[name]}


def one_number(name: str, parameter: Parameter, value: Any) -> float:
    """The value of a parameter as a float.

    Raises:
        ParameterError: not one number, or not one that the parameter can have.

    >>> one_number("amount", Parameter(0, 1, 0, ""), torch.tensor(0.5))
    0.5
    """
    parameter.check(name, value)
    number = torch.as_tensor(value, dtype=torch.float64).detach()
    if number.numel() != 1:
        raise ParameterError(f"{name} must be one number, got {shown(value)}")
    return float(number)


def grid_nodes(parameter: Parameter) -> list[float]:
    """The values a grid tries within the parameter's bounds, its bounds and default included.

    >>> from dataclasses import replace
    >>> grid_nodes(replace(Parameter(-1, 1, 0, "", grid=(-1, -0.5, 0, 0.5, 1)), low=-0.2))
    [-0.2, 0.0, 0.5, 1.0]
    """
    low, high, default = parameter.low, parameter.high, parameter.default
    if parameter.grid is not None:
        nodes = list(parameter.grid)
    elif parameter.levels == 1:
        return [float(default)]
    else:
        steps = torch.linspace(0, 1, parameter.levels, dtype=torch.float64)
        nodes = [round(value, 9) for value in _from_unit(parameter, steps).tolist()]
    inside = [value for value in nodes if low <= value <= high]
    return sorted({float(value) for value in (*inside, low, default, high)})


def _check_mapping(kind: str, given: object, what: str) -> None:
    if given is not None and not isinstance(given, Mapping):
        raise ParameterError(f"{kind} must map names to {what}, got {shown(given)}")


def _narrowed(name: str, parameter: Parameter, bounds: tuple[float, float]) -> Parameter:
    try:
        low, high = (float(b) for b in bounds)
    except (TypeError, ValueError, OverflowError):
        raise ParameterError(f"bounds of {name} must be (low, high), got {shown(bounds)}") from None
    if not low <= high:
        raise ParameterError(
            f"`low <= high` must hold for bounds of {name}, but got (low={low:g}, high={high:g})"
        )
    parameter.check(name, low)
    parameter.check(name, high)
    default = min(max(parameter.default, low), high)
    grid = parameter.grid and tuple(v for v in parameter.grid if low <= v <= high)
    return replace(parameter, low=low, high=high, default=default, grid=grid)


def _to_unit(parameter: Parameter, value: float) -> float:
    low, high = parameter.low, parameter.high
    if low == high:
        return 0.0
    value = min(max(float(value), low), high)
    if parameter.scale == "log":
        return math.log(value / low) / math.log(high / low)
    return (value - low) / (high - low)


def _from_unit(parameter: Parameter, unit: Tensor) -> Tensor:
    unit = unit.clamp(0, 1)
    if parameter.scale == "log":
        value = parameter.low * (parameter.high / parameter.low) ** unit
    else:
        value = parameter.low + unit * (parameter.high - parameter.low)
    return value.round() if parameter.integer else value
