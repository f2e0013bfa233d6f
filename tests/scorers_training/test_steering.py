"""Ranking versions of a photo: what the losses ask for, and what the versions are."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from scorers.training.ranking import correlation_loss, expected_distance, rank_by_distance
from scorers.training.steering import DistortAndRecover, colour_distance, random_settings

BOUNDS = {"gain": (-0.3, 0.3), "offset": (-0.2, 0.2)}


def render(image: Tensor, settings: Mapping[str, Tensor]) -> Tensor:
    """A made-up operator: ``(P, 3, H, W)`` and ``(K, P)`` to ``(K, P, 3, H, W)``."""
    gain, offset = (settings[name][..., None, None, None] for name in ("gain", "offset"))
    return (image * (1 + gain) + offset).clamp(0, 1)


@pytest.fixture
def photos() -> Tensor:
    return 0.2 + 0.6 * torch.rand(3, 3, 64, 64, generator=torch.Generator().manual_seed(1))


@given(st.integers(0, 10_000))
def test_ranking_is_silent_exactly_when_the_order_has_its_margins(seed: int) -> None:
    distances = 20 * torch.rand(2, 5, generator=torch.Generator().manual_seed(seed))
    margins = {"margin_per_unit": 0.1, "largest_margin": 0.8}
    good = -0.1 * distances
    assert float(rank_by_distance(good, distances, **margins)) <= 1e-6
    assert float(rank_by_distance(-good, distances, **margins)) > 0


def test_versions_equally_far_are_not_compared() -> None:
    scores, distances = torch.tensor([[1.0, 5.0]]), torch.tensor([[3.0, 3.4]])
    loss = rank_by_distance(scores, distances, margin_per_unit=1.0, largest_margin=1.0)
    assert float(loss) == 0


@given(st.integers(0, 10_000))
def test_expected_distance_lies_between_best_and_worst(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    scores, distances = 5 * torch.rand(2, 4, 6, generator=generator)
    expected = expected_distance(scores, distances, temperature=0.3)
    assert float(distances.amin(1).mean()) - 1e-5 <= float(expected)
    assert float(expected) <= float(distances.amax(1).mean()) + 1e-5


def test_expected_distance_at_no_temperature_is_that_of_the_choice() -> None:
    generator = torch.Generator().manual_seed(0)
    scores, distances = torch.rand(2, 4, 6, generator=generator)
    chosen = distances.gather(1, scores.argmax(1, keepdim=True)).mean()
    expected = expected_distance(scores, distances, temperature=1e-4)
    torch.testing.assert_close(expected, chosen)


def test_expected_distance_has_true_gradients() -> None:
    generator = torch.Generator().manual_seed(0)
    scores, distances = torch.rand(2, 3, 4, generator=generator, dtype=torch.float64)
    scores.requires_grad_(True)
    torch.autograd.gradcheck(lambda s: expected_distance(s, distances, temperature=0.3), scores)


def test_correlation_ignores_scale_and_shift() -> None:
    means = torch.rand(8, generator=torch.Generator().manual_seed(0))
    assert float(correlation_loss(3 * means + 2, means)) == pytest.approx(0, abs=1e-5)
    assert float(correlation_loss(-means, means)) == pytest.approx(2, abs=1e-5)


def test_colour_distance_is_zero_for_the_photo_and_grows(photos: Tensor) -> None:
    assert float(colour_distance(photos, photos).max()) == 0
    steps = [colour_distance(photos * share, photos) for share in (0.9, 0.7, 0.5)]
    assert bool((steps[0] < steps[1]).all())
    assert bool((steps[1] < steps[2]).all())


def test_colour_distance_sees_tone_more_than_grain() -> None:
    grey = torch.full((1, 3, 64, 64), 0.5)
    sign = torch.ones(64, 64)
    sign[::2, ::2] = sign[1::2, 1::2] = -1  # a chessboard: its mean over 4 x 4 pixels is grey
    assert float(colour_distance(grey + 0.1 * sign, grey)) < 0.6 * float(
        colour_distance(grey + 0.1, grey)
    )


def test_versions_hold_the_photo_and_their_true_distances(photos: Tensor) -> None:
    recover = DistortAndRecover(render, BOUNDS)
    versions = recover(photos, torch.Generator().manual_seed(4))
    assert torch.equal(versions.images[:, 0], photos)
    assert versions.images.shape[:2] == versions.distances.shape
    for i in range(versions.distances.shape[1]):
        torch.testing.assert_close(
            versions.distances[:, i], colour_distance(versions.images[:, i], photos)
        )


def test_searches_start_where_they_say_and_the_near_ones_come_near(photos: Tensor) -> None:
    recover = DistortAndRecover(render, BOUNDS)
    versions = recover(photos, torch.Generator().manual_seed(4))
    of_photo, of_undeveloped, of_damaged = versions.searches
    assert of_photo[0] == 0
    columns = [column for search in versions.searches for column in search]
    assert len(set(columns)) == len(columns)
    for search, near in ((of_undeveloped, 3), (of_damaged, 2)):
        nearest, anyhow = search[1 : 1 + near], search[1 + near :]
        mean = versions.distances.mean(0)
        assert float(mean[nearest].mean()) < float(mean[anyhow].mean())


def test_versions_repeat_with_their_generator(photos: Tensor) -> None:
    recover = DistortAndRecover(render, BOUNDS)
    first, again = (recover(photos, torch.Generator().manual_seed(7)).images for _ in range(2))
    assert torch.equal(first, again)


def test_absent_groups_keep_their_zero() -> None:
    recover = DistortAndRecover(render, BOUNDS, absent=0.5, groups=(("gain",), ("offset",)))
    drawn = recover.settings(50, 20, torch.Generator().manual_seed(0))
    for name, value in drawn.items():
        assert float((value == 0).float().mean()) == pytest.approx(0.5, abs=0.08), name


def test_random_settings_stay_in_the_box() -> None:
    drawn = random_settings(BOUNDS, 40, 10, torch.Generator().manual_seed(0))
    for name, (low, high) in BOUNDS.items():
        assert low <= float(drawn[name].min()) < 0 < float(drawn[name].max()) <= high
