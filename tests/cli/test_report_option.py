"""`enhance tune --report`."""

from __future__ import annotations

from pathlib import Path

import pytest

from enhance.cli import main


def test_tune_writes_a_report(
    coffee_file: Path, scorer_file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report.html"
    arguments = ["tune", str(coffee_file), "--scorer", scorer_file, "--crops", "2"]
    assert main([*arguments, "--report", str(report)]) == 0
    assert "<h1>coffee.png</h1>" in report.read_text(encoding="utf-8")
    assert f"wrote {report}" in capsys.readouterr().out


@pytest.mark.parametrize("command", [["tune"], ["batch", "-o", "out"]])
def test_a_report_never_takes_the_place_of_a_photo(
    command: list[str], coffee_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = coffee_file.read_bytes()
    given = coffee_file if command == ["tune"] else coffee_file.parent
    assert main([*command, str(given), "--report", str(coffee_file)]) == 2
    assert "extension must be one of .html, .htm, got '.png'" in capsys.readouterr().err
    assert coffee_file.read_bytes() == before
