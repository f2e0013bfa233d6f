"""Agreement with people: the figures of NIMA's Tables I to IV."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import pearsonr, spearmanr

from scorers.evaluation.figure import Figure, bootstrap


def srcc(scores: ArrayLike, means: ArrayLike, *, seed: int = 0) -> Figure:
    """Spearman's rank correlation of scores with human means."""
    return bootstrap(_defined(spearmanr), scores, means, seed=seed)


def lcc(scores: ArrayLike, means: ArrayLike, *, seed: int = 0) -> Figure:
    """Pearson's linear correlation of scores with human means."""
    return bootstrap(_defined(pearsonr), scores, means, seed=seed)


def accuracy(scores: ArrayLike, means: ArrayLike, *, cut: float = 5.0, seed: int = 0) -> Figure:
    """Share of photos that score and people put on the same side of `cut` (AVA: 5)."""
    return bootstrap(lambda a, b: float(np.mean((a > cut) == (b > cut))), scores, means, seed=seed)


def pair_accuracy(better: ArrayLike, worse: ArrayLike, *, seed: int = 0) -> Figure:
    """Share of pairs whose better photo scores at least as high as the worse one.

    >>> pair_accuracy([2.0, 3.0], [1.0, 4.0]).value
    0.5
    """
    return bootstrap(lambda a, b: float(np.mean(a >= b)), better, worse, seed=seed)


def _defined(correlation: Callable[..., Any]) -> Callable[..., float]:
    """The correlation, and NaN in silence where a constant, as in a tiny resample, has none."""

    def statistic(a: ArrayLike, b: ArrayLike) -> float:
        if np.ptp(a) == 0 or np.ptp(b) == 0:
            return float("nan")
        return float(correlation(a, b).statistic)

    return statistic
