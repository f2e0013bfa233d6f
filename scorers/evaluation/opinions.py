"""Opinions against people's: the figures of NIMA's tables, and of Murray and Gordo's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

import torch
from torch import Tensor

from scorers import opinion
from scorers.evaluation.agreement import accuracy, lcc, srcc
from scorers.evaluation.figure import Figure, average
from scorers.ratings.tables import RatingTable


def agreement(
    said: Tensor,
    table: RatingTable,
    buckets: Sequence[float],
    *,
    cut: float | None = None,
    seed: int = 0,
) -> dict[str, Figure]:
    """The columns of Talebi and Milanfar's Tables I and II, each with its interval.

    Args:
        said: ``(N, K)`` opinions of a scorer on the table's photos.
        table: what people say.
        buckets: of the scorer; its means are moved linearly to the table's scale where it differs.
        cut: rating on the table's scale above which a photo counts as good; the middle of the
            scale when None, and 5 on a scale from 1 to 10, as on AVA.
        seed: of the bootstrap, over the table's groups where its photos share some.

    Returns:
        ``accuracy at CUT``, ``LCC`` and ``SRCC`` of the mean; where the table knows how opinions
        spread, those of the standard deviation; and where it also has as many buckets as the
        scorer, ``EMD`` with r = 1.
    """
    place = middle(table.buckets) if cut is None else cut
    alike = _alike(table, seed)
    mean = _moved(opinion.mean(said, buckets), buckets, table.buckets)
    figures = {
        f"accuracy at {place:g}": accuracy(mean, table.means, cut=place, **alike),
        "LCC": lcc(mean, table.means, **alike),
        "SRCC": srcc(mean, table.means, **alike),
    }
    if table.spread == "model":
        return figures
    std = opinion.std(said, buckets)
    figures["LCC of std"] = lcc(std, table.stds, **alike)
    figures["SRCC of std"] = srcc(std, table.stds, **alike)
    if said.shape[1] == len(table.buckets):
        figures["EMD"] = average(opinion.emd(said, table.opinions.to(said)), **alike)
    return figures


def unified(
    said: Tensor,
    table: RatingTable,
    buckets: Sequence[float],
    *,
    cut: float | None = None,
    seed: int = 0,
) -> dict[str, Figure]:
    """What Murray and Gordo (2017) report of a network that predicts distributions.

    ``KL``, the divergence of the scorer's opinion from people's; ``CDL``, the cumulative-
    distribution loss, here the root mean square over buckets of the difference of the cumulative
    distributions; ``MSE`` of the mean score; ``rho``, Spearman's; and the accuracy at the cut.
    KL and CDL need as many buckets as the table has, and a table that knows how opinions spread;
    they are left out otherwise.

    Args:
        As for `agreement`.
    """
    place = middle(table.buckets) if cut is None else cut
    alike = _alike(table, seed)
    mean = _moved(opinion.mean(said, buckets), buckets, table.buckets)
    figures: dict[str, Figure] = {}
    if said.shape[1] == len(table.buckets) and table.spread != "model":
        wanted, answered = table.opinions.double(), said.double().clamp(min=1e-8)
        divergence = torch.xlogy(wanted, wanted / answered).sum(-1)
        figures["KL"] = average(divergence, **alike)
        figures["CDL"] = average(opinion.emd(said, table.opinions.to(said), 2), **alike)
    figures["MSE"] = average((mean - table.means).square(), **alike)
    figures["rho"] = srcc(mean, table.means, **alike)
    figures[f"accuracy at {place:g}"] = accuracy(mean, table.means, cut=place, **alike)
    return figures


def middle(buckets: Sequence[float]) -> float:
    """Where good begins: 5 of AVA's 1 to 10, by custom; else the middle of the scale.

    >>> middle(range(1, 11)), middle(range(1, 6))
    (5.0, 3.0)
    """
    ends = (float(buckets[0]), float(buckets[-1]))
    return 5.0 if ends == (1.0, 10.0) else sum(ends) / 2


def _moved(means: Tensor, source: Sequence[float], target: Sequence[float]) -> Tensor:
    factor = (target[-1] - target[0]) / (source[-1] - source[0])
    return (means - source[0]) * factor + target[0]


class _Alike(TypedDict):
    groups: Sequence[str]
    seed: int


def _alike(table: RatingTable, seed: int) -> _Alike:
    """How rows are resampled: copies of one reference are not independent."""
    return {"groups": table.groups, "seed": seed}
