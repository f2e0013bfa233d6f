"""Figures as a table for people, or as JSON for programs."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from typing import Any


def as_table(columns: Mapping[str, Mapping[str, object]], corner: str = "") -> str:
    """A Markdown table, one column a name, one row a figure; what a column lacks is left blank.

    >>> print(as_table({"a": {"SRCC": 0.5}, "b": {}}, "figure"))
    | figure | a   | b |
    |--------|-----|---|
    | SRCC   | 0.5 |   |
    """
    rows = list(dict.fromkeys(row for column in columns.values() for row in column))
    cells = [[corner, *columns]]
    cells += [[row, *(str(column.get(row, "")) for column in columns.values())] for row in rows]
    widths = [max(len(line[i]) for line in cells) for i in range(len(cells[0]))]

    def written(line: list[str]) -> str:
        return "| " + " | ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) + " |"

    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([written(cells[0]), rule, *map(written, cells[1:])])


def as_json(value: Any, *, indent: int = 1) -> str:
    """Indented JSON, where dataclasses are objects and what is not a finite number is null.

    >>> as_json({"psnr": float("inf")}, indent=2)
    '{\\n  "psnr": null\\n}'
    """
    return json.dumps(_plain(value), indent=indent, allow_nan=False)


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
