"""Plain CSV tables: of each photo a mean and perhaps a deviation, or how many liked it."""

from __future__ import annotations

import re
from pathlib import Path

import torch

from scorers import opinion
from scorers.errors import InputError
from scorers.training.cells import (
    NAMES,
    Rows,
    as_number,
    as_numbers,
    cells_of,
    published_parts,
    stated,
)
from scorers.training.popularity import popularity
from scorers.training.tables import RatingTable, Spread, from_moments

_MEANS = ("mean", "mos", "score")
_STDS = ("std", "sd")


def read_plain(
    path: Path,
    rows: Rows,
    header: dict[str, str],
    folder: Path,
    scale: tuple[float, float] | None,
    buckets: tuple[float, ...],
) -> RatingTable:
    """``filename, mean[, std]`` or ``filename, faves, views``; see `readers.read_table`.

    Args:
        header: of each column, its name in lower case and as it is written.
        folder: where the photos lie.

    Raises:
        InputError: a value cannot be, or a deviation is left out where others are stated.
    """
    names = cells_of(path, rows, header, NAMES, "a file name")
    note = ""
    if {"faves", "views"} <= set(header) and not set(_MEANS) & set(header):
        counts = [
            [as_number(row[header[c]], path, line) for c in ("faves", "views")]
            for line, row in enumerate(rows, start=2)
        ]
        faves, views = torch.tensor(counts, dtype=torch.float64).unbind(1)
        means, scale = popularity(faves, views), (0.0, 1.0)
        note = "means are popularity: log(1 + faves) / log(1 + views)"
    else:
        means = as_numbers(cells_of(path, rows, header, _MEANS, "a mean"), path)
        scale = scale or _stated_scale(rows, header, path)
    if scale is None:
        scale = buckets[0], buckets[-1]
        note = f"means taken to be on the scale {scale[0]:g}-{scale[1]:g}, since none is stated"
    low, high = scale
    if not low < high:
        raise InputError(f"`low < high` must hold for a scale, but got ({low:g}, {high:g})")
    off = ~((means >= low) & (means <= high))
    if bool(off.any()):
        line = int(off.nonzero()[0]) + 2
        raise InputError(
            f"{path}, line {line}: mean must lie in the scale [{low:g}, {high:g}], "
            f"got {means[line - 2].item():g}"
        )
    factor = (buckets[-1] - buckets[0]) / (high - low)
    moved = (means - low) * factor + buckets[0]
    named = next((header[name] for name in _STDS if name in header), None)
    cells = [row[named] for row in rows] if named else []
    spread: Spread
    if named and any(cells):
        # all or none: a guess among them could not be told from what people said
        stds, spread = as_numbers(stated(cells, named, path), path) * factor, "stated"
    else:
        stds, spread = opinion.typical_std(moved, buckets), "model"
    shares = from_moments(moved, stds, buckets)
    parts = published_parts(path, rows, header)
    return RatingTable(path.stem, folder, names, shares, buckets, spread, names, parts, note)


def _stated_scale(rows: Rows, header: dict[str, str], path: Path) -> tuple[float, float] | None:
    if "scale" not in header:
        return None
    text = rows[0][header["scale"]]
    ends = re.fullmatch(r"\s*(-?[\d.]+)\s*-\s*([\d.]+)\s*", text or "")
    if not ends:
        raise InputError(f"{path}, line 2: a scale is written low-high, got {text!r}")
    return as_number(ends[1], path, 2), as_number(ends[2], path, 2)
