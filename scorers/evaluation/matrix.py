"""Scorers against tables: how well what was learned on one table holds on another."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from scorers.evaluation.figure import Figure
from scorers.evaluation.judging import judge
from scorers.evaluation.opinions import agreement, unified
from scorers.ratings.tables import RatingTable
from scorers.scorer import Scorer

Cell = dict[str, Figure]


def cross(
    scorers: Mapping[str, Scorer],
    tables: Sequence[RatingTable],
    *,
    cut: float | None = None,
    seed: int = 0,
    tick: Callable[[], object] = lambda: None,
) -> dict[tuple[str, str], Cell]:
    """Every figure of every scorer on every table, by names: Talebi and Milanfar's Tables I to IV.

    Args:
        tables: whose photos can all be read.
        cut, seed: see `scorers.evaluation.opinions.agreement`.
        tick: called after each photo.
    """
    cells: dict[tuple[str, str], Cell] = {}
    for table in tables:
        for name, scorer in scorers.items():
            said = judge(scorer, table, tick=tick)
            buckets = scorer.card.buckets
            first = agreement(said, table, buckets, cut=cut, seed=seed)
            cells[name, table.name] = first | unified(said, table, buckets, cut=cut, seed=seed)
    return cells
