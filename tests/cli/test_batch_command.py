"""`enhance batch` as a command: what it says, and its exit status."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from enhance import batch
from enhance.batch import BatchResult, Row
from enhance.cli import main
from enhance.presets import load_preset

DONE = Row("a.jpg", "a.jpg", "enhanced", "", {"detail": 1.0}, 5.5, 5.0, 0.5, (0.4, 0.6), "grid")
FAILED = Row.failed("b.jpg", "cannot read b.jpg: empty file")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict:
    """What the command asks for, and the rows that it is answered with."""
    told: dict = {"rows": [DONE]}

    def run_batch(
        folder, output, request, *, progress, on_failed, on_warning, **options
    ) -> BatchResult:
        told.update(folder=folder, output=output, request=request, **options)
        for row in told["rows"]:
            if row.verdict == "failed":
                on_failed(row)
            for message in told.get("warnings", ()):
                on_warning(row, message)
        return BatchResult(told["rows"], 0)

    monkeypatch.setattr(batch, "run_batch", run_batch)
    return told


def test_options_reach_the_batch(asked: dict) -> None:
    arguments = ["batch", "in", "-o", "out", "--operator", "turbo", "--operator", "laplacian"]
    arguments += ["--strategy", "grid", "--scorer", "s", "--crops", "3", "--seed", "7"]
    arguments += ["--fix", "detail=1", "--bound", "shadow=0:1", "--no-guards", "--workers", "2"]
    assert main(arguments) == 0
    assert asked["request"] == batch.Request(
        ("turbo", "laplacian"), "s", "grid", 3, 7, {"detail": 1.0}, {"shadow": (0.0, 1.0)}, False
    )
    assert (asked["folder"], asked["output"], asked["workers"]) == (Path("in"), Path("out"), 2)


def test_a_preset_names_operators_and_start(
    asked: dict, capsys: pytest.CaptureFixture[str]
) -> None:
    look = load_preset("soft")
    assert main(["batch", "in", "-o", "out", "--preset", "soft"]) == 0
    assert asked["request"] == batch.Request(look.operators, start=look.settings)
    assert main(["batch", "in", "-o", "out", "--preset", "soft", "--operator", "tone"]) == 0
    assert asked["request"] == batch.Request(("tone",), start=look.settings)
    assert main(["batch", "in", "-o", "out", "--preset", "sofd"]) == 2
    assert "did you mean 'soft'" in capsys.readouterr().err


def test_alike_or_each_for_itself(asked: dict, capsys: pytest.CaptureFixture[str]) -> None:
    for options, shared in (
        ([], None),
        (["--shared"], batch.Shared(0.1)),
        (["--shared", "--delta", "0"], batch.Shared(0)),
    ):
        assert main(["batch", "in", "-o", "out", *options]) == 0
        assert asked["shared"] == shared
    for options, message in (
        (["--delta", "0.2"], "--delta goes with --shared only"),
        (["--shared", "--delta", "2"], "delta must lie in [0, 1], got 2"),
    ):
        assert main(["batch", "in", "-o", "out", *options]) == 2
        assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("rows", "status"), [([DONE], 0), ([DONE, FAILED], 1), ([FAILED, FAILED], 2)]
)
def test_exit_status_and_complaints(
    rows: list[Row], status: int, asked: dict, capsys: pytest.CaptureFixture[str]
) -> None:
    asked["rows"] = rows
    assert main(["batch", "in", "-o", "out"]) == status
    captured = capsys.readouterr()
    assert captured.err == "enhance: cannot read b.jpg: empty file\n" * rows.count(FAILED)
    assert captured.out.startswith(f"{len(rows)} photo")


def test_what_workers_warn_of_is_said(asked: dict, capsys: pytest.CaptureFixture[str]) -> None:
    asked["warnings"] = ["a.jpg: the thumbnail\nis left out"]
    assert main(["batch", "in", "-o", "out"]) == 0
    assert capsys.readouterr().err == "enhance: a.jpg: the thumbnail is left out\n"


def test_an_output_that_links_to_itself(
    tmp_path: Path, coffee_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to("loop")
    for options in ([], ["--table", str(loop / "t.csv")]):
        assert main(["batch", str(coffee_file.parent), "-o", str(loop), *options]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith(f"enhance: cannot make the folder {loop}")


def test_the_table_is_written(
    asked: dict, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "results.csv"
    assert main(["batch", "in", "-o", "out", "--table", str(table)]) == 0
    with table.open(newline="") as file:
        assert [row["photo"] for row in csv.DictReader(file)] == ["a.jpg"]
    assert f"wrote {table}" in capsys.readouterr().out


def test_the_contact_sheet_is_written(
    asked: dict, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "sheet.html"
    assert main(["batch", "in", "-o", "out", "--report", str(report)]) == 0
    assert "<h2>a.jpg</h2>" in report.read_text(encoding="utf-8")
    assert f"wrote {report}" in capsys.readouterr().out


def test_a_table_that_cannot_be_is_refused_before_the_work(
    asked: dict,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    for options, complaint in (
        (["--table", "results.xls"], "got '.xls'"),
        (["--table", "nowhere/results.csv"], "cannot write nowhere/results.csv: no folder"),
        (["--report", "nowhere/sheet.html"], "cannot write nowhere/sheet.html: no folder"),
    ):
        assert main(["batch", "in", "-o", "out", *options]) == 2
        assert "request" not in asked
        assert complaint in capsys.readouterr().err
    assert main(["batch", "in", "-o", "out", "--table", "out/tables/results.csv"]) == 0
    assert "request" in asked
    assert Path("out/tables/results.csv").is_file()  # inside the output folders are made
