"""Which photos a batch takes, and where each result goes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from enhance.batch.plan import plan
from enhance.errors import ReadError, WriteError


def places(folder: Path, output: Path) -> dict[str, str]:
    return {job.photo: job.output for job in plan(folder, output)}


def make(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def test_results_keep_place_and_name(tmp_path: Path) -> None:
    folder = make(tmp_path / "in", "b/a.png", "a.png", "a.jpg", "a.PNG", "notes.txt", "a b/ü.tif")
    found = places(folder, tmp_path / "out")
    assert list(found) == ["a b/ü.tif", "a.PNG", "a.jpg", "a.png", "b/a.png"]
    assert all(photo == output for photo, output in found.items())


def test_no_two_results_meet(tmp_path: Path) -> None:
    folder = make(tmp_path, "a.nef", "a.cr2", "a.nef.jpg", "a.jpg")
    assert places(folder, tmp_path / "out") == {
        "a.cr2": "a.cr2.jpg",
        "a.jpg": "a.jpg",
        "a.nef": "a.nef.jpg.jpg",
        "a.nef.jpg": "a.nef.jpg",
    }


def test_hidden_files_and_the_output_are_left_out(tmp_path: Path) -> None:
    folder = make(tmp_path, "a.jpg", ".b.jpg", ".trash/c.jpg", "out/d.jpg", "sub/out/e.jpg")
    assert list(places(folder, tmp_path / "out")) == ["a.jpg", "sub/out/e.jpg"]


def test_results_of_another_batch_are_no_photos(tmp_path: Path) -> None:
    folder = make(tmp_path, "a.jpg", "before/batch.jsonl", "before/a.jpg", "before/sub/b.jpg")
    assert list(places(folder, tmp_path / "out")) == ["a.jpg"]
    assert list(places(folder / "before", tmp_path / "out")) == ["a.jpg", "sub/b.jpg"]


def test_an_output_that_links_to_itself_is_left_to_who_writes(tmp_path: Path) -> None:
    folder = make(tmp_path / "in", "a.jpg", "sub/b.jpg")
    (tmp_path / "loop").symlink_to("loop")
    assert list(places(folder, tmp_path / "loop")) == ["a.jpg", "sub/b.jpg"]


def test_linked_folders_are_not_followed(tmp_path: Path) -> None:
    folder = make(tmp_path / "in", "a.jpg")
    (folder / "loop").symlink_to(folder)
    (folder / "b.jpg").symlink_to(folder / "a.jpg")
    assert list(places(folder, tmp_path / "out")) == ["a.jpg", "b.jpg"]


def test_folders_that_will_not_do(tmp_path: Path) -> None:
    folder = make(tmp_path / "in", "a.jpg")
    with pytest.raises(ReadError, match="no such folder"):
        plan(tmp_path / "missing", tmp_path / "out")
    with pytest.raises(ReadError, match="no such folder"):
        plan(folder / "a.jpg", tmp_path / "out")
    with pytest.raises(WriteError, match="it is the folder of the photos"):
        plan(folder, tmp_path / "in" / ".." / "in")
    with pytest.raises(ReadError, match="no photo in it"):
        plan(make(tmp_path / "texts", "a.txt"), tmp_path / "out")


def test_a_link_to_nowhere_is_a_photo_that_fails(tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").symlink_to("nowhere.jpg")
    (job,) = plan(tmp_path, tmp_path / "out")
    assert job.photo == "broken.jpg"


def test_a_folder_that_cannot_be_read_is_no_empty_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.jpg").touch()
    (tmp_path / "secret").mkdir()
    real = os.scandir

    def scandir(path: str) -> object:  # a test may run as root
        if Path(path).name == "secret":
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(ReadError, match=r"cannot read .*secret: Permission denied"):
        plan(tmp_path, tmp_path / "out")
