"""The command `scorers` as a process of its own: what a shell sees."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest

from scorers import backbones, zoo
from scorers.cli import main
from scorers.errors import UnknownNameError

COMMAND = [sys.executable, "-c", "import sys; from scorers.cli import main; sys.exit(main())"]


# one line stays in the buffer until the end, the long listing does not
@pytest.mark.parametrize("arguments", [["list"], ["list", "--cards"]])
def test_a_reader_that_leaves_is_told_nothing(arguments: list[str]) -> None:
    process = subprocess.Popen(
        [*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.close()
    _, complaints = process.communicate()
    assert complaints == b""
    assert process.returncode == 1


def test_closed_streams_are_no_fault(tmp_path: Path) -> None:
    gone = ["score", str(tmp_path / "missing.jpg")]
    for closing, command, status in ((">&-", ["list"], 0), ("2>&-", gone, 2)):
        shell = ["sh", "-c", f'exec "$@" {closing}', "sh", *COMMAND, *command]
        done = subprocess.run(shell, capture_output=True)
        assert done.returncode == status
        assert done.stdout == b""


def test_a_file_name_need_not_be_text(coffee_file: Path, tmp_path: Path) -> None:
    odd = os.fsencode(tmp_path) + b"/b\xe9.png"
    shutil.copy(os.fsencode(coffee_file), odd)
    strict = {**os.environ, "PYTHONIOENCODING": "utf-8:strict"}
    done = subprocess.run([*COMMAND, "score", odd], capture_output=True, env=strict)
    assert done.returncode == 0
    assert b"b\\udce9.png" in done.stdout


def test_a_fault_of_ours_is_one_line_unless_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def boom(*_: Any) -> None:
        raise RuntimeError("boom\nand more")

    monkeypatch.delenv("ENHANCE_TRACEBACK", raising=False)
    monkeypatch.setattr(zoo, "load", boom)
    assert main(["score", "photo.jpg"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("scorers: RuntimeError: boom and more (a fault in scorers, not in what")
    assert err.count("\n") == 1
    monkeypatch.setenv("ENHANCE_TRACEBACK", "1")
    with pytest.raises(RuntimeError, match="boom"):
        main(["score", "photo.jpg"])


def test_a_warning_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def warn(*_: Any) -> None:
        warnings.warn("this\nand that", UserWarning, stacklevel=1)
        raise OSError("no more")

    monkeypatch.setattr(zoo, "load", warn)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        assert main(["score", "photo.jpg"]) == 2
    assert capsys.readouterr().err == "scorers: this and that\nscorers: no more\n"


def test_a_name_need_not_be_text() -> None:
    with pytest.raises(UnknownNameError, match="unknown backbone 5"):
        backbones.create(5)  # type: ignore[arg-type]


def test_help_says_at_which_depth_photos_are_read(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["score", "--help"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "at 8 bits a channel" in said
    assert "`enhance score` reads every format" in said
