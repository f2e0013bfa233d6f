"""Figures: against scipy, against hand-made cases, and with intervals that mean something."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import pearsonr, spearmanr
from torch import Tensor

from scorers.errors import InputError
from scorers.evaluation.agreement import accuracy, lcc, pair_accuracy, pearson, spearman, srcc, tied
from scorers.evaluation.figure import Figure, bootstrap
from scorers.evaluation.opinions import agreement, middle, unified
from scorers.evaluation.report import as_json, as_table
from scorers.ratings.tables import RatingTable
from scorers.training.batches import stream

AVA = tuple(float(rating) for rating in range(1, 11))


def opinions(count: int, buckets: int = 10, seed: int = 0) -> Tensor:
    return torch.randn(count, buckets, generator=stream(seed)).mul(2).softmax(-1)


def table_of(
    shares: Tensor, buckets: tuple[float, ...] = AVA, spread: str = "votes"
) -> RatingTable:
    names = [f"{i}.jpg" for i in range(len(shares))]
    return RatingTable("t", Path(), names, shares, buckets, spread, names)  # type: ignore[arg-type]


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=3, max_size=30))
def test_correlations_are_scipys_and_nan_for_constants(rows: list[tuple[int, int]]) -> None:
    a, b = np.array(rows, dtype=float).T
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        assert math.isnan(pearson(a, b))
        assert math.isnan(spearman(a, b))
        return
    assert pearson(a, b) == pytest.approx(pearsonr(a, b).statistic, abs=1e-9)
    assert spearman(a, b) == pytest.approx(spearmanr(a, b).statistic, abs=1e-9)


def test_an_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    """95 of 100 samples, give or take what a hundred trials allow; an 80 % one would not."""
    generator = np.random.default_rng(0)
    held = 0
    for trial in range(100):
        sample = generator.normal(3.0, 1.0, 60)
        figure = bootstrap(lambda a: float(a.mean()), sample, resamples=300, seed=trial)
        held += figure.low <= 3.0 <= figure.high
    assert 88 <= held <= 99


def test_intervals_shrink_with_photos_and_repeat_with_the_seed() -> None:
    few, many = opinions(20)[:, 0], opinions(2000)[:, 0]
    wide, narrow = (bootstrap(lambda a: float(a.mean()), values, seed=1) for values in (few, many))
    assert narrow.high - narrow.low < 0.25 * (wide.high - wide.low)
    assert bootstrap(lambda a: float(a.mean()), few, seed=1) == wide
    with pytest.raises(InputError, match="equally long, with two rows at least, got 1 and 2"):
        bootstrap(lambda a, b: 0.0, [1.0, 2.0], [1.0])
    with pytest.raises(InputError, match="two rows at least, got 1"):
        bootstrap(lambda a: 0.0, [1.0])


def test_a_statistic_that_is_never_defined_has_no_interval() -> None:
    figure = srcc([1.0, 2.0, 3.0], [5.0, 5.0, 5.0])
    assert math.isnan(figure.value)
    assert math.isnan(figure.low)


def test_counted_figures() -> None:
    assert accuracy([4.0, 6.0, 7.0, 5.0], [3.0, 5.5, 4.0, 5.0]).value == 0.75  # 5 is not above 5
    assert pair_accuracy([2.0, 3.0, 1.0], [1.0, 3.0, 4.0]).value == pytest.approx(2 / 3)
    assert tied([2.0, 3.0, 1.0], [1.0, 3.0, 4.0]).value == pytest.approx(1 / 3)
    assert lcc([1.0, 2.0, 4.0], [2.0, 4.0, 8.0]).value == pytest.approx(1)


def test_perfect_opinions_have_perfect_figures() -> None:
    shares = opinions(30)
    found = agreement(shares, table_of(shares), AVA) | unified(shares, table_of(shares), AVA)
    for name in ("accuracy at 5", "LCC", "SRCC", "LCC of std", "SRCC of std", "rho"):
        assert found[name].value == pytest.approx(1)
    for name in ("EMD", "KL", "CDL", "MSE"):
        assert found[name].value == pytest.approx(0, abs=1e-6)


def test_figures_of_distributions_are_their_formulas() -> None:
    said, wanted = opinions(8, seed=1).double(), opinions(8, seed=2).double()
    wanted[0] = torch.eye(10)[3]  # a bucket without votes costs no divergence
    found = agreement(said, table_of(wanted), AVA) | unified(said, table_of(wanted), AVA)
    gap = (said - wanted).cumsum(-1)
    assert found["EMD"].value == pytest.approx(gap.abs().mean(-1).mean().item())
    assert found["CDL"].value == pytest.approx(gap.square().mean(-1).sqrt().mean().item())
    parts = torch.where(wanted > 0, wanted * (wanted / said).clamp(min=1e-300).log(), 0)
    assert found["KL"].value == pytest.approx(parts.sum(-1).mean().item())
    ratings = torch.arange(1.0, 11.0).double()
    assert found["MSE"].value == pytest.approx(((said - wanted) @ ratings).square().mean().item())


def test_scales_that_differ_are_moved_and_guessed_spreads_say_nothing() -> None:
    five = opinions(30, buckets=5)
    scorer_buckets = tuple(float(rating) for rating in range(5))  # the same, named from 0
    table = table_of(five, (1.0, 2.0, 3.0, 4.0, 5.0))
    assert unified(five, table, scorer_buckets)["MSE"].value == pytest.approx(0, abs=1e-6)
    assert agreement(five, table, scorer_buckets)["accuracy at 3"].value == 1
    ten = agreement(opinions(30), table, AVA)
    assert "EMD" not in ten
    assert "SRCC of std" in ten
    guessed = table_of(five, table.buckets, "model")
    assert set(agreement(five, guessed, scorer_buckets)) == {"accuracy at 3", "LCC", "SRCC"}
    assert set(unified(five, guessed, scorer_buckets)) == {"accuracy at 3", "MSE", "rho"}
    assert "accuracy at 2" in agreement(five, table, scorer_buckets, cut=2)
    assert middle(range(10)) == 4.5


def test_reports_are_readable_by_people_and_programs() -> None:
    figure = Figure(0.5, 0.25, math.nan, 7)
    text = as_json({"a": [figure], "b": (1, math.inf)})
    assert json.loads(text) == {
        "a": [{"value": 0.5, "low": 0.25, "high": None, "n": 7}],
        "b": [1, None],
    }
    lines = as_table({"x": {"SRCC": figure}, "y": {"EMD": 0.1}}, "figure").splitlines()
    assert len({len(line) for line in lines}) == 1
    assert [cell.strip() for cell in lines[3].split("|")] == ["", "EMD", "", "0.1", ""]
