"""Which photos of a run cannot be read: found out once, and remembered beside its checkpoint."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from scorers.ratings.tables import RatingTable
from scorers.training.log import check_columns
from scorers.training.views import Skipped, readable

COLUMNS = ("filename", "reason")
"""Of ``OUT/skipped.csv``."""


def readable_once(
    table: RatingTable,
    size: int,
    out: Path,
    identity: Mapping[str, str],
    *,
    workers: int = 4,
    tick: Callable[[], object] = lambda: None,
    accept: Callable[[list[int]], object] = lambda _: None,
) -> tuple[list[int], list[Skipped]]:
    """`scorers.training.views.readable`, from ``OUT/readable.json`` where this run goes on.

    Without a checkpoint there is nothing to go on from, and photos that have come since count.
    What cannot be read is listed in ``OUT/skipped.csv``.

    Args:
        out: folder of the run.
        identity: of the run; another one looks for itself.
        workers, tick: as of `readable`.
        accept: given the rows before anything is written, to raise where they are not wanted.

    Raises:
        InputError: not one can be read, or ``OUT/skipped.csv`` is another program's.
    """
    run = {**identity, "folder": str(table.folder.resolve())}
    known = out / "readable.json"
    if (out / "checkpoint.pt").exists():
        remembered = _remembered(known, run, table)
        if remembered is not None:
            return remembered
    check_columns(out / "skipped.csv", COLUMNS)
    rows, skipped = readable(table, size, workers=workers, tick=tick)
    accept(rows)
    _list_skipped(out / "skipped.csv", skipped)
    left_out = sorted(set(range(len(table))) - set(rows))
    reasons = [photo.reason for photo in skipped]
    partial = known.with_suffix(".partial")
    partial.write_text(json.dumps({"run": run, "rows": left_out, "reasons": reasons}))
    os.replace(partial, known)
    return rows, skipped


def _remembered(
    path: Path, run: Mapping[str, str], table: RatingTable
) -> tuple[list[int], list[Skipped]] | None:
    """What the file says of this run, if it does."""
    try:
        found = json.loads(path.read_text())
        if found["run"] != run:
            return None
        pairs = zip(found["rows"], found["reasons"], strict=True)
        skipped = {int(row): Skipped(table.names[row], reason) for row, reason in pairs}
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return None  # to look again does no harm
    return [row for row in range(len(table)) if row not in skipped], list(skipped.values())


def _list_skipped(path: Path, skipped: Sequence[Skipped]) -> None:
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle)
        writer.writerow(COLUMNS)
        writer.writerows((photo.name, photo.reason) for photo in skipped)
