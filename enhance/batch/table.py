"""The results of a batch as a table: CSV, JSON or Parquet, by the extension."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from enhance.atomic import write_bytes
from enhance.batch.row import Row
from enhance.errors import MissingExtraError, WriteError

EXTENSIONS = (".csv", ".json", ".parquet")


def check_table(path: str | os.PathLike[str]) -> None:
    """Find out, before any work, whether a table can be written to `path`.

    Raises:
        WriteError: another extension than .csv, .json or .parquet.
        MissingExtraError: Parquet without pyarrow.
    """
    extension = Path(path).suffix.lower()
    if extension not in EXTENSIONS:
        raise WriteError(
            f"cannot write {path}: a table's extension must be one of {', '.join(EXTENSIONS)}, "
            f"got {extension!r}"
        )
    if extension == ".parquet":
        _pyarrow()


def write_table(rows: Sequence[Row], path: str | os.PathLike[str]) -> None:
    """Write rows to a file, whole or not at all.

    CSV and Parquet have a column for each setting, ``settings.detail``, and two for the interval of
    the gain; JSON keeps both nested. What a failed photo does not have is empty. Names are written
    as they are: one that begins with ``=`` is a formula to a spreadsheet that opens the CSV, unless
    the column is imported as text.

    Raises:
        WriteError, MissingExtraError: as `check_table`; or the file cannot be written.
    """
    check_table(path)
    extension = Path(path).suffix.lower()
    if extension == ".json":
        text = json.dumps([row.as_dict() for row in rows], indent=2, ensure_ascii=False) + "\n"
    elif extension == ".csv":
        text = _csv(rows)
    else:
        write_bytes(path, _parquet(rows))
        return
    # in JSON this makes a valid escape of what a file name has that is not UTF-8
    write_bytes(path, text.encode("utf-8", "backslashreplace"))


def _csv(rows: Sequence[Row]) -> str:
    columns = _columns(rows)
    filled = [[row.get(name) for name in columns] for row in _flat(rows)]
    return _csv_line(columns) + "".join(map(_csv_line, filled))


def _csv_line(values: Sequence[object]) -> str:
    buffer = io.StringIO()
    # quotes what holds a part of the line's end: a carriage return would break the row as well
    csv.writer(buffer, lineterminator="\r\n").writerow(values)
    return buffer.getvalue().removesuffix("\r\n") + "\n"


def _parquet(rows: Sequence[Row]) -> bytes:
    pyarrow, parquet = _pyarrow()
    words = {"photo", "output", "verdict", "reason", "strategy"}
    schema = pyarrow.schema(
        [(n, pyarrow.string() if n in words else pyarrow.float64()) for n in _columns(rows)]
    )
    readable = [
        {n: _utf8(v) if isinstance(v, str) else v for n, v in row.items()} for row in _flat(rows)
    ]
    buffer = io.BytesIO()
    parquet.write_table(pyarrow.Table.from_pylist(readable, schema), buffer)
    return buffer.getvalue()


def _columns(rows: Sequence[Row]) -> list[str]:
    columns = ["photo", "output", "verdict", "reason", "strategy", "score", "baseline", "gain"]
    columns += ["interval_low", "interval_high"]
    return columns + sorted({f"settings.{name}" for row in rows for name in row.settings})


def _flat(rows: Sequence[Row]) -> list[dict[str, Any]]:
    flat = []
    for row in rows:
        entries = row.as_dict()
        settings, interval = entries.pop("settings"), entries.pop("interval")
        entries["interval_low"], entries["interval_high"] = interval or (None, None)
        flat.append(entries | {f"settings.{name}": value for name, value in settings.items()})
    return flat


def _utf8(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise MissingExtraError(
            "a Parquet table needs pyarrow: pip install 'enhance-tune[parquet]'"
        ) from error
    return pyarrow, parquet
