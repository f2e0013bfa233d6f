"""From what a caller may name to one operator, and back to the names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from enhance.errors import ParameterError
from enhance.operators.base import Operator
from enhance.operators.chain import Chain
from enhance.operators.registry import get

OperatorLike = str | Operator[Any] | Sequence[str | Operator[Any]]

DEFAULT_OPERATOR = "tone"
"""What a photo is tuned with unless the caller says otherwise: tone and detail."""


def resolve_operator(operator: OperatorLike | None) -> Operator[Any]:
    """An operator from a name, an operator, or several of them to be chained; None for the default.

    Raises:
        UnknownNameError: no operator has this name.
        ParameterError: an empty list, or something else altogether.

    >>> resolve_operator(["turbo", "laplacian"]).name
    'turbo+laplacian'
    """
    if operator is None:
        return get(DEFAULT_OPERATOR)
    if isinstance(operator, str):
        return get(operator)
    if isinstance(operator, Operator):
        return operator
    if isinstance(operator, Sequence) and operator:
        chained = [resolve_operator(member) for member in operator]
        return chained[0] if len(chained) == 1 else Chain(chained)
    raise ParameterError(
        f"operator must be a name, an Operator or a list of them, got {operator!r}"
    )


def members(operator: Operator[Any]) -> list[Operator[Any]]:
    """The operators of a chain, in order; of an operator with a name of its own, itself."""
    return operator.members if type(operator) is Chain else [operator]
