"""Where a search starts: a recipe, a preset or settings, and what they leave to be searched."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from enhance.errors import ParameterError, unknown_name
from enhance.operators.base import Operator
from enhance.operators.resolve import OperatorLike
from enhance.presets import load_preset
from enhance.recipe import Recipe
from enhance.tuning.space import Space, one_number

Start = Recipe | str | Mapping[str, float]
"""A recipe, the name of a preset, or settings."""


def start_of(
    operator: OperatorLike | None, start: Start | None
) -> tuple[OperatorLike | None, Mapping[str, float] | None]:
    """The operators and the settings that a search starts from.

    Raises:
        UnknownNameError: no preset of that name.
        ParameterError: neither a recipe, nor a preset's name, nor settings.

    >>> start_of(None, "soft")[0]
    ['contrast', 'saturation', 'laplacian']
    """
    if isinstance(start, str):
        start = load_preset(start)
    if isinstance(start, Recipe):
        return list(start.operators) if operator is None else operator, start.settings
    if start is not None and not isinstance(start, Mapping):
        raise ParameterError(f"start must be a recipe, a preset's name or settings, got {start!r}")
    return operator, start


def starting_space(
    operator: Operator[Any],
    fixed: Mapping[str, float] | None,
    bounds: Mapping[str, tuple[float, float]] | None,
    start: Mapping[str, float] | None,
) -> tuple[Space, dict[str, float] | None]:
    """What is searched, and the settings that the search starts from.

    What `start` says of parameters that are not searched, such as a denoiser's strength, is kept,
    unless `fixed` says otherwise.

    Raises:
        UnknownNameError, ParameterError: as `Space.of` and `starting_point`.

    >>> from enhance.operators.registry import get
    >>> space, start = starting_space(get("turbo"), None, None, {"sigma_s": 9, "strength": 0.5})
    >>> start, space.constant["strength"]
    ({'sigma_s': 9.0}, 0.5)
    """
    space = Space.of(operator, fixed, bounds)
    if start is None:
        return space, None
    point = starting_point(operator, space, start)
    kept = {name: value for name, value in start.items() if name in space.constant}
    return Space.of(operator, {**kept, **(fixed or {})}, bounds), point


def starting_point(
    operator: Operator[Any], space: Space, settings: Mapping[str, float]
) -> dict[str, float]:
    """A value for every varying parameter, within its bounds: the given one or the default.

    Raises:
        UnknownNameError: a name that is not a parameter of the operator.
        ParameterError: a value outside the operator's bounds.
    """
    spec, wanted = operator.parameters_spec, {}
    for name, value in settings.items():
        if name not in spec:
            raise unknown_name(f"{operator.name} parameter", name, spec)
        wanted[name] = one_number(name, spec[name], value)
    return {
        name: min(max(wanted.get(name, parameter.default), parameter.low), parameter.high)
        for name, parameter in space.varying.items()
    }
