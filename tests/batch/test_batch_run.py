"""A batch from folder to folder: the same whatever interrupts it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import enhance
from enhance.batch import Request, Row, run_batch, worker, write_table
from enhance.batch.journal import NAME
from enhance.errors import ParameterError, UnknownNameError, WriteError, warn

Contents = Callable[[Path], dict[str, bytes]]


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


@pytest.mark.usefixtures("in_this_process")
def test_each_result_is_what_its_recipe_makes_of_the_photo(
    shoot: Path, request_: Request, tmp_path: Path, contents: Contents
) -> None:
    before = contents(shoot)
    result = run_batch(shoot, tmp_path / "out", request_)
    assert contents(shoot) == before
    assert [row.photo for row in result.rows] == list(before)
    assert result.count("enhanced") == 5
    for row in result.rows:
        recipe = enhance.Recipe.load(tmp_path / "out" / f"{row.output}.json")
        assert (recipe.score, recipe.interval, recipe.settings) == (
            row.score,
            row.interval,
            row.settings,
        )
        again = tmp_path / f"again{Path(row.photo).suffix}"
        enhance.apply(shoot / row.photo, recipe, output=again)
        assert again.read_bytes() == (tmp_path / "out" / row.output).read_bytes()
        assert not np.array_equal(pixels(again), pixels(shoot / row.photo))


@pytest.mark.usefixtures("in_this_process")
def test_what_is_done_is_not_done_again(
    shoot: Path, request_: Request, tmp_path: Path, contents: Contents
) -> None:
    out = tmp_path / "out"
    first = run_batch(shoot, out, request_)
    made = contents(out)
    times = {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.name != NAME}
    again = run_batch(shoot, out, request_)
    assert again.rows == first.rows
    assert again.resumed == 5
    assert {path: path.stat().st_mtime_ns for path in times} == times

    # as after a kill: a journal cut short, a photo without its row, half of a temporary file
    (out / NAME).write_bytes(b"".join((out / NAME).read_bytes().splitlines(True)[:3]) + b'{"ph')
    (out / "a.jpg").unlink()
    (out / "sub" / ".0011223344556677.part").write_bytes(b"half")
    third = run_batch(shoot, out, request_)
    assert third.resumed == 1
    assert third.rows == first.rows
    assert contents(out) == made


@pytest.mark.usefixtures("in_this_process")
def test_a_photo_that_stays_untouched_is_copied(
    shoot: Path, request_: Request, tmp_path: Path, contents: Contents
) -> None:
    fixed = {"detail": 0, "shadow": 0, "brightness": 0}
    result = run_batch(shoot, tmp_path / "out", replace(request_, fixed=fixed, strategy=None))
    assert result.count("untouched") == 5
    made = contents(tmp_path / "out")
    assert {name: made[name] for name in contents(shoot)} == contents(shoot)


@pytest.mark.usefixtures("in_this_process")
def test_each_photo_starts_from_what_is_given(
    shoot: Path, request_: Request, tmp_path: Path
) -> None:
    start = {"detail": 1.5, "shadow": -0.4, "brightness": 0.2}
    request = replace(request_, strategy="instant", start=start)
    result = run_batch(shoot, tmp_path / "out", request)
    assert all(row.settings == start for row in result.rows if row.verdict == "enhanced")
    assert result.count("enhanced")
    with pytest.raises(WriteError, match="start="):
        run_batch(shoot, tmp_path / "out", replace(request, start=None))


@pytest.mark.usefixtures("in_this_process")
def test_bad_photos_are_rows_and_are_tried_again(
    shoot: Path, request_: Request, tmp_path: Path
) -> None:
    whole = (shoot / "a.jpg").read_bytes()
    (shoot / "a.jpg").write_bytes(whole[:1500])
    (shoot / "text.png").write_text("no photo")
    out = tmp_path / "out"
    told: list[Row] = []
    result = run_batch(shoot, out, request_, on_failed=told.append)
    assert (result.count("enhanced"), result.count("failed")) == (4, 2)
    assert [row.photo for row in told] == ["a.jpg", "text.png"]
    assert all(row.reason.startswith(f"cannot read {shoot / row.photo}: ") for row in told)
    assert not (out / "a.jpg").exists()
    assert result.summary().startswith("6 photos: 4 enhanced, 0 untouched, 2 failed; mean gain")

    (shoot / "a.jpg").write_bytes(whole)
    mended = run_batch(shoot, out, request_)
    assert (mended.resumed, mended.count("failed")) == (4, 1)


@pytest.mark.usefixtures("in_this_process")
def test_no_result_is_lost_with_its_photo(shoot: Path, request_: Request, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run_batch(shoot, out, request_)
    made = {path: path.read_bytes() for path in out.rglob("*.*") if path.name != NAME}
    (shoot / "a.jpg").write_text("no photo any more")
    (shoot / "b.png").unlink()
    result = run_batch(shoot, out, request_)
    assert (result.resumed, result.count("failed")) == (3, 1)
    assert {row.photo for row in result.rows if row.output} == {"a.png", "c.webp", "sub/a.png"}
    assert all(path.read_bytes() == content for path, content in made.items())


@pytest.mark.usefixtures("in_this_process")
def test_a_name_too_long_for_its_recipe_is_found_before_the_search(
    shoot: Path, request_: Request, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def search(*arguments: object, **options: object) -> None:
        raise AssertionError

    long = "l" * 248 + ".jpg"  # a name of 255 bytes is the longest that file systems take
    only = tmp_path / "only"
    only.mkdir()
    (shoot / "a.jpg").rename(only / long)
    monkeypatch.setattr(worker, "tune", search)
    (row,) = run_batch(only, tmp_path / "out", request_).rows
    assert row.reason.endswith("File name too long")
    assert not (tmp_path / "out" / long).exists()


@pytest.mark.usefixtures("in_this_process")
def test_no_result_is_left_without_its_recipe(
    shoot: Path, request_: Request, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(recipe: enhance.Recipe, path: Path) -> None:
        raise WriteError(f"cannot write {path}: No space left on device")

    monkeypatch.setattr(enhance.Recipe, "save", full)
    assert run_batch(shoot, tmp_path / "out", request_).count("failed") == 5
    assert [path.name for path in (tmp_path / "out").rglob("*") if path.is_file()] == [NAME]


@pytest.mark.usefixtures("in_this_process")
@pytest.mark.filterwarnings("default")
def test_what_a_worker_warns_of_reaches_the_caller(
    shoot: Path, request_: Request, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(path: Path) -> object:
        warn(f"{path}: the thumbnail is left out")
        return reading(path)

    reading = worker.read
    monkeypatch.setattr(worker, "read", read)
    told: list[tuple[str, str]] = []
    with warnings.catch_warnings(record=True) as seen:
        run_batch(
            shoot, tmp_path / "a", request_, on_warning=lambda row, m: told.append((row.photo, m))
        )
        names = ["a.jpg", "a.png", "b.png", "c.webp", "sub/a.png"]
        assert told == [(n, f"{shoot / n}: the thumbnail is left out") for n in names]
        assert not seen
        run_batch(shoot, tmp_path / "b", request_)
    assert [str(warning.message) for warning in seen] == [message for _, message in told]
    assert {warning.category for warning in seen} == {enhance.EnhanceWarning}
    assert {warning.filename for warning in seen} == {__file__}


def test_a_script_without_a_guard_is_told_so(shoot: Path, scorer_file: str, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "from enhance.batch import Request, run_batch\n"
        f"run_batch({str(shoot)!r}, 'out', Request((), {scorer_file!r}), workers=1)\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    ended = subprocess.run(
        [sys.executable, str(script)], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert ended.returncode == 1
    errors = [line for line in ended.stderr.splitlines() if line.startswith("enhance.errors.")]
    assert len(errors) == 2  # the worker's, and that of the script itself
    assert all("under `if __name__ ==" in line for line in errors)
    assert (tmp_path / "out" / NAME).read_bytes().count(b"\n") == 1


@pytest.mark.usefixtures("in_this_process")
def test_what_cannot_be_written_costs_one_photo(
    shoot: Path, request_: Request, tmp_path: Path
) -> None:
    run_batch(shoot, tmp_path / "out", request_)
    (tmp_path / "out" / "a.jpg").unlink()
    (tmp_path / "out" / "a.jpg").mkdir()
    for path in (tmp_path / "out" / "sub").iterdir():
        path.unlink()
    (tmp_path / "out" / "sub").rmdir()
    (tmp_path / "out" / "sub").touch()
    rows = {row.photo: row for row in run_batch(shoot, tmp_path / "out", request_).rows}
    assert {name for name, row in rows.items() if row.verdict == "failed"} == {"a.jpg", "sub/a.png"}
    assert "it is a folder" in rows["a.jpg"].reason
    assert rows["sub/a.png"].reason.startswith(f"cannot write {tmp_path / 'out' / 'sub'}")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"operators": ("laplacain",)}, UnknownNameError),
        ({"strategy": "gird"}, UnknownNameError),
        ({"fixed": {"detail": 9}}, ParameterError),
        ({"bounds": {"detial": (0, 1)}}, UnknownNameError),
        ({"start": {"detial": 1}}, UnknownNameError),
        ({"start": {"detail": 9}}, ParameterError),
    ],
)
def test_a_request_that_cannot_be_met_starts_nothing(
    shoot: Path, request_: Request, tmp_path: Path, change: dict, error: type[Exception]
) -> None:
    with pytest.raises(error):
        run_batch(shoot, tmp_path / "out", replace(request_, **change))
    assert not (tmp_path / "out").exists()


def test_workers_are_counted_from_one(shoot: Path, request_: Request, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="workers must be at least 1, got 0"):
        run_batch(shoot, tmp_path / "out", request_, workers=0)
    for workers in (1.5, "2"):
        with pytest.raises(ParameterError, match=f"must be a whole number, got {workers!r}"):
            run_batch(shoot, tmp_path / "out", request_, workers=workers)  # type: ignore[arg-type]


@pytest.mark.usefixtures("in_this_process")
def test_an_output_with_other_files_is_left_alone(
    shoot: Path, request_: Request, tmp_path: Path
) -> None:
    for output in (shoot.parent, shoot / "sub"):
        with pytest.raises(WriteError, match="must be empty"):
            run_batch(shoot, output, request_)


@pytest.mark.usefixtures("in_this_process")
def test_killed_and_resumed_gives_the_same_as_never_interrupted(
    shoot: Path, scorer_file: str, tmp_path: Path, contents: Contents
) -> None:
    (shoot / "bad.png").write_text("no photo")
    straight = run_batch(shoot, tmp_path / "straight", Request((), scorer_file, crops=24))
    write_table(straight.rows, tmp_path / "straight.csv")

    out, table = tmp_path / "killed", tmp_path / "killed.csv"
    command = [sys.executable, "-c", "import sys; from enhance.cli import main; sys.exit(main())"]
    command += ["batch", str(shoot), "-o", str(out), "--scorer", scorer_file, "--crops", "24"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        [*command, "--workers", "1"], stderr=subprocess.DEVNULL, env=environment
    ) as process:
        while not (out / NAME).exists() or (out / NAME).read_bytes().count(b"\n") < 2:
            assert process.poll() is None
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    done = (out / NAME).read_bytes().count(b"\n") - 1
    assert done < 5

    ended = subprocess.run(
        [*command, "--workers", "2", "--table", str(table)],
        capture_output=True,
        text=True,
        env=environment,
    )
    complaint = f"enhance: cannot read {shoot / 'bad.png'}: not an image of a known format\n"
    assert (ended.returncode, ended.stderr) == (1, complaint)
    assert f"({done} done before)" in ended.stdout
    assert table.read_bytes() == (tmp_path / "straight.csv").read_bytes()
    assert contents(out) == contents(tmp_path / "straight")


@pytest.mark.parametrize(
    ("request_", "rule"),
    [
        (Request(crops=1), "crops must be at least 2"),
        (
            Request(operators=("contrast",), strategy="instant"),
            "instant needs a predictor, and none was trained for contrast",
        ),
    ],
)
def test_what_every_photo_would_fail_at_is_refused_before_any_is_read(
    shoot: Path, tmp_path: Path, request_: Request, rule: str
) -> None:
    with pytest.raises(ParameterError, match=rule):
        run_batch(shoot, tmp_path / "out", request_)
    assert not (tmp_path / "out").exists()
