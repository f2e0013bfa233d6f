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
