"""Logs of a training run: rows of numbers in CSV files that survive a kill, or TensorBoard."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from scorers.errors import InputError, MissingExtraError

LOGS: Mapping[str, Sequence[str]] = {
    "train": ("step", "epoch", "loss", "head_rate"),
    "validation": ("step", "epoch", "emd", "srcc", "lcc"),
}
"""The columns of the logs that `scorers train` keeps, each in ``OUT/NAME.csv``."""


def check_columns(path: Path, columns: Sequence[str]) -> None:
    """Refuse a CSV file that is not a log with these columns: what others keep is not touched.

    A file that is not there or is empty is a log that has not begun.

    Raises:
        InputError: it has other columns, or is no text.
    """
    found = _header(path)
    if found and found != list(columns):
        raise InputError(
            f"{path} is not a log of this run: its columns must be {','.join(columns)}, "
            f"got {','.join(found)}; choose another folder"
        )


def append_row(path: Path, row: Mapping[str, float | int | str]) -> None:
    """Add one row to a CSV file; the first writes the header.

    Raises:
        InputError: the file has other columns.
    """
    check_columns(path, list(row))
    new = not _header(path)
    with path.open("a", newline="") as handle:
        writer = csv.DictWriter(handle, fieldnames=list(row))
        if new:
            writer.writeheader()
        writer.writerow(row)


def keep_rows_before(path: Path, step: int) -> None:
    """Drop rows whose `step` is `step` or later, and a last one that a kill cut short.

    A resumed run repeats what came after its checkpoint; without this, so would its log.

    Raises:
        InputError: the file has no column `step`, so it is no log.
    """
    header = _header(path)
    if not header:
        return
    if "step" not in header:
        raise InputError(
            f"{path} is not a log: it must have a column step, got {','.join(header)}; "
            "choose another folder"
        )
    column = header.index("step")
    with path.open(newline="", encoding="utf-8") as handle:
        lines = handle.readlines()

    def kept(line: str) -> bool:
        cells = next(csv.reader([line]), [])
        whole = line.endswith("\n") and len(cells) > column and cells[column].isdecimal()
        return whole and int(cells[column]) < step

    partial = path.with_suffix(".partial")
    with partial.open("w", newline="", encoding="utf-8") as handle:
        handle.writelines(lines[:1] + [line for line in lines[1:] if kept(line)])
    os.replace(partial, path)


def _header(path: Path) -> list[str]:
    """The columns that a CSV file names; none where it is missing or empty."""
    try:
        with path.open(newline="", encoding="utf-8") as handle:
            return next(filter(None, csv.reader(handle)), [])  # blank lines are none
    except FileNotFoundError:
        return []
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} is not a log, but in the way of one: {error}") from error


def events_writer() -> Callable[..., Any]:
    """TensorBoard's writer.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise MissingExtraError(
            "a TensorBoard log needs the package tensorboard; run: pip install tensorboard"
        ) from error
    return SummaryWriter


class RunLog:
    """Named rows of numbers by step, each name in a CSV file of its own.

    Args:
        folder: where ``NAME.csv`` lie.
        done: last step of the run so far; later rows, of steps that a kill undid, are dropped.
        tensorboard: write events for TensorBoard as well.

    Raises:
        MissingExtraError: see `events_writer`.
    """

    def __init__(self, folder: Path, done: int = 0, *, tensorboard: bool = False) -> None:
        self.folder = folder
        self.done = done
        self._trimmed: set[str] = set()
        self._events: Any = None
        if tensorboard:
            self._events = events_writer()(str(folder / "tensorboard"), purge_step=done + 1)

    def row(self, name: str, step: int, **figures: float) -> None:
        """Add ``step, **figures`` to the log `name`."""
        path = self.folder / f"{name}.csv"
        if name not in self._trimmed:
            keep_rows_before(path, self.done + 1)
            self._trimmed.add(name)
        append_row(path, {"step": step, **figures})
        if self._events is not None:
            for figure, value in figures.items():
                self._events.add_scalar(f"{name}/{figure}", value, step)

    def close(self) -> None:
        """Flush what TensorBoard holds."""
        if self._events is not None:
            self._events.close()
