"""The command as a process of its own: what a shell sees."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-c", "import sys; from enhance.cli import main; sys.exit(main())"]


def test_an_error_is_one_line_and_status_2(tmp_path: Path) -> None:
    missing = tmp_path / "missing.jpg"
    done = subprocess.run([*COMMAND, "tune", str(missing)], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == f"enhance: cannot read {missing}: no such file\n"
    assert done.stdout == ""


# one line stays in the buffer until the end, the long listing does not
@pytest.mark.parametrize("arguments", [["--version"], ["operators", "--json"]])
def test_a_reader_that_leaves_is_told_nothing(arguments: list[str]) -> None:
    process = subprocess.Popen(
        [*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.close()
    _, complaints = process.communicate()
    assert complaints == b""
    assert process.returncode == 1


def test_a_file_name_need_not_be_text(coffee_file: Path, scorer_file: str, tmp_path: Path) -> None:
    odd = os.fsencode(tmp_path) + b"/b\xe9.png"
    shutil.copy(os.fsencode(coffee_file), odd)
    arguments = [*COMMAND, "score", odd, coffee_file, "--scorer", scorer_file]
    strict = {**os.environ, "PYTHONIOENCODING": "utf-8:strict"}
    done = subprocess.run(arguments, capture_output=True, env=strict)
    assert done.returncode == 0
    assert b"b\\udce9.png" in done.stdout.splitlines()[0]
    assert len(done.stdout.splitlines()) == 2


def test_a_reader_that_leaves_ends_the_work_on_several_photos(
    coffee_file: Path, scorer_file: str, tmp_path: Path
) -> None:
    folder = tmp_path / "shoot"
    folder.mkdir()
    for name in "abcd":
        shutil.copy(coffee_file, folder / f"{name}.png")
    (folder / "._a.png").write_bytes(b"what a Mac leaves beside a photo")
    recipe = tmp_path / "recipe.json"
    recipe.write_text('{"format": 1, "operators": ["contrast"], "settings": {"contrast": 0.1}}')
    target = tmp_path / "out"
    command = [*COMMAND, "apply", str(recipe), str(folder), "-o", str(target)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.close()
    _, complaints = process.communicate()
    assert (process.returncode, complaints) == (1, b"")
    assert len(list(target.iterdir())) == 1
    shutil.rmtree(target)
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 4


def test_closed_streams_are_no_fault(tmp_path: Path) -> None:
    for closing, command, status in (
        (">&-", ["operators"], 0),
        ("2>&-", ["tune", str(tmp_path / "missing.jpg")], 2),
    ):
        words = [*COMMAND, *command]
        shell = ["sh", "-c", f'exec "$@" {closing}', "sh", *words]
        assert subprocess.run(shell, capture_output=True).returncode == status


@pytest.mark.parametrize("package", ["enhance", "scorers"])
def test_a_package_runs_as_its_command(package: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", package, "--help"], capture_output=True, text=True, check=True
    )
    assert f"Usage: {package} " in done.stdout
