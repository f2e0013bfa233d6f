"""Cells of rating tables: lines, columns and numbers, each error with its line."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from scorers.errors import InputError
from scorers.ratings.split import Part

NAMES = ("filename", "image_name", "image", "name", "dist_img_path")
_PARTS: dict[str, Part] = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
}


def read_lines(path: Path) -> list[str]:
    """Lines of a text file, without what ends them. Names may hold all that Unicode calls lines.

    Raises:
        InputError: it cannot be read, is not UTF-8, or is empty or blank.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"cannot read {path}: not UTF-8 text") from error
    if not any(line.strip() for line in lines):
        raise InputError(f"{path} is empty")
    return lines


@dataclass(frozen=True)
class Sheet:
    """A CSV table with a header, whose rows know their lines in the file.

    Attributes:
        path: of the file, for messages.
        header: of each column, its name in lower case and as it is written.
        rows: by name as it is written.
        lines: of each row, the last line of the file that it lies on.
    """

    path: Path
    header: Mapping[str, str]
    rows: Sequence[Mapping[str, str | None]]
    lines: Sequence[int]

    @classmethod
    def of(cls, path: Path, lines: Sequence[str]) -> Sheet:
        """The table that `lines` of a file hold.

        Raises:
            InputError: it has a header at most, or a column twice, or cells beyond its columns.
        """
        blank = next((n for n, line in enumerate(lines) if line.strip()), 0)
        reader = csv.DictReader(lines[blank:])
        rows, numbers = [], []
        try:
            header = _header(path, reader.fieldnames or ())
            for row in reader:
                numbers.append(blank + reader.line_num)
                beyond = row.pop(None, None)
                if beyond and any(cell.strip() for cell in beyond):
                    raise InputError(
                        f"{path}, line {numbers[-1]}: needs {len(row)} cells at most, got "
                        f"{len(row) + len(beyond)}; decimals are written with a point"
                    )
                rows.append(row)
        except csv.Error as error:
            raise InputError(f"{path}, line {blank + reader.line_num + 1}: {error}") from error
        if not rows:
            raise InputError(f"{path} holds no photos: it has no row below its first line")
        return cls(path, header, rows, numbers)

    def __len__(self) -> int:
        return len(self.rows)

    def cells(self, name: str) -> list[str]:
        """The cells under a name in lower case, without blanks around; empty where none is."""
        return [(row[self.header[name]] or "").strip() for row in self.rows]

    def column(self, known: Sequence[str], what: str) -> list[str]:
        """The cells under the first of the `known` names that the header has.

        Raises:
            InputError: it has none of them, or a cell is empty.
        """
        name = next((name for name in known if name in self.header), None)
        if name is None:
            raise InputError(
                f"{self.path} must have {what} under one of {', '.join(known)}, "
                f"got {','.join(self.header)}"
            )
        return self.stated(name)

    def stated(self, name: str) -> list[str]:
        """The cells under a name in lower case, all of which must say something.

        Raises:
            InputError: one is empty.
        """
        cells = []
        for cell, line in zip(self.cells(name), self.lines, strict=True):
            if not cell:
                raise InputError(f"{self.path}, line {line}: {self.header[name]} is empty")
            cells.append(cell)
        return cells

    def numbers(self, name: str) -> Tensor:
        """``(N,)`` in float64: the cells under a name in lower case.

        Raises:
            InputError: one is empty, or no finite number.
        """
        cells = zip(self.stated(name), self.lines, strict=True)
        values = [as_number(cell, self.path, line) for cell, line in cells]
        return torch.tensor(values, dtype=torch.float64)

    def published_parts(self) -> list[Part]:
        """The split in the column ``set``; empty where there is none.

        Raises:
            InputError: a label is no part of a split.
        """
        if "set" not in self.header:
            return []
        labels = self.cells("set")
        if not any(labels):
            return []
        for label, line in zip(labels, self.lines, strict=True):
            if label.lower() not in _PARTS:
                raise InputError(
                    f"{self.path}, line {line}: set must be one of {', '.join(_PARTS)}, "
                    f"got {label!r}"
                )
        return [_PARTS[label.lower()] for label in labels]


def _header(path: Path, written: Sequence[str]) -> dict[str, str]:
    header: dict[str, str] = {}
    for name in written:
        known = name.strip().lower()
        if known and known in header:
            raise InputError(f"{path} has the column {known} twice")
        header[known] = name
    return header


def shares_of(votes: Tensor, path: Path, lines: Sequence[int]) -> Tensor:
    """``(N, K)`` votes, of these lines of a file, to shares.

    Raises:
        InputError: a row is of no votes, or holds what cannot be counted.
    """
    total = votes.sum(1, keepdim=True)
    wrong = (total[:, 0] <= 0) | (votes < 0).any(1) | ~votes.isfinite().all(1)
    if bool(wrong.any()):
        line = lines[int(wrong.nonzero()[0])]
        raise InputError(f"{path}, line {line}: votes must be counts, some of them above 0")
    return votes / total


def as_number(text: str | None, path: Path, line: int) -> float:
    """A finite number.

    Raises:
        InputError: it is none.
    """
    try:
        value = float(text or "")
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"{path}, line {line}: needs a number, got {text!r}")
    return value
