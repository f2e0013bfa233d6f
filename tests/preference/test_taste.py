"""The model of a taste, on settings that look as far apart as they are."""

from __future__ import annotations

import pytest
import torch

from enhance.preference.taste import PARTICLES, SPREAD, Taste

METRIC = 80 * torch.eye(2, dtype=torch.float64)
CENTRE = torch.tensor([0.4, 0.5], dtype=torch.float64)


def test_before_any_choice_the_cloud_is_the_prior() -> None:
    cloud = Taste(CENTRE, METRIC).cloud
    assert cloud.shape == (PARTICLES, 2)
    assert bool(((cloud >= 0) & (cloud <= 1)).all())
    assert (cloud.mean(0) - CENTRE).abs().max() < 4 * SPREAD / PARTICLES**0.5 + 0.02
    assert bool((cloud.std(0) < SPREAD).all())  # cut at the bounds


@pytest.mark.parametrize("answer", ["left", "right", "same"])
def test_a_choice_moves_the_cloud_to_its_side(answer: str) -> None:
    left, right = CENTRE - torch.tensor([0.2, 0]), CENTRE + torch.tensor([0.2, 0])
    taste = Taste(CENTRE, METRIC)
    before = taste.ideal
    for _ in range(3):
        taste.learn(left, right, answer)  # type: ignore[arg-type]
    moved = (taste.ideal - before)[0]
    if answer == "same":  # then the ideal lies half way, which is known better than before
        assert abs((taste.ideal - CENTRE)[0]) < 0.05
        assert taste.cloud[:, 0].std() < 0.6 * SPREAD
    else:
        assert moved < -0.07 if answer == "left" else moved > 0.07
    assert abs((taste.ideal - before)[1]) < 0.08  # nothing was said of the other parameter


def test_one_slip_is_outvoted() -> None:
    taste = Taste(CENTRE, METRIC)
    left, right = CENTRE - torch.tensor([0, 0.3]), CENTRE + torch.tensor([0, 0.3])
    for answer in ("right", "left", "right", "right", "right"):
        taste.learn(left, right, answer)  # type: ignore[arg-type]
    assert taste.ideal[1] > CENTRE[1] + 0.07


def test_questions_are_of_what_is_not_known() -> None:
    taste = Taste(CENTRE, METRIC)
    for _ in range(8):
        taste.learn(*taste.question(), "left")
    generator = torch.Generator().manual_seed(0)
    left, right = taste.question()
    likes_left = (taste.cloud - right).norm(dim=1) > (taste.cloud - left).norm(dim=1)
    assert 0.2 < likes_left.double().mean() < 0.8
    picked = torch.randint(PARTICLES, (2, 100), generator=generator)
    typical = (taste.cloud[picked[0]] - taste.cloud[picked[1]]).norm(dim=1).median()
    assert (left - right).norm() > 0.7 * typical  # a difference that can be seen


def test_doubt_shrinks_and_the_seed_decides_all() -> None:
    def asked(seed: int) -> Taste:
        taste = Taste(CENTRE, METRIC, seed)
        hidden = torch.tensor([0.7, 0.2], dtype=torch.float64)
        for _ in range(12):
            left, right = taste.question()
            nearer = (left - hidden).norm() < (right - hidden).norm()
            taste.learn(left, right, "left" if nearer else "right")
        return taste

    first, again, other = asked(1), asked(1), asked(2)
    assert torch.equal(first.cloud, again.cloud)
    assert not torch.equal(first.cloud, other.cloud)
    assert first.doubt < Taste(CENTRE, METRIC).doubt / 3


def test_a_start_in_a_corner_is_no_trouble() -> None:
    taste = Taste(torch.ones(6, dtype=torch.float64), torch.eye(6, dtype=torch.float64))
    left, right = taste.question()
    taste.learn(left, right, "left")
    assert bool(((taste.cloud >= 0) & (taste.cloud <= 1)).all())


def test_a_start_in_a_corner_of_many_dimensions_is_none_either() -> None:
    """Hardly a draw of the prior is inside: each coordinate is a normal number cut off there."""
    corner = torch.zeros(24, dtype=torch.float64)
    corner[0] = 0.5
    cloud = Taste(corner, torch.eye(24, dtype=torch.float64)).cloud
    assert cloud.shape == (PARTICLES, 24)
    assert 0 <= cloud.min() <= cloud.max() <= 1
    half_normal = SPREAD * (2 / torch.pi) ** 0.5
    assert cloud[:, 1:].mean().item() == pytest.approx(half_normal, rel=0.02)
    assert cloud[:, 0].mean().item() == pytest.approx(0.5, abs=0.02)
