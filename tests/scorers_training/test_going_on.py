"""What lies in the folder of a run: gone on with, or refused in one line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from scorers.errors import InputError, ScorerError, WeightsError
from scorers.nima import NIMA
from scorers.ratings.readers import read_table
from scorers.training.distributed import World
from scorers.training.log import append_row, keep_rows_before
from scorers.training.options import Training
from scorers.training.session import train_scorer
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


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def never() -> None:
    pytest.fail("a photo was decoded first")


def test_another_run_leaves_a_folder_as_it_is(rated_folder: Path, tmp_path: Path) -> None:
    table, how = read_table(rated_folder / "ratings.csv"), quick(tmp_path)
    train_scorer(table, how, ALONE)
    before = contents(tmp_path)
    for change in ({"rate": 2.0}, {"seed": 1}, {"size": 36}):
        with pytest.raises(InputError, match="holds a run with other"):
            train_scorer(table, replace(how, **change), ALONE, looked=never)
    with pytest.raises(InputError, match="holds a run with other photos"):
        train_scorer(table.take(range(3, 42)), how, ALONE)
    assert contents(tmp_path) == before
    train_scorer(table, how, ALONE, looked=never)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"backbone": "resnet"}, "unknown backbone 'resnet'"),
        ({"backbone": "vgg16", "options": {"width": 2}}, "width"),
        ({"weights": "nobody"}, "unknown scorer 'nobody'"),
        ({"weights": "gone.safetensors"}, r"cannot read gone\.safetensors"),
        ({"teacher": "nobody"}, "unknown scorer 'nobody'"),
        ({"teacher": "nima-aesthetic", "buckets": (1, 2, 3)}, "answers over 10 buckets"),
        ({"options": {"width": 0.25}, "batch": 1, "epochs": (1, 1)}, "batch norm needs two values"),
    ],
    ids=str,
)
def test_options_are_refused_before_photos_are_decoded(
    change: dict[str, Any], rule: str, rated_folder: Path, tmp_path: Path
) -> None:
    table = read_table(rated_folder / "ratings.csv")
    with pytest.raises(ScorerError, match=rule):
        train_scorer(table, replace(quick(tmp_path / "out"), **change), ALONE, looked=never)
    assert not (tmp_path / "out").exists()


def test_a_batch_is_shared_evenly_or_refused_before_photos_are_decoded(
    rated_folder: Path, tmp_path: Path
) -> None:
    class ThreeProcesses(World):
        def from_first(self, value: Any) -> Any:
            return value

    three = ThreeProcesses(0, 3, torch.device("cpu"))
    table = read_table(rated_folder / "ratings.csv")
    with pytest.raises(InputError, match="multiple of the 3 processes, got 8"):
        train_scorer(table, quick(tmp_path), three, looked=never)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("train.csv", "filename,mean\na.png,5\n"),
        ("validation.csv", "step,epoch\n1,2\n"),
        ("skipped.csv", "filename,mean\na.png,5\n"),
    ],
)
def test_tables_of_others_in_the_folder_are_not_touched(
    name: str, content: str, rated_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(content)
    table = read_table(rated_folder / "ratings.csv")
    with pytest.raises(InputError, match=f"{name} is not a log of this run: its columns must be"):
        train_scorer(table, quick(tmp_path), ALONE, looked=never)
    assert contents(tmp_path) == {name: content.encode()}


def test_blank_lines_do_not_hide_a_table_of_somebody_elses(tmp_path: Path) -> None:
    path = tmp_path / "train.csv"
    path.write_text("\nfilename,mean\na,1\n")
    with pytest.raises(InputError, match="not a log of this run"):
        append_row(path, {"step": 1, "epoch": 0})
    assert path.read_text() == "\nfilename,mean\na,1\n"


def test_fewer_photos_than_processes_are_refused_before_any_is_decoded(
    rated_folder: Path, tmp_path: Path
) -> None:
    table = read_table(rated_folder / "ratings.csv")
    several = World(0, 1000, torch.device("cpu"))
    with pytest.raises(InputError, match="for each of the 1000 processes, got"):
        train_scorer(table, quick(tmp_path), several, looked=never)


def test_an_empty_log_is_one_that_has_not_begun(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.touch()
    append_row(path, {"step": 1, "loss": 2})
    append_row(path, {"step": 2, "loss": 1})
    assert path.read_text().split() == ["step,loss", "1,2", "2,1"]
    with pytest.raises(InputError, match="its columns must be loss,step, got step,loss"):
        append_row(path, {"loss": 1, "step": 2})
    path.write_text("filename,mean\na.png,5\n")
    with pytest.raises(InputError, match="must have a column step, got filename,mean"):
        keep_rows_before(path, 1)


def test_the_card_states_the_batch_that_was_used(rated_folder: Path, tmp_path: Path) -> None:
    table = read_table(rated_folder / "ratings.csv")
    count = len(table.take(range(40)).part("train"))
    scorer = train_scorer(table, replace(quick(tmp_path), batch=96), ALONE)
    assert f"; {count} photos a step" in scorer.card.origin
    assert scorer.card.training_data.startswith(f"ratings: {count} photos")


def break_weights(network: NIMA) -> None:
    network.head.bias.data[0] = torch.nan


@pytest.mark.parametrize("validated", [True, False])
def test_a_network_that_is_no_longer_finite_is_not_written(
    validated: bool, rated_folder: Path, tmp_path: Path
) -> None:
    """The last step of an epoch may be the one that goes wrong, and no loss follows it."""
    table = read_table(rated_folder / "ratings.csv").take(range(40))
    if not validated:
        table = replace(table, parts=["train"] * 40)
    steps = len(table.part("train")) // 8
    networks: list[NIMA] = []

    def remembered(network: NIMA, *_: Any) -> None:
        networks.append(network)

    def tick(done: int, *_: Any) -> None:
        if done == steps:
            break_weights(networks[-1])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("scorers.training.fit.check_batch", remembered)
        with pytest.raises(ScorerError, match=r"nan after step|no longer finite after step"):
            train_scorer(table, quick(tmp_path), ALONE, tick=tick)
    assert not (tmp_path / "tiny.safetensors").exists()
    assert not (tmp_path / "checkpoint.pt").exists()


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
        ({"model": {}, "average": {}, "step": 3}, "no checkpoint of this training"),
        ([1, 2], "no checkpoint of this training"),
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
