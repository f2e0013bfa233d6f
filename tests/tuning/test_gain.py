from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from enhance.tuning.gain import paired_gain


@pytest.mark.parametrize("views", [4, 50])
def test_interval_covers_the_true_gain_in_95_of_100(views: int) -> None:
    generator = torch.Generator().manual_seed(0)
    trials, covered = 2000, 0
    for _ in range(trials):
        # views differ far more among themselves than the gain does
        baseline = 5 + torch.randn(views, generator=generator)
        scores = baseline + 0.1 + 0.3 * torch.randn(views, generator=generator)
        gain = paired_gain(baseline, scores)
        covered += gain.low <= 0.1 <= gain.high
    # a binomial proportion's three standard deviations
    assert covered / trials == pytest.approx(0.95, abs=3 * (0.95 * 0.05 / trials) ** 0.5)


@given(st.lists(st.floats(0, 10), min_size=2, max_size=9), st.floats(-3, 3))
def test_equal_differences_leave_no_doubt(baseline: list[float], shift: float) -> None:
    before = torch.tensor(baseline, dtype=torch.float64)
    gain = paired_gain(before, before + shift)
    assert gain.mean == pytest.approx(shift, abs=1e-9)
    assert gain.margin == pytest.approx(0, abs=1e-9)


def test_one_view_is_as_uncertain_as_its_gain_is_large() -> None:
    gain = paired_gain(torch.tensor([5.0]), torch.tensor([5.5]))
    assert (gain.low, gain.mean, gain.high) == (0, 0.5, 1)
