"""The results table in its formats."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import pytest

from enhance.batch import Row, write_table
from enhance.batch.table import check_table
from enhance.errors import MissingExtraError, WriteError

ROWS = [
    Row("a.jpg", "a.jpg", "enhanced", 'says "yes", twice', {"detail": 0.1}, 5.5, 5.25, 0.25,
        (0.125, 0.375), "gradient"),
    Row("sub/ü.png", "sub/ü.png", "untouched", "no gain", {"detail": 0.0, "shadow": 1 / 3}, 5.0,
        5.0, 0.0, (0.0, 0.0), "gradient"),
    Row.failed("bad\udce9.jpg", "cannot read bad.jpg:\n empty file"),
    Row.failed("a\rb.jpg", "two\rlines"),
]  # fmt: skip


def test_csv_has_a_column_for_each_setting(tmp_path: Path) -> None:
    write_table(ROWS, tmp_path / "t.csv")
    with (tmp_path / "t.csv").open(encoding="utf-8", newline="") as file:
        first, second, third, fourth = csv.DictReader(file)
    assert first["photo"] == "a.jpg"
    assert first["reason"] == 'says "yes", twice'
    assert float(first["interval_high"]) == 0.375
    assert first["settings.shadow"] == ""
    assert float(second["settings.shadow"]) == 1 / 3
    assert second["photo"] == "sub/ü.png"
    assert third["photo"] == r"bad\udce9.jpg"
    assert third["reason"] == "cannot read bad.jpg: empty file"
    assert third["score"] == third["output"] == ""
    assert (fourth["photo"], fourth["verdict"]) == ("a\rb.jpg", "failed")


def test_csv_keeps_names_that_a_spreadsheet_would_calculate(tmp_path: Path) -> None:
    names = ["=1+1.jpg", "+a.jpg", "-b.jpg", "@c.jpg"]
    write_table([Row.failed(name, "") for name in names], tmp_path / "t.csv")
    with (tmp_path / "t.csv").open(newline="") as file:
        assert [row["photo"] for row in csv.DictReader(file)] == names


def test_json_holds_the_rows_exactly(tmp_path: Path) -> None:
    write_table(ROWS, tmp_path / "t.JSON")
    entries = json.loads((tmp_path / "t.JSON").read_text(encoding="utf-8"))
    assert [Row.from_dict(entry) for entry in entries] == ROWS


def test_parquet_has_the_columns_of_csv(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="needs the extra 'parquet'")
    write_table(ROWS, tmp_path / "t.parquet")
    write_table(ROWS, tmp_path / "t.csv")
    table = parquet.read_table(tmp_path / "t.parquet")
    assert table.column_names == (tmp_path / "t.csv").read_text().splitlines()[0].split(",")
    assert table["settings.shadow"].to_pylist() == [None, 1 / 3, None, None]
    names = ["a.jpg", "sub/ü.png", r"bad\udce9.jpg", "a\rb.jpg"]
    assert table["photo"].to_pylist() == names


def test_parquet_names_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"enhance-tune\[parquet\]"):
        check_table(tmp_path / "t.parquet")


def test_other_extensions_are_refused(tmp_path: Path) -> None:
    for name, shown in (("t.xlsx", "'.xlsx'"), ("table", "''")):
        with pytest.raises(WriteError, match=rf"\.csv, \.json, \.parquet, got {shown}"):
            write_table(ROWS, tmp_path / name)
