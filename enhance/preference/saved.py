"""The file of a session: JSON, checked field by field, as anybody may have written it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from enhance.errors import RecipeError, shown
from enhance.tuning.integers import check_whole

FORMAT = 1
"""Version of the file of a session."""


@dataclass(frozen=True)
class Saved:
    """What the file of a session holds.

    Attributes:
        size: ``(height, width)`` of the photo, in px.
        sha256: see `digest`; None in files of before it was kept.
        operators, bounds, fixed, start, seed: as `enhance.prefer` takes them.
        choices: left, right and answer of each.
    """

    size: tuple[int, int]
    sha256: str | None
    operators: list[str]
    bounds: Mapping[str, tuple[float, float]]
    fixed: Mapping[str, float]
    start: Mapping[str, float]
    seed: int
    choices: list[tuple[Mapping[str, float], Mapping[str, float], Any]]


def digest(pixels: Tensor) -> str:
    """SHA-256 of a photo's pixels ``(1, 3, H, W)`` at 16 bits: another one is another photo.

    >>> digest(torch.zeros(1, 3, 2, 2)) == digest(torch.zeros(1, 3, 2, 2, dtype=torch.float64))
    True
    """
    whole = pixels.detach().to("cpu", torch.float32).mul(65535).round().int()
    return hashlib.sha256(whole.contiguous().numpy().tobytes()).hexdigest()


def read_session(path: str | PathLike[str]) -> Saved:
    """Read the file that `Session.save` writes.

    Raises:
        RecipeError: it cannot be read, or a field is missing or of another kind; the message names
            the file and the field.
    """
    try:
        return _checked(json.loads(Path(path).read_text(encoding="utf-8")))
    except OSError as error:
        raise RecipeError(f"cannot read session {path}: {error.strerror}") from error
    except RecursionError as error:
        raise RecipeError(f"cannot read session {path}: nested too deeply") from error
    except KeyError as error:
        raise RecipeError(f"cannot read session {path}: the field {error} is missing") from error
    except ValueError as error:  # RecipeError is one too
        raise RecipeError(f"cannot read session {path}: {error}") from error


def _checked(entries: Any) -> Saved:
    _check_kind("a session", entries, dict, "a JSON object")
    if entries["format"] != FORMAT:
        raise RecipeError(f"format must be {FORMAT}, got {entries['format']!r}")
    size, operators, choices = (entries[name] for name in ("size", "operators", "choices"))
    _check_kind("size", size, list, "two whole numbers")
    if len(size) != 2:
        raise RecipeError(f"size must be two whole numbers, got {shown(size)}")
    height, width = (check_whole("size", side) for side in size)
    sha256 = entries.get("sha256")
    if sha256 is not None:
        _check_kind("sha256", sha256, str, "a text")
    _check_kind("operators", operators, list, "a list of names")
    for name in operators:
        _check_kind("an operator", name, str, "a name")
    for name in ("bounds", "fixed", "start"):
        _check_kind(name, entries[name], dict, "a JSON object")
    _check_kind("choices", choices, list, "a list")
    made = []
    for choice in choices:
        _check_kind("a choice", choice, dict, "a JSON object")
        left, right = choice["left"], choice["right"]
        for side in (left, right):
            _check_kind("each side of a choice", side, dict, "a JSON object")
        made.append((left, right, choice["answer"]))
    return Saved(
        (height, width),
        sha256,
        operators,
        entries["bounds"],
        entries["fixed"],
        entries["start"],
        entries["seed"],
        made,
    )


def _check_kind(name: str, value: object, kind: type, words: str) -> None:
    if not isinstance(value, kind):
        raise RecipeError(f"{name} must be {words}, got {shown(value)}")
