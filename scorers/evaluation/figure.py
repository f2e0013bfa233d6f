"""A measured figure and its interval."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scorers.errors import InputError


@dataclass(frozen=True)
class Figure:
    """A value with the bounds of its 95 % interval over `n` photos or pairs.

    The interval is by bootstrap, or exact (Clopper and Pearson's) for the shares of an audit.
    """

    value: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def bootstrap(
    statistic: Callable[..., float], *columns: ArrayLike, resamples: int = 1000, seed: int = 0
) -> Figure:
    """Measure a statistic of paired columns, with a percentile interval over resampled rows.

    Args:
        statistic: takes as many 1-D arrays as there are columns.
        columns: equally long; a row is what is resampled (a photo, a pair).
        resamples: number of bootstrap samples.
        seed: of the resampling.

    A resample on which the statistic is not finite takes no part in the interval.

    Raises:
        InputError: columns of different lengths, or fewer than two rows.

    >>> figure = bootstrap(lambda x: float(x.mean()), [1.0, 1.0, 1.0])
    >>> (figure.value, figure.low, figure.high, figure.n)
    (1.0, 1.0, 1.0, 3)
    """
    arrays: Sequence[NDArray[np.float64]] = [np.asarray(c, dtype=np.float64) for c in columns]
    lengths = {len(a) for a in arrays}
    if len(lengths) != 1 or min(lengths) < 2:
        found = " and ".join(map(str, sorted(lengths)))
        raise InputError(f"columns must be equally long, with two rows at least, got {found}")
    rows = lengths.pop()
    generator = np.random.default_rng(seed)
    values = []
    for _ in range(resamples):
        chosen = generator.integers(rows, size=rows)
        values.append(statistic(*(a[chosen] for a in arrays)))
    defined = [value for value in values if np.isfinite(value)]
    low, high = np.percentile(defined, [2.5, 97.5]) if defined else (np.nan, np.nan)
    return Figure(float(statistic(*arrays)), float(low), float(high), rows)
