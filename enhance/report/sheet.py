"""The contact sheet of a batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from enhance.errors import EnhanceError
from enhance.report.page import render, write_page
from enhance.report.pictures import Picture, picture_of_file

if TYPE_CHECKING:
    from enhance.batch import Row

SIDE = 360
"""Longest side of the pictures, in px."""
VERDICTS = ("enhanced", "untouched", "failed")


@dataclass(frozen=True)
class Card:
    """A photo on the sheet; `after` is None where it did not change, both where there is none."""

    row: Row
    before: Picture | None
    after: Picture | None


def contact_sheet(
    rows: Sequence[Row], folder: str | PathLike[str], output: str | PathLike[str]
) -> str:
    """A page of HTML with every photo of a batch, the largest gain first, failures last.

    Args:
        rows: as `enhance.batch.run_batch` gives them.
        folder: of the photos.
        output: of the results.
    """
    cards = list(_cards(rows, Path(folder), Path(output)))
    counts = {verdict: sum(row.verdict == verdict for row in rows) for verdict in VERDICTS}
    return render("sheet.html", title=f"{Path(folder).resolve().name}", cards=cards, counts=counts)


def save_sheet(
    rows: Sequence[Row],
    folder: str | PathLike[str],
    output: str | PathLike[str],
    path: str | PathLike[str],
) -> None:
    """Write `contact_sheet` to a file, whole or not at all.

    Raises:
        WriteError: the target cannot be written.
    """
    write_page(contact_sheet(rows, folder, output), path)


def _cards(rows: Sequence[Row], folder: Path, output: Path) -> Iterator[Card]:
    def order(row: Row) -> tuple[bool, float, str]:
        return row.gain is None, -(row.gain or 0.0), row.photo

    for row in sorted(rows, key=order):
        if row.output is None:
            yield Card(row, None, None)
            continue
        before = _picture(folder / row.photo)
        after = _picture(output / row.output) if row.verdict == "enhanced" else None
        yield Card(row, before, after)


def _picture(path: Path) -> Picture | None:
    try:
        return picture_of_file(path, SIDE)
    except EnhanceError:  # deleted since: the rest of the sheet is still worth having
        return None
