"""Plain CSV tables: of each photo a mean and perhaps a deviation, or how many liked it."""

from __future__ import annotations

import math
import re
from pathlib import Path

from torch import Tensor

from scorers import opinion
from scorers.errors import InputError
from scorers.ratings.cells import NAMES, Sheet, as_number
from scorers.ratings.popularity import popularity
from scorers.ratings.tables import (
    RatingTable,
    Spread,
    from_moments,
    impossible,
    joined,
    note_on_moved,
    repeated,
)

_MEANS = ("mean", "mos", "score")
_STDS = ("std", "sd")


def read_plain(
    sheet: Sheet,
    folder: Path,
    scale: tuple[float, float] | None,
    buckets: tuple[float, ...],
) -> RatingTable:
    """``filename, mean[, std]`` or ``filename, faves, views``; see `readers.read_table`.

    Args:
        folder: where the photos lie.

    Raises:
        InputError: a value cannot be, or a deviation is left out where others are stated.
    """
    path = sheet.path
    names = sheet.column(NAMES, "a file name")
    note = ""
    if {"faves", "views"} <= set(sheet.header) and not set(_MEANS) & set(sheet.header):
        if scale is not None:
            raise InputError(f"{path}: a scale is of means, but the table holds faves and views")
        means, scale = _popularity(sheet), (0.0, 1.0)
        note = "means are popularity: log(1 + faves) / log(1 + views)"
    else:
        sheet.column(_MEANS, "a mean")
        means = sheet.numbers(next(name for name in _MEANS if name in sheet.header))
        scale = scale or _stated_scale(sheet)
    if scale is None:
        scale = buckets[0], buckets[-1]
        note = f"means taken to be on the scale {scale[0]:g}-{scale[1]:g}, since none is stated"
    low, high = scale
    if not -math.inf < low < high < math.inf:
        raise InputError(
            f"`-inf < low < high < inf` must hold for a scale, got ({low:g}, {high:g})"
        )
    for mean, line in zip(means.tolist(), sheet.lines, strict=True):
        if not low <= mean <= high:
            raise InputError(
                f"{path}, line {line}: mean must lie in the scale [{low:g}, {high:g}], got {mean:g}"
            )
    factor = (buckets[-1] - buckets[0]) / (high - low)
    moved = (means - low) * factor + buckets[0]
    named = next((name for name in _STDS if name in sheet.header), None)
    spread: Spread
    if named and any(sheet.cells(named)):
        # all or none: a guess among them could not be told from what people said
        stds, spread = _deviations(sheet, named) * factor, "stated"
        beyond = impossible(moved, stds, buckets)
        if int(beyond.sum()) * 2 > len(beyond):
            row = int(beyond.nonzero()[0])
            least, most = (
                bound.item() / factor for bound in opinion.std_bounds(moved[row], buckets)
            )
            raise InputError(
                f"{path}: most deviations are of no ratings in {len(buckets)} buckets on the scale "
                f"[{low:g}, {high:g}], such as {stds[row].item() / factor:g} in line "
                f"{sheet.lines[row]}, which must lie in [{least:.3g}, {most:.3g}] at its mean; are "
                "they on another scale, or of means? "
                "More buckets hold smaller ones, and without the column a model is used"
            )
        note = joined(note, note_on_moved(beyond))
    else:
        stds, spread = opinion.typical_std(moved, buckets), "model"
    shares = from_moments(moved, stds, buckets)
    parts = sheet.published_parts()
    note = joined(note, repeated(path, names, sheet.lines, parts))
    return RatingTable(path.stem, folder, names, shares, buckets, spread, names, parts, note)


def _popularity(sheet: Sheet) -> Tensor:
    faves, views = sheet.numbers("faves"), sheet.numbers("views")
    for row, line in enumerate(sheet.lines):
        try:
            popularity(faves[row : row + 1], views[row : row + 1])
        except InputError as error:
            raise InputError(f"{sheet.path}, line {line}: {error}") from error
    return popularity(faves, views)


def _deviations(sheet: Sheet, name: str) -> Tensor:
    stds = sheet.numbers(name)
    for std, line in zip(stds.tolist(), sheet.lines, strict=True):
        if std < 0:
            raise InputError(f"{sheet.path}, line {line}: `{name} >= 0` must hold, got {std:g}")
    return stds


def _stated_scale(sheet: Sheet) -> tuple[float, float] | None:
    """What the column ``scale`` says; None where it says nothing."""
    if "scale" not in sheet.header:
        return None
    texts = sheet.cells("scale")
    for text, line in zip(texts, sheet.lines, strict=True):
        if text != texts[0]:
            raise InputError(
                f"{sheet.path}, line {line}: a table has one scale, got {text!r} after {texts[0]!r}"
            )
    ends = re.fullmatch(r"(-?[\d.]+)\s*-\s*(-?[\d.]+)", texts[0])
    if not ends:
        raise InputError(
            f"{sheet.path}, line {sheet.lines[0]}: a scale is written low-high, got {texts[0]!r}"
        )
    low, high = (as_number(end, sheet.path, sheet.lines[0]) for end in ends.groups())
    return low, high
