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
