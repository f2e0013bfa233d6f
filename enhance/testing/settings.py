"""Settings on which mistakes of an operator show."""

from __future__ import annotations

from typing import Any

from enhance.operators.base import Operator


def show(setting: dict[str, float]) -> str:
    """A setting in words, for a message."""
    return ", ".join(f"{name}={value:g}" for name, value in setting.items()) or "no parameters"


def middle(operator: Operator[Any], share: float = 0.6) -> dict[str, float]:
    """A setting inside the bounds: this share of the way from `low` to `high`."""
    values = {}
    for name, parameter in operator.parameters_spec.items():
        value = parameter.low + share * (parameter.high - parameter.low)
        values[name] = float(round(value)) if parameter.integer else value
    return values


def spread(operator: Operator[Any], *, only: str | None = None) -> list[dict[str, float]]:
    """Settings that differ in everything: inside, both ends, and each parameter at its ends.

    `only` keeps parameters of other stages at their default.
    """
    spec = operator.parameters_spec
    settings = [middle(operator, share=share) for share in (0.3, 0.7, 0.0, 1.0)]
    for name, parameter in spec.items():
        settings += [operator.defaults() | {name: end} for end in (parameter.low, parameter.high)]
    if only is None:
        return settings
    fixed = {name: parameter.default for name, parameter in spec.items() if parameter.stage != only}
    return [setting | fixed for setting in settings]
