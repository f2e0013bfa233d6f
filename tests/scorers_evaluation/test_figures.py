"""Figures: against scipy, against hand-made cases, and with intervals that mean something."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
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
from scorers.evaluation.figure import Figure, bootstrap, share
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


def test_copies_of_one_scene_say_no_more_than_the_scene() -> None:
    """Ten copies of each of thirty rows: by groups the interval is that of the thirty."""
    once = np.random.default_rng(0).normal(0.0, 1.0, 30)
    copies, scenes = np.repeat(once, 10), np.repeat(np.arange(30), 10).tolist()
    alone, apart, together = (
        bootstrap(lambda a: float(a.mean()), *given, seed=3, **options)
        for given, options in (
            ((once,), {}),
            ((copies,), {}),
            ((copies,), {"groups": scenes}),
        )
    )
    assert (together.low, together.high) == pytest.approx((alone.low, alone.high))
    assert together.n == 300
    assert apart.high - apart.low < 0.5 * (together.high - together.low)
    each = bootstrap(lambda a: float(a.mean()), once, seed=3, groups=list(range(30)))
    assert each == alone
    with pytest.raises(InputError, match="one group a row, got 2 for 30 rows"):
        bootstrap(lambda a: 0.0, once, groups=["a", "b"])


@pytest.mark.parametrize("figure", [accuracy, pair_accuracy, srcc, lcc])
def test_groups_reach_every_figure(figure: Callable[..., Figure]) -> None:
    generator = np.random.default_rng(1)
    truth = generator.normal(5.0, 1.0, 20)
    pairs = np.repeat([truth + generator.normal(0, 1, 20), truth], 12, axis=1)
    scenes = np.repeat(np.arange(20), 12).tolist()
    apart, together = figure(*pairs), figure(*pairs, groups=scenes)
    assert together.value == apart.value
    assert together.high - together.low > 1.5 * (apart.high - apart.low)


def test_a_table_with_copies_of_references_is_resampled_by_reference() -> None:
    said = opinions(40)
    shares = torch.lerp(said, opinions(40, seed=5), 0.5)
    copies = [tensor.repeat_interleave(8, 0) for tensor in (said, shares)]
    table = table_of(copies[1])
    grouped = replace(table, groups=[str(i // 8) for i in range(320)])
    apart, together = (agreement(copies[0], t, AVA) for t in (table, grouped))
    apart |= unified(copies[0], table, AVA)
    together |= unified(copies[0], grouped, AVA)
    for name, figure in together.items():
        assert figure.high - figure.low > 1.5 * (apart[name].high - apart[name].low), name


def test_shares_of_few_are_uncertain_even_where_all_agree() -> None:
    exact = 0.025 ** (1 / 24)
    for figure in (pair_accuracy([2.0] * 24, [1.0] * 24), accuracy([6.0] * 24, [7.0] * 24)):
        assert (figure.low, figure.high) == (pytest.approx(exact), 1)
    assert tied([2.0] * 24, [1.0] * 24).high == pytest.approx(1 - exact)
    scenes = [i // 4 for i in range(24)]  # six scenes, hence no more than six independent answers
    assert pair_accuracy([2.0] * 24, [1.0] * 24, groups=scenes).low == pytest.approx(
        0.025 ** (1 / 6)
    )
    with pytest.raises(InputError, match="one row at least"):
        share([])


@pytest.mark.parametrize("figure", [accuracy, pair_accuracy, tied, srcc, lcc])
def test_what_is_no_column_of_numbers_is_refused(figure: Callable[..., Figure]) -> None:
    with pytest.raises(InputError, match=r"must be finite, got nan in 1 of 3"):
        figure([1.0, 2.0, math.nan], [1.0, 2.0, 3.0])
    with pytest.raises(InputError, match=r"must be \(N,\), got \(\)"):
        figure(3.0, 2.0)
    with pytest.raises(InputError, match=r"must be \(N,\), got \(2, 2\)"):
        figure([[1.0, 2.0], [3.0, 4.0]], [1.0, 2.0])
    learning = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    assert figure(learning, [1.0, 2.0, 4.0]).n == 3
    with pytest.raises(InputError, match="cut must be finite, got nan"):
        accuracy([4.0, 6.0], [4.5, 4.0], cut=math.nan)


@pytest.mark.parametrize("value", [0.7, 0.1, 1e9])
def test_a_constant_has_no_correlation(value: float) -> None:
    for count in (3, 7, 10):  # .7 seven times has a mean that is off by a rounding
        assert math.isnan(lcc([value] * count, np.arange(count)).value)


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
