"""Agreement with people: the figures of NIMA's Tables I to IV."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from scorers.errors import InputError
from scorers.evaluation.figure import Figure, bootstrap, checked, share

Groups = Sequence[Hashable] | None
"""One a row, where rows are not independent: see `scorers.evaluation.figure.bootstrap`."""


def srcc(scores: ArrayLike, means: ArrayLike, *, groups: Groups = None, seed: int = 0) -> Figure:
    """Spearman's rank correlation of scores with human means, both ``(N,)``: in [-1, 1].

    NaN where scores or means are all equal. `groups` and `seed` are the bootstrap's.

    Raises:
        InputError: of different lengths, fewer than two, or not finite.

    >>> srcc([1.0, 2.0, 9.0], [3.0, 4.0, 5.0]).value
    1.0
    """
    return bootstrap(spearman, scores, means, groups=groups, seed=seed)


def lcc(scores: ArrayLike, means: ArrayLike, *, groups: Groups = None, seed: int = 0) -> Figure:
    """Pearson's linear correlation of scores with human means, both ``(N,)``: in [-1, 1].

    NaN where scores or means are all equal. `groups` and `seed` are the bootstrap's.

    Raises:
        InputError: of different lengths, fewer than two, or not finite.

    >>> lcc([1.0, 2.0, 3.0], [5.0, 4.0, 3.0]).value
    -1.0
    """
    return bootstrap(pearson, scores, means, groups=groups, seed=seed)


def accuracy(
    scores: ArrayLike,
    means: ArrayLike,
    *,
    cut: float = 5.0,
    groups: Groups = None,
    seed: int = 0,
) -> Figure:
    """Share of photos that score and people put on the same side of a cut: in [0, 1].

    Args:
        scores, means: ``(N,)``, on one scale.
        cut: on that scale; who is at it is below. 5 on AVA's 1 to 10.
        groups, seed: as of `scorers.evaluation.figure.share`.

    Raises:
        InputError: of different lengths, fewer than two, or not finite; a cut that is not.

    >>> accuracy([4.0, 6.0], [4.5, 4.0]).value
    0.5
    """
    if not np.isfinite(cut):
        raise InputError(f"cut must be finite, got {cut}")
    a, b = checked(scores, means)
    return share((a > cut) == (b > cut), groups=groups, seed=seed)


def pair_accuracy(
    better: ArrayLike, worse: ArrayLike, *, groups: Groups = None, seed: int = 0
) -> Figure:
    """Share of pairs whose better photo scores at least as high as the worse one: in [0, 1].

    A tie counts as right, so that a constant score is always right: see `tied`.

    Args:
        better, worse: ``(N,)`` scores.
        groups, seed: as of `scorers.evaluation.figure.share`.

    Raises:
        InputError: of different lengths, fewer than two, or not finite.

    >>> pair_accuracy([2.0, 3.0], [1.0, 4.0]).value
    0.5
    """
    first, second = checked(better, worse)
    return share(first >= second, groups=groups, seed=seed)


def tied(better: ArrayLike, worse: ArrayLike, *, groups: Groups = None, seed: int = 0) -> Figure:
    """Share of pairs whose two photos score alike, `pair_accuracy` notwithstanding: in [0, 1].

    >>> tied([2.0, 3.0], [2.0, 4.0]).value
    0.5
    """
    first, second = checked(better, worse)
    return share(first == second, groups=groups, seed=seed)


def pearson(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Pearson's correlation of two 1-D arrays, and NaN in silence where one is constant.

    Written out because scipy's, with its p-values and warnings, takes ten times as long, and a
    bootstrap asks a thousand times.

    >>> pearson(np.array([1.0, 2.0, 3.0]), np.array([1.0, 3.0, 5.0]))
    1.0
    """
    if np.ptp(a) == 0 or np.ptp(b) == 0:  # the mean of equal numbers may be off by a rounding
        return float("nan")
    a, b = a - a.mean(), b - b.mean()
    norm = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / norm if norm > 0 else float("nan")


def spearman(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Spearman's correlation of two 1-D arrays, NaN where one is constant."""
    return pearson(rankdata(a), rankdata(b))
