"""A measured figure and its interval."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from scorers.errors import InputError

Column = NDArray[np.float64]


@dataclass(frozen=True)
class Figure:
    """A value with the bounds of its 95 % interval over `n` photos or pairs.

    The interval is by bootstrap, or exact (Clopper and Pearson's) for shares of independent rows.
    """

    value: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def bootstrap(
    statistic: Callable[..., float],
    *columns: ArrayLike,
    groups: Sequence[Hashable] | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> Figure:
    """Measure a statistic of paired columns, with a percentile interval over resampled rows.

    Args:
        statistic: takes as many 1-D arrays as there are columns.
        columns: ``(N,)`` each; a row is what is resampled (a photo, a pair).
        groups: one a row, such as the scene that it shows: rows of one group are not independent,
            so groups are resampled, each with all of its rows. Every row is its own when None.
        resamples: number of bootstrap samples.
        seed: of the resampling.

    A resample on which the statistic is not finite takes no part in the interval.

    Raises:
        InputError: columns or groups of different lengths, or fewer than two rows; columns that
            are not 1-D, or hold what is not finite.

    >>> figure = bootstrap(lambda x: float(x.mean()), [1.0, 1.0, 1.0])
    >>> (figure.value, figure.low, figure.high, figure.n)
    (1.0, 1.0, 1.0, 3)
    """
    arrays = checked(*columns)
    rows = len(arrays[0])
    members = _members(groups, rows)
    generator = np.random.default_rng(seed)
    values = []
    for _ in range(resamples):
        chosen = generator.integers(len(members), size=len(members))
        # where each row is its own group, a group's number is its row's
        if len(members) < rows:
            chosen = np.concatenate([members[group] for group in chosen])
        values.append(statistic(*(a[chosen] for a in arrays)))
    defined = [value for value in values if np.isfinite(value)]
    low, high = np.percentile(defined, [2.5, 97.5]) if defined else (np.nan, np.nan)
    return Figure(float(statistic(*arrays)), float(low), float(high), rows)


def share(hits: ArrayLike, *, groups: Sequence[Hashable] | None = None, seed: int = 0) -> Figure:
    """The share of rows that are hits, with its 95 % interval.

    Exact (Clopper and Pearson 1934) where rows are independent: a bootstrap of rows that are all
    hits has no width, however few they are. By bootstrap over groups where rows share some; if
    all rows agree, which leaves that no width either, it is exact, a group counting as one row.

    Args:
        hits: ``(N,)`` truths, one row at least.
        groups, seed: as of `bootstrap`.

    Raises:
        InputError: no rows, or groups of another length.

    >>> str(share([True, True]))
    '1.000 [0.158, 1.000]'
    """
    from scipy.stats import binomtest

    array = np.asarray(hits, dtype=bool)
    if array.ndim != 1 or not len(array):
        raise InputError(f"a share needs one row at least, got an array of shape {array.shape}")
    rows, count = len(array), len(_members(groups, len(array)))
    if count < rows and 0 < array.sum() < rows:
        return bootstrap(lambda a: float(a.mean()), array, groups=groups, seed=seed)
    independent = int(array.sum()) if count == rows else count * int(array[0])
    interval = binomtest(independent, count).proportion_ci(0.95, "exact")
    return Figure(float(array.mean()), float(interval.low), float(interval.high), rows)


def average(
    values: ArrayLike, *, groups: Sequence[Hashable] | None = None, seed: int = 0
) -> Figure:
    """The mean of ``(N,)`` values with its `bootstrap` interval; errors are those of it.

    >>> average([1.0, 3.0]).value
    2.0
    """
    return bootstrap(lambda a: float(a.mean()), values, groups=groups, seed=seed)


def checked(*columns: ArrayLike) -> list[Column]:
    """Columns as arrays, equally long and of finite numbers.

    Raises:
        InputError: they are not; see `bootstrap`.
    """
    arrays = [_array(column) for column in columns]
    for array in arrays:
        if array.ndim != 1:
            raise InputError(f"columns must be (N,), got {array.shape}")
    lengths = {len(a) for a in arrays}
    if len(lengths) != 1 or min(lengths) < 2:
        found = " and ".join(map(str, sorted(lengths)))
        raise InputError(f"columns must be equally long, with two rows at least, got {found}")
    for array in arrays:
        bad = array[~np.isfinite(array)]
        if len(bad):
            raise InputError(f"columns must be finite, got {bad[0]} in {len(bad)} of {len(array)}")
    return arrays


def _array(column: ArrayLike) -> Column:
    if isinstance(column, torch.Tensor):
        column = column.detach().cpu().numpy()
    return np.asarray(column, dtype=np.float64)


def _members(groups: Sequence[Hashable] | None, rows: int) -> list[NDArray[np.intp]]:
    """The rows of each group, groups in the order in which they appear."""
    if groups is None:
        return [np.array([row]) for row in range(rows)]
    if len(groups) != rows:
        raise InputError(f"there must be one group a row, got {len(groups)} for {rows} rows")
    found: dict[Hashable, list[int]] = {}
    for row, group in enumerate(groups):
        found.setdefault(group, []).append(row)
    return [np.array(own) for own in found.values()]
