"""What lies in the folder of a run: gone on with, or refused in one line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from scorers.errors import InputError, WeightsError
from scorers.ratings.readers import read_table
from scorers.training.distributed import World
from scorers.training.session import Training, train_scorer
from scorers.training.skipped import readable_once

ALONE = World(0, 1, torch.device("cpu"))


def quick(out: Path) -> Training:
    return Training(
        "tiny", out, "two-stage", backbone="mobilenet_v1", size=32, epochs=(1, 0), batch=8,
        options={"width": 0.25, "folded": True},
    )  # fmt: skip


def test_a_run_that_goes_on_does_not_look_at_photos_again(
    rated_folder: Path, tmp_path: Path
) -> None:
    table, how = read_table(rated_folder / "ratings.csv"), quick(tmp_path)
    ticks: list[None] = []
    notes: list[str] = []

    def train(how: Training) -> int:
        ticks.clear()
        train_scorer(table, how, ALONE, note=notes.append, looked=lambda: ticks.append(None))
        return len(ticks)

    assert train(how) == 42
    listed = (tmp_path / "skipped.csv").read_text()
    assert train(how) == 0
    assert notes[0] == notes[2] == "40 photos of ratings, 2 skipped"
    assert (tmp_path / "skipped.csv").read_text() == listed
    with pytest.raises(InputError, match="holds a run with other stages"):
        train(replace(how, rate=2.0))
    assert len(ticks) == 42  # another run looks for itself


def test_what_was_found_is_remembered_for_one_run_and_only_beside_its_checkpoint(
    rated_folder: Path, tmp_path: Path
) -> None:
    table = read_table(rated_folder / "ratings.csv").take(range(38, 42))
    ticks: list[None] = []

    def look(**identity: str) -> int:
        ticks.clear()
        rows, skipped = readable_once(
            table, 32, tmp_path, identity, tick=lambda: ticks.append(None)
        )
        assert rows == [0, 1]
        assert [photo.name for photo in skipped] == ["gone.png", "cut.png"]
        return len(ticks)

    assert look(seed="0") == 4
    assert look(seed="0") == 4  # nothing to go on from: photos may have come since
    (tmp_path / "checkpoint.pt").touch()
    assert look(seed="0") == 0
    assert look(seed="1") == 4
    for damaged in ("", "[]", '{"run": {}}'):
        (tmp_path / "readable.json").write_text(damaged)
        assert look(seed="1") == 4


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"half a zip fi", "damaged; remove it to start anew"),
        ({"model": {}, "average": {}, "step": 3}, "no checkpoint of scorers train"),
        ([1, 2], "no checkpoint of scorers train"),
    ],
    ids=str,
)
def test_other_checkpoints_are_refused_in_one_line(
    content: object, rule: str, rated_folder: Path, tmp_path: Path
) -> None:
    path = tmp_path / "checkpoint.pt"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        torch.save(content, path)
    table = read_table(rated_folder / "ratings.csv")
    with pytest.raises(WeightsError, match=rule) as caught:
        train_scorer(table, quick(tmp_path), ALONE)
    assert "\n" not in str(caught.value)


def test_a_checkpoint_of_another_network_is_refused_in_one_line(
    rated_folder: Path, tmp_path: Path
) -> None:
    table, path = read_table(rated_folder / "ratings.csv"), tmp_path / "checkpoint.pt"
    train_scorer(table, quick(tmp_path), ALONE)
    state = torch.load(path, weights_only=True)
    state["network"].pop("head.bias")
    torch.save(state, path)
    with pytest.raises(WeightsError, match="it is of another network") as caught:
        train_scorer(table, quick(tmp_path), ALONE)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["a/b", "", ".", "/a"])
def test_a_name_is_refused_before_anything_is_done(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="name must be a file's, with no folder in it"):
        replace(quick(tmp_path), name=name)
