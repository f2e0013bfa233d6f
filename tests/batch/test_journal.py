"""The journal survives a kill at any byte, and refuses what is not its own."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from enhance.batch.journal import NAME, Journal
from enhance.batch.plan import Job
from enhance.batch.row import Row
from enhance.errors import ReadError, WriteError
from enhance.recipe import Recipe

ASKED = {"seed": 0, "bounds": {"detail": [0.0, 1.0]}}


def job(folder: Path, name: str, *, size: int = 1) -> Job:
    return Job(name, name, folder / name, folder / name, (size, 1))


def row(name: str) -> Row:
    recipe = Recipe(("turbo",), {"sigma_s": 2.5}, score=5, baseline=4, gain=1, interval=(0.5, 1.5))
    return Row.done(name, name, recipe)


def done(folder: Path, names: str) -> None:
    """A journal of these photos, in this order, whose files are in place."""
    with Journal(folder, ASKED) as journal:
        for name in names:
            task = job(folder, name)
            journal.add(task, row(name))
            task.target.touch()
            task.recipe.touch()


def test_rows_come_back(tmp_path: Path) -> None:
    done(tmp_path / "out", "ba")
    with Journal(tmp_path / "out", ASKED) as journal:
        assert journal.row(job(tmp_path / "out", "a")) == row("a")
        assert journal.row(job(tmp_path / "out", "c")) is None


def test_a_changed_photo_or_a_missing_file_is_to_be_done_again(tmp_path: Path) -> None:
    done(tmp_path, "abc")
    job(tmp_path, "b").target.unlink()
    job(tmp_path, "c").recipe.unlink()
    with Journal(tmp_path, ASKED) as journal:
        assert journal.row(job(tmp_path, "a", size=2)) is None
        assert journal.row(job(tmp_path, "b")) is None
        assert journal.row(job(tmp_path, "c")) is None


def test_a_kill_at_any_byte_loses_at_most_the_last_photo(tmp_path: Path) -> None:
    done(tmp_path, "abc")
    path = tmp_path / NAME
    whole = path.read_bytes()
    begin = whole.index(b"\n") + 1
    for end in (*range(begin, len(whole), 13), len(whole)):
        path.write_bytes(whole[:end])
        complete = whole[:end].count(b"\n") - 1
        with Journal(tmp_path, ASKED) as journal:
            found = [journal.row(job(tmp_path, name)) is not None for name in "abc"]
            assert found == [index < complete for index in range(3)]
            for name in "abc"[complete:]:
                journal.add(job(tmp_path, name), row(name))
        assert path.read_bytes() == whole


@pytest.mark.parametrize("end", [0, 1, 20])
def test_a_kill_while_the_first_line_is_written_costs_nothing(tmp_path: Path, end: int) -> None:
    done(tmp_path / "whole", "")
    whole = (tmp_path / "whole" / NAME).read_bytes()
    (tmp_path / "cut").mkdir()
    (tmp_path / "cut" / NAME).write_bytes(whole[:end])
    done(tmp_path / "cut", "")
    assert (tmp_path / "cut" / NAME).read_bytes() == whole
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / NAME).write_bytes(whole[:end])
    (tmp_path / "other" / "mine.txt").touch()
    with pytest.raises(WriteError, match=r"must be empty .* got 'mine\.txt'"):
        done(tmp_path / "other", "")


def test_of_two_that_begin_at_once_one_gets_it(tmp_path: Path) -> None:
    with Journal(tmp_path, ASKED):
        with pytest.raises(WriteError, match="another batch is at work there"):
            Journal(tmp_path, ASKED)
        (tmp_path / NAME).rename(tmp_path / "gone")  # as the end of the first one does
        (tmp_path / "gone").unlink()
    with Journal(tmp_path, ASKED) as journal:
        assert journal.row(job(tmp_path, "a")) is None


def test_the_end_does_not_tell_the_order_of_work(tmp_path: Path) -> None:
    texts = set()
    for names in ("abc", "cab"):
        folder = tmp_path / names
        done(folder, names)
        with Journal(folder, ASKED) as journal:
            journal.finish([job(folder, name) for name in "abc"])
        texts.add((folder / NAME).read_bytes())
    assert len(texts) == 1


def test_a_failed_photo_is_tried_again(tmp_path: Path) -> None:
    with Journal(tmp_path, ASKED) as journal:
        journal.add(job(tmp_path, "a"), row("a"))
        journal.add(job(tmp_path, "a", size=2), Row.failed("a", "cannot read a:\nempty"))
        journal.finish([job(tmp_path, "a")])
    assert (tmp_path / NAME).read_bytes().count(b"\n") == 1


def test_what_a_kill_left_is_cleared_away(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    left = [tmp_path / ".0123.part", tmp_path / "sub" / ".4567.part"]
    done(tmp_path / "other", "a")
    left[0].touch()
    with pytest.raises(WriteError, match=r"must be empty .* got 'other'"):
        Journal(tmp_path, ASKED)
    for path in left:
        path.touch()
    (tmp_path / NAME).write_text(json.dumps(ASKED) + "\n")
    Journal(tmp_path, ASKED).__exit__(None, None, None)
    assert not any(path.exists() for path in left)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({**ASKED, "seed": 1}, "begun with seed=0, got 1"),
        ({**ASKED, "bounds": {}}, r"begun with bounds={'detail': \[0.0, 1.0\]}, got {}"),
        ({**ASKED, "crops": 4}, "begun with crops=None, got 4"),
        ({"bounds": ASKED["bounds"]}, "begun with seed=0, got None"),
    ],
)
def test_another_batch_is_refused(tmp_path: Path, asked: dict, message: str) -> None:
    done(tmp_path, "a")
    before = (tmp_path / NAME).read_bytes()
    with pytest.raises(WriteError, match=message):
        Journal(tmp_path, asked)
    assert (tmp_path / NAME).read_bytes() == before


def test_a_batch_at_work_keeps_others_out(tmp_path: Path) -> None:
    pytest.importorskip("fcntl", reason="files are not locked on this system")
    with Journal(tmp_path, ASKED), pytest.raises(WriteError, match="another batch is at work"):
        Journal(tmp_path, ASKED)
    Journal(tmp_path, ASKED).__exit__(None, None, None)


@pytest.mark.parametrize("damage", ["no json", "{}", "[1]", '{"fingerprint": 1, "photo": "a"}'])
def test_damage_is_named(tmp_path: Path, damage: str) -> None:
    done(tmp_path, "ab")
    lines = (tmp_path / NAME).read_text().splitlines()
    lines[1] = damage
    (tmp_path / NAME).write_text("\n".join(lines) + "\n")
    with pytest.raises(ReadError, match="line 2 is damaged"):
        Journal(tmp_path, ASKED)


def test_a_result_that_has_no_row_any_more_is_left_alone(tmp_path: Path) -> None:
    done(tmp_path, "abc")
    before = {path.name for path in tmp_path.iterdir()}
    with Journal(tmp_path, ASKED) as journal:
        journal.add(job(tmp_path, "a", size=2), Row.failed("a", "cannot read a: empty"))
        journal.finish([job(tmp_path, "a", size=2), job(tmp_path, "b")])  # c is gone
    assert {path.name for path in tmp_path.iterdir()} == before
    with Journal(tmp_path, ASKED) as journal:
        found = [journal.row(job(tmp_path, name)) for name in "abc"]
    assert [row is not None for row in found] == [False, True, False]


def test_a_full_disk_is_said_in_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(file: int) -> None:
        raise OSError(28, "No space left on device")

    with Journal(tmp_path, ASKED) as journal:
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(WriteError, match=r"cannot write .*batch\.jsonl: No space left"):
            journal.add(job(tmp_path, "a"), row("a"))
    with pytest.raises(WriteError, match="No space left"):
        Journal(tmp_path / "new", ASKED)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs the device /dev/full")
def test_closing_a_journal_on_a_full_disk_hides_no_error(tmp_path: Path) -> None:
    def on_full_disk() -> Journal:
        journal = Journal(tmp_path, ASKED)
        journal._file.close()
        journal._file = os.fdopen(os.open("/dev/full", os.O_RDWR), "r+b")
        return journal

    begun = on_full_disk()
    with pytest.raises(WriteError, match=r"cannot write .* No space left"):
        begun.add(job(tmp_path, "a"), row("a"))
    begun.__exit__(WriteError, WriteError("the error that is told"), None)
    begun = on_full_disk()
    begun._file.write(b"what is still in the buffer")
    with pytest.raises(WriteError, match=r"cannot write .* No space left"):
        begun.__exit__(None, None, None)
