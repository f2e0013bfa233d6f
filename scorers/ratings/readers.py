"""Readers of published rating tables: AVA, TID2013, vote counts (KonIQ), and plain CSV files."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path

import torch

from scorers import opinion
from scorers.errors import InputError, unknown_name
from scorers.ratings.cells import NAMES, Sheet, as_number, read_lines, shares_of
from scorers.ratings.plain import read_plain
from scorers.ratings.tables import (
    AVA_BUCKETS,
    RatingTable,
    from_moments,
    impossible,
    joined,
    note_on_moved,
    repeated,
)

_TID_RATERS = 971 / 25  # observers over references (Ponomarenko et al. 2015); each judged one

KINDS = ("ava", "tid2013", "votes", "plain")


def read_table(
    path: str | Path,
    *,
    photos: str | Path | None = None,
    kind: str | None = None,
    scale: tuple[float, float] | None = None,
    buckets: Sequence[float] = AVA_BUCKETS,
) -> RatingTable:
    """Read a rating table of any kind.

    Args:
        path: ``AVA.txt``; TID2013's folder or its ``mos_with_names.txt``; a CSV with the votes
            of each photo in columns ``c1, c2, ...``; or a CSV with ``filename, mean[, std]`` or
            ``filename, faves, views``. Column names may also be KonIQ's (``image_name``, ``MOS``).
        photos: where the photos lie; beside the table when None.
        kind: one of `KINDS`; told from the file when None.
        scale: lowest and highest rating of a table of means; its ``scale`` column (``0-1``), else
            the buckets' own ends, when None. The table's note says where they were taken.
        buckets: what the opinions of a plain table are over.

    Raises:
        InputError: unreadable, of no known kind, or with a value that cannot be; the line is named.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "t.csv").write_text("filename,mean,std\\na.png,5.5,1.4\\n")
    >>> table = read_table(folder / "t.csv")
    >>> len(table), table.spread, round(table.means.item(), 3), round(table.stds.item(), 3)
    (1, 'stated', 5.5, 1.4)
    """
    path = Path(path)
    if kind is not None and kind not in KINDS:
        raise unknown_name("kind of table", kind, KINDS)
    folder = None if photos is None else Path(photos)

    def no_scale(found: str) -> None:
        if scale is not None:
            raise InputError(f"{path}: a scale is of plain tables of means, this one is {found}")

    if kind == "tid2013" or (kind is None and _is_tid(path)):
        no_scale("TID2013's")
        return _read_tid2013(path, folder)
    lines = read_lines(path)
    first = next(line for line in lines if line.strip())
    if kind == "ava" or (kind is None and _is_ava(first)):
        no_scale("AVA's")
        return _read_ava(path, lines, folder or path.parent)
    sheet = Sheet.of(path, lines)
    votes = _vote_columns(sheet)
    if kind == "votes" or (kind is None and votes):
        no_scale("of votes")
        return _read_votes(sheet, votes, folder or path.parent)
    return read_plain(sheet, folder or path.parent, scale, tuple(buckets))


def _is_ava(line: str) -> bool:
    return len(line.split()) >= 12 and all(cell.isdecimal() for cell in line.split()[:12])


def _is_tid(path: Path) -> bool:
    return path.name == "mos_with_names.txt" or (path / "mos_with_names.txt").is_file()


def _read_ava(path: Path, lines: Sequence[str], folder: Path) -> RatingTable:
    """``row id votes-of-1 ... votes-of-10 tag tag challenge``; the photo is ``id.jpg``."""
    names, votes, numbers = [], [], []
    for number, line in enumerate(lines, start=1):
        cells = line.split()
        if not cells:
            continue
        if not _is_ava(line):
            raise InputError(f"{path}, line {number}: needs a row, an id and ten counts")
        names.append(f"{cells[1]}.jpg")
        votes.append([float(cell) for cell in cells[2:12]])
        numbers.append(number)
    shares = shares_of(torch.tensor(votes), path, numbers)
    note = repeated(path, names, numbers, ())
    return RatingTable("AVA", folder, names, shares, AVA_BUCKETS, "votes", names, note=note)


def _read_tid2013(path: Path, folder: Path | None) -> RatingTable:
    """``mean name`` lines, with the deviations in ``mos_std.txt`` beside them where it is."""
    path = path / "mos_with_names.txt" if path.is_dir() else path
    folder = folder or path.parent / "distorted_images"
    # the table says I01_01_1.bmp where the archive holds i01_01_1.bmp, and the reverse
    spelled = {file.name.lower(): file.name for file in folder.glob("*")}
    buckets = tuple(float(rating) for rating in range(10))
    names, means, lines = [], [], []
    for number, line in _filled(path):
        cells = line.split()
        if len(cells) != 2:
            raise InputError(f"{path}, line {number}: needs a mean and a name, got {line!r}")
        means.append(as_number(cells[0], path, number))
        if not 0 <= means[-1] <= buckets[-1]:
            raise InputError(
                f"{path}, line {number}: mean must lie in [0, {buckets[-1]:g}], got {means[-1]:g}"
            )
        names.append(spelled.get(cells[1].lower(), cells[1]))
        lines.append(number)
    again = repeated(path, names, lines, ())
    mean = torch.tensor(means, dtype=torch.float64)
    groups = [name.lower().split("_")[0] for name in names]
    beside = path.with_name("mos_std.txt")
    if not beside.is_file():
        shares = from_moments(mean, opinion.typical_std(mean, buckets), buckets)
        return RatingTable("TID2013", folder, names, shares, buckets, "model", groups, note=again)
    stds = []
    for number, line in _filled(beside):
        stds.append(as_number(line, beside, number))
        if stds[-1] < 0:
            raise InputError(
                f"{beside}, line {number}: a deviation must be 0 or more, got {stds[-1]:g}"
            )
    if len(stds) != len(names):
        raise InputError(f"{beside} has {len(stds)} values, {path.name} has {len(names)}")
    std, note = torch.tensor(stds, dtype=torch.float64), ""
    if bool((std < opinion.std_bounds(mean, buckets)[0]).double().mean() > 0.5):
        # no ratings in whole points can spread so little: these are deviations of the means
        std = std * math.sqrt(_TID_RATERS)
        note = "mos_std.txt read as deviations of means of 971/25 ratings"
    note = joined(note, note_on_moved(impossible(mean, std, buckets)), again)
    shares = from_moments(mean, std, buckets)
    return RatingTable("TID2013", folder, names, shares, buckets, "stated", groups, note=note)


def _filled(path: Path) -> list[tuple[int, str]]:
    """The lines of a file that say something, with their numbers."""
    return [(n, line) for n, line in enumerate(read_lines(path), start=1) if line.strip()]


def _vote_columns(sheet: Sheet) -> list[str]:
    """Columns ``c1``, ``c2``, ... without a gap; empty where there are none, or others too."""
    numbers = sorted(int(name[1:]) for name in sheet.header if re.fullmatch(r"c[1-9]\d*", name))
    contiguous = len(numbers) >= 2 and numbers == list(range(1, len(numbers) + 1))
    return [f"c{number}" for number in numbers] if contiguous else []


def _read_votes(sheet: Sheet, columns: Sequence[str], folder: Path) -> RatingTable:
    """Votes (or shares of them) for 1, 2, ... in columns ``c1``, ``c2``, ..."""
    path = sheet.path
    if not columns:
        raise InputError(
            f"{path} must have columns c1, c2, ... and no other c, got {','.join(sheet.header)}"
        )
    names = sheet.column(NAMES, "a file name")
    votes = torch.stack([sheet.numbers(column) for column in columns], dim=1)
    buckets = tuple(float(rating) for rating in range(1, len(columns) + 1))
    shares = shares_of(votes, path, sheet.lines).float()
    parts = sheet.published_parts()
    note = repeated(path, names, sheet.lines, parts)
    return RatingTable(path.stem, folder, names, shares, buckets, "votes", names, parts, note)


def read_names(path: Path) -> set[str]:
    """What a test list names: a name or an id a line, for `RatingTable.with_test_list`.

    Raises:
        InputError: it cannot be read.
    """
    return {line.strip() for line in read_lines(path)} - {""}
