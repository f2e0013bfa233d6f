"""Whole numbers that a caller gives: how many, and the seed that views and searches start from."""

from __future__ import annotations

import operator

from enhance.errors import ParameterError

MAX_SEED = 2**32 - 1
"""The largest that torch, NumPy and Optuna all take."""


def check_whole(name: str, value: object) -> int:
    """An int, from whatever counts as a whole number.

    Raises:
        ParameterError: something else.
    """
    try:
        return operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise ParameterError(f"{name} must be a whole number, got {value!r}") from None


def check_seed(seed: object) -> int:
    """A seed as an int.

    Raises:
        ParameterError: not a whole number, or outside [0, `MAX_SEED`].

    >>> import torch
    >>> check_seed(torch.tensor(7))
    7
    """
    whole = check_whole("seed", seed)
    if not 0 <= whole <= MAX_SEED:
        raise ParameterError(f"seed must lie in [0, {MAX_SEED}], got {whole}")
    return whole
