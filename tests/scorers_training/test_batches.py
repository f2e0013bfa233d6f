"""Order, crops and flips: drawn from the step alone, and as the recipe says."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from scorers.errors import InputError
from scorers.photos.decode import decode
from scorers.ratings.readers import read_table
from scorers.training.batches import Batches, balanced_weights, stream
from scorers.training.stages import RECIPES, recipe
from scorers.training.views import ViewDataset, readable, stored_size


def test_an_epoch_shows_every_photo_once_in_a_new_order() -> None:
    batches = Batches(20, 5, seed=3)
    first, second = batches.epoch(0), batches.epoch(1)
    assert first.shape == (4, 5)
    assert sorted(first.flatten().tolist()) == list(range(20))
    assert not torch.equal(first, second)
    assert torch.equal(first, Batches(20, 5, seed=3).epoch(0))
    assert len(Batches(23, 5)) == 4
    with pytest.raises(InputError, match="1 to 3 photos"):
        Batches(3, 4)


def test_balanced_batches_show_every_bin_alike() -> None:
    means = torch.cat([torch.full((900,), 5.0), torch.full((90,), 2.0), torch.full((10,), 9.0)])
    drawn = Batches(1000, 100, 0, balanced_weights(means)).epoch(0).flatten()
    shares = [(means[drawn] == level).double().mean().item() for level in (2.0, 5.0, 9.0)]
    assert shares == pytest.approx([1 / 3] * 3, abs=0.06)


def test_views_are_crops_and_flips_of_the_shrunk_photo(rated_folder: Path) -> None:
    files = [rated_folder / f"p{i:02d}.png" for i in range(3)]
    views = ViewDataset(files, 28, seed=0, keep=True)
    assert views.stored == stored_size(28) == 32
    photo = decode(files[1], 32)
    seen = set()
    for epoch in range(60):
        view, row = views[epoch, 0, 1]
        assert row == 1
        assert torch.equal(view, ViewDataset(files, 28, seed=0, keep=False)[epoch, 0, 1][0])
        matches = [
            (top, left, flipped)
            for top in range(5)
            for left in range(5)
            for flipped in (False, True)
            if torch.equal(
                view.flip(-1) if flipped else view, photo[:, top : top + 28, left : left + 28]
            )
        ]
        assert len(matches) == 1
        seen.add(matches[0])
    assert {flipped for *_, flipped in seen} == {False, True}
    assert {top for top, *_ in seen} == {left for _, left, _ in seen} == set(range(5))


def test_a_row_drawn_twice_in_an_epoch_is_seen_in_other_ways(rated_folder: Path) -> None:
    views = ViewDataset([rated_folder / "p00.png"] * 2, 28, seed=0, keep=True)
    batches = Batches(2, 2, weights=torch.tensor([0.0, 1.0]))
    (first, second), *_ = batches.places(0).tolist()
    assert first[1] == second[1] == 1
    assert not torch.equal(views[0, *first][0], views[0, *second][0])
    assert torch.equal(views[0, *first][0], views[0, *first][0])


def test_unreadable_photos_are_found_and_told_apart(rated_folder: Path) -> None:
    table = read_table(rated_folder / "ratings.csv")
    ticks: list[None] = []
    rows, skipped = readable(table, 32, tick=lambda: ticks.append(None))
    assert rows == list(range(40))
    assert [photo.name for photo in skipped] == ["gone.png", "cut.png"]
    assert "no such file" in skipped[0].reason
    assert len(ticks) == 42
    with pytest.raises(InputError, match="none of the 2 photos"):
        readable(table.take([40, 41]), 32)


def test_the_published_rates() -> None:
    (nima,) = RECIPES["nima"].stages
    assert (nima.optimiser, nima.head, nima.backbone) == ("sgd", 3e-6, 3e-7)
    assert [nima.factor(epoch, 0) for epoch in (0, 9, 10, 20)] == [1, 1, 0.95, 0.95**2]
    head, everything = RECIPES["two-stage"].stages
    assert head.backbone is None
    assert everything.factor(3, 10_000) == pytest.approx(1 / 1.23)
    assert recipe("two-stage").with_epochs((0, 3)).stages[0].backbone == 3e-5
    with pytest.raises(InputError, match="epochs must be 2 numbers, not all 0, got"):
        recipe("two-stage").with_epochs((0, 0))


def test_streams_differ_where_their_keys_do() -> None:
    keys = [(0, "view", 1, 2), (0, "view", 2, 1), (0, "epoch", 1), (1, "view", 1, 2)]
    assert len({stream(*key).initial_seed() for key in keys}) == len(keys)
