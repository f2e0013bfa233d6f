"""Cells of rating tables: lines, columns and numbers, each error with its line."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from scorers.errors import InputError
from scorers.training.photos import Part

Rows = list[dict[str, str]]

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
    """Lines of a text file.

    Raises:
        InputError: it cannot be read, is not UTF-8, or is empty.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"cannot read {path}: not UTF-8 text") from error
    if not lines:
        raise InputError(f"{path} is empty")
    return lines


def cells_of(
    path: Path, rows: Rows, header: dict[str, str], known: Sequence[str], what: str
) -> list[str]:
    """The cells under the first of the `known` names that the header has.

    Raises:
        InputError: it has none of them, or a cell is empty.
    """
    name = next((header[name] for name in known if name in header), None)
    if name is None:
        raise InputError(
            f"{path} must have {what} under one of {', '.join(known)}, got {','.join(header)}"
        )
    return stated([row[name] for row in rows], name, path)


def stated(cells: Sequence[str | None], name: str, path: Path) -> list[str]:
    """The cells of the column `name`.

    Raises:
        InputError: one is empty.
    """
    for line, cell in enumerate(cells, start=2):
        if not cell:
            raise InputError(f"{path}, line {line}: {name} is empty")
    return [cell for cell in cells if cell]


def published_parts(path: Path, rows: Rows, header: dict[str, str]) -> list[Part]:
    """The split in the column ``set``; empty where there is none.

    Raises:
        InputError: a label is no part of a split.
    """
    if "set" not in header:
        return []
    labels = [(row[header["set"]] or "").strip() for row in rows]
    if not any(labels):
        return []
    for line, label in enumerate(labels, start=2):
        if label.lower() not in _PARTS:
            raise InputError(
                f"{path}, line {line}: set must be one of {', '.join(_PARTS)}, got {label!r}"
            )
    return [_PARTS[label.lower()] for label in labels]


def shares_of(votes: Tensor, path: Path, *, first_line: int) -> Tensor:
    """``(N, K)`` votes to shares.

    Raises:
        InputError: a row is of no votes, or holds what cannot be counted.
    """
    total = votes.sum(1, keepdim=True)
    wrong = (total[:, 0] <= 0) | (votes < 0).any(1) | ~votes.isfinite().all(1)
    if bool(wrong.any()):
        line = int(wrong.nonzero()[0]) + first_line
        raise InputError(f"{path}, line {line}: votes must be counts, some of them above 0")
    return votes / total


def as_numbers(cells: Sequence[str], path: Path) -> Tensor:
    """``(N,)`` in float64, of the lines from the second on."""
    values = [as_number(cell, path, line) for line, cell in enumerate(cells, start=2)]
    return torch.tensor(values, dtype=torch.float64)


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
