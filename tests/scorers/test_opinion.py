"""Opinions: moments, earth mover's distance, maximum entropy, the model of std."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.stats import wasserstein_distance

from scorers import opinion
from scorers.errors import OpinionError

shares = st.lists(st.floats(0.01, 1.0), min_size=2, max_size=12).map(
    lambda values: torch.tensor(values, dtype=torch.float64) / sum(values)
)


@given(shares)
def test_moments_are_those_of_the_votes(p: torch.Tensor) -> None:
    ratings = np.arange(1, len(p) + 1)
    expected = np.average(ratings, weights=p.numpy())
    spread = np.average((ratings - expected) ** 2, weights=p.numpy()) ** 0.5
    assert opinion.mean(p).item() == pytest.approx(expected)
    assert opinion.std(p).item() == pytest.approx(spread, abs=1e-9)


def test_moments_follow_the_buckets_and_the_batch() -> None:
    p = torch.tensor([[[0.5, 0.0, 0.5]], [[0.0, 1.0, 0.0]]])
    assert opinion.mean(p, (0, 1, 2)).tolist() == [[1.0], [1.0]]
    assert opinion.std(p, (0, 10, 20)).tolist() == [[10.0], [0.0]]
    with pytest.raises(OpinionError, match="3 buckets needs as many, got 2"):
        opinion.mean(p, (0, 1))


@given(shares, st.integers(0, 2**31))
def test_emd_is_the_earth_movers_distance(p: torch.Tensor, seed: int) -> None:
    q = torch.rand(len(p), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    q = q / q.sum()
    places = np.arange(len(p))
    moved = wasserstein_distance(places, places, p.numpy(), q.numpy())
    assert opinion.emd(p, q).item() == pytest.approx(moved / len(p), abs=1e-9)
    assert opinion.emd(p, q).item() == pytest.approx(opinion.emd(q, p).item())
    # a mean of powers: r = 2 can only be larger
    assert opinion.emd(p, q, r=2) >= opinion.emd(p, q) - 1e-12


def test_emd_rewards_being_near_where_cross_entropy_does_not() -> None:
    one = torch.eye(5)
    assert opinion.emd(one[0], one[1]) < opinion.emd(one[0], one[4])


def test_emd_has_a_gradient_and_none_blows_up_at_equality() -> None:
    torch.manual_seed(0)
    logits = torch.randn(3, 5, dtype=torch.float64, requires_grad=True)
    target = torch.randn(3, 5, dtype=torch.float64).softmax(-1)
    assert torch.autograd.gradcheck(lambda x: opinion.emd(x.softmax(-1), target, 2.0), logits)
    same = target.clone().requires_grad_()
    opinion.emd(same, target, 2.0).sum().backward()
    assert same.grad is not None
    assert torch.equal(same.grad, torch.zeros_like(target))


def test_emd_refuses_what_it_cannot_compare() -> None:
    with pytest.raises(OpinionError, match="got 3 and 4"):
        opinion.emd(torch.ones(3) / 3, torch.ones(4) / 4)
    with pytest.raises(OpinionError, match=r"r must be at least 1, got 0\.5"):
        opinion.emd(torch.ones(3) / 3, torch.ones(3) / 3, r=0.5)


@given(
    count=st.integers(2, 12),
    low=st.floats(-5, 5),
    width=st.floats(0.5, 20),
    place=st.floats(0, 1),
    spread=st.floats(0, 1),
)
def test_maximum_entropy_has_the_moments_asked_for(
    count: int, low: float, width: float, place: float, spread: float
) -> None:
    buckets = torch.linspace(low, low + width, count, dtype=torch.float64)
    mean = buckets[0] + (buckets[-1] - buckets[0]) * place
    index = int((torch.searchsorted(buckets, mean, right=True) - 1).clamp(0, count - 2))
    least = ((mean - buckets[index]) * (buckets[index + 1] - mean)).clamp(min=0)
    most = ((mean - buckets[0]) * (buckets[-1] - mean)).clamp(min=0)
    variance = least + (most - least) * spread
    p = opinion.maximum_entropy(mean, variance.sqrt(), buckets)
    assert p.min() >= 0
    assert p.sum().item() == pytest.approx(1)
    assert (opinion.mean(p, buckets) - mean).abs() < 1e-7 * width
    assert (opinion.std(p, buckets) ** 2 - variance).abs() < 1e-7 * width**2


@pytest.mark.parametrize(("mean", "std"), [(5.5, 1.4), (2.0, 1.0), (9.3, 0.9), (5.0, 3.5)])
def test_no_other_distribution_with_these_moments_has_more_entropy(mean: float, std: float) -> None:
    """Against a general constrained optimiser."""
    p = opinion.maximum_entropy(torch.tensor(mean, dtype=torch.float64), std).numpy()
    ratings = np.arange(1.0, 11.0)
    rules = [
        {"type": "eq", "fun": lambda q: q.sum() - 1},
        {"type": "eq", "fun": lambda q: q @ ratings - mean},
        {"type": "eq", "fun": lambda q: q @ (ratings - mean) ** 2 - std**2},
    ]
    best = minimize(
        lambda q: (q * np.log(q)).sum(),
        np.full(10, 0.1),
        jac=lambda q: np.log(q) + 1,
        bounds=[(1e-12, 1)] * 10,
        constraints=rules,
        method="SLSQP",
        options={"maxiter": 1000, "ftol": 1e-14},
    )
    assert best.success
    np.testing.assert_allclose(p, best.x, atol=2e-5)


def test_maximum_entropy_of_uniform_moments_is_uniform() -> None:
    p = opinion.maximum_entropy(5.5, (99 / 12) ** 0.5)
    torch.testing.assert_close(p, torch.full((10,), 0.1))


def test_maximum_entropy_at_the_edges_of_the_possible() -> None:
    found = opinion.maximum_entropy(
        torch.tensor([1.0, 10.0, 4.0, 5.5, 5.5]), torch.tensor([0.0, 0.0, 0.0, 0.5, 4.5])
    )
    places = [{1}, {10}, {4}, {5, 6}, {1, 10}]
    for row, place in zip(found, places, strict=True):
        assert {int(i) + 1 for i in row.nonzero()} == place
    assert found.shape == (5, 10)


def test_maximum_entropy_broadcasts_and_keeps_the_dtype() -> None:
    p = opinion.maximum_entropy(torch.tensor([[4.0], [5.0]]), torch.tensor([1.0, 1.5, 2.0]))
    assert p.shape == (2, 3, 10)
    assert p.dtype == torch.float32


@pytest.mark.parametrize(
    ("mean", "std", "rule"),
    [
        (0.5, 1.0, r"mean must lie in \[1, 10\], got 0.5"),
        (float("nan"), 1.0, r"mean must lie in \[1, 10\], got nan"),
        (5.0, 4.6, r"mean 5 must lie in \[0, 4.472\], got 4.6"),
        (1.5, 0.1, r"mean 1.5 must lie in \[0.5, 2.062\], got 0.1"),
        (5.0, -1.0, r"got -1"),
        (5.0, float("nan"), r"got nan"),
    ],
)
def test_impossible_moments_are_refused(mean: float, std: float, rule: str) -> None:
    with pytest.raises(OpinionError, match=rule):
        opinion.maximum_entropy(mean, std)


def test_buckets_must_ascend() -> None:
    with pytest.raises(OpinionError, match="ascending"):
        opinion.maximum_entropy(2.0, 0.5, buckets=(3, 2, 1))


@given(st.floats(0, 1), st.integers(2, 12))
def test_the_typical_std_is_always_possible(place: float, count: int) -> None:
    mean = torch.tensor(1 + place * (count - 1), dtype=torch.float64)
    buckets = range(1, count + 1)
    std = opinion.typical_std(mean, buckets)
    p = opinion.maximum_entropy(mean, std, buckets)
    assert opinion.mean(p, buckets).item() == pytest.approx(mean.item(), abs=1e-6)


def test_the_typical_std_is_the_fit_to_koniq(shared: Path) -> None:
    """Constants, correlation and error that its docstring states, from the votes themselves."""
    table = shared / "data/labels_only/koniq10k_distributions_sets.csv"
    with open(table, newline="") as file:
        votes = torch.tensor(
            [[float(row[f"c{i}"]) for i in range(1, 6)] for row in csv.DictReader(file)],
            dtype=torch.float64,
        )
    mean, std = opinion.mean(votes), opinion.std(votes)
    place = ((mean - 1) / 4).numpy()
    fitted = np.polyfit(place, std.numpy() / 4, 2)
    np.testing.assert_allclose(fitted, (-0.2007, 0.1662, 0.1156), atol=5e-5)
    guess = opinion.typical_std(mean, range(1, 6))
    assert np.corrcoef(guess, std)[0, 1] == pytest.approx(0.366, abs=0.005)
    assert (guess - std).pow(2).mean().sqrt().item() == pytest.approx(0.0611, abs=0.0005)


def test_the_typical_std_needs_a_mean_on_the_scale() -> None:
    with pytest.raises(OpinionError, match=r"mean must lie in \[1, 10\], got 11"):
        opinion.typical_std(torch.tensor([5.0, 11.0]))
