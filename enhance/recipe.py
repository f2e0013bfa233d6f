"""Recipes: what was done to a photo, as versioned JSON that replays exactly."""

from __future__ import annotations

import json
import math
import operator
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, get_args

from enhance.errors import RecipeError

FORMAT = 1
"""Version of the file format that this package writes, and the newest that it reads."""

Verdict = Literal["enhanced", "untouched"]


def installed_versions() -> dict[str, str]:
    """Versions of what decides the outcome: this package and torch (``"unknown"`` uninstalled)."""
    from importlib.metadata import PackageNotFoundError, version

    versions = {}
    for package in ("enhance-tune", "torch"):
        try:
            versions[package] = version(package)
        except PackageNotFoundError:  # run from a source tree
            versions[package] = "unknown"
    return versions


@dataclass(frozen=True)
class Recipe:
    """Everything that `enhance.apply` needs to repeat an enhancement, and how it came about.

    Written by hand, a recipe needs `operators` and `settings` only.

    Attributes:
        operators: names, in the order they are applied.
        settings: value of each parameter that is not at its default; in a chain, a name that
            several operators share is written ``operator.parameter``.
        verdict: ``"untouched"`` recipes change nothing.
        reason: why, in words.
        strategy: which search found the settings.
        seed: of the views and the search.
        scorer: name of the scorer that judged.
        scorer_sha256: of its weights.
        score: mean opinion of the result.
        baseline: mean opinion of the photo as it was.
        gain: ``score - baseline``.
        interval: ``(low, high)``, paired 95 % interval of the gain.
        versions: of this package and of torch when the recipe was made.
        format: version of the file format.

    >>> recipe = Recipe(("laplacian",), {"detail": 1.5})
    >>> Recipe.from_json(recipe.to_json()) == recipe
    True
    """

    operators: tuple[str, ...]
    settings: Mapping[str, float]
    verdict: Verdict = "enhanced"
    reason: str = ""
    strategy: str | None = None
    seed: int | None = None
    scorer: str | None = None
    scorer_sha256: str | None = None
    score: float | None = None
    baseline: float | None = None
    gain: float | None = None
    interval: tuple[float, float] | None = None
    versions: Mapping[str, str] = field(default_factory=installed_versions)
    format: int = FORMAT

    def __post_init__(self) -> None:
        # what a caller computed (a float32, a list) becomes what a file holds
        object.__setattr__(self, "operators", _names(self.operators))
        object.__setattr__(self, "settings", _settings(self.settings))
        object.__setattr__(self, "versions", _versions(self.versions))
        if self.interval is not None:
            object.__setattr__(self, "interval", _interval(self.interval))
        for name in ("score", "baseline", "gain"):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, _number(name, value))
        for name in ("reason", "strategy", "scorer", "scorer_sha256"):
            value = getattr(self, name)
            if not isinstance(value, str) and (value is not None or name == "reason"):
                raise RecipeError(f"{name} must be a text, got {value!r}")
        if self.seed is not None:
            object.__setattr__(self, "seed", _whole("seed", self.seed))
        if self.verdict not in get_args(Verdict):
            raise RecipeError(f"verdict must be enhanced or untouched, got {self.verdict!r}")
        _check_format(self.format)

    def __hash__(self) -> int:
        values = (getattr(self, entry.name) for entry in fields(self))
        return hash(tuple(frozenset(v.items()) if isinstance(v, Mapping) else v for v in values))

    def to_json(self) -> str:
        """JSON text with a stable order, and every number exact."""
        entries = {"format": self.format} | asdict(self)
        entries["settings"] = dict(sorted(self.settings.items()))
        entries["versions"] = dict(sorted(self.versions.items()))
        return json.dumps(entries, indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Recipe:
        """The inverse of `to_json`.

        Raises:
            RecipeError: no JSON object, or a field that is missing, unknown or wrong.
        """
        try:
            entries = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise RecipeError(f"a recipe must be JSON: {error}") from error
        if not isinstance(entries, dict):
            raise RecipeError(f"a recipe must be a JSON object, got {type(entries).__name__}")
        # a newer format may have other fields, so its version is what to complain about first
        if "format" not in entries:
            raise RecipeError("a recipe must have the field 'format'")
        _check_format(entries["format"])
        _check_fields(entries)
        return cls(**entries)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the recipe to a JSON file, whole or not at all.

        Raises:
            WriteError: the target cannot be written.
        """
        from enhance.atomic import write_bytes

        write_bytes(path, self.to_json().encode(errors="backslashreplace"))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Recipe:
        """Read a recipe from a JSON file.

        Raises:
            RecipeError: no such file, not a recipe, or a field that is wrong; the message names
                the file, the field and its value.
        """
        try:
            text = Path(path).read_text(encoding="utf-8-sig")
        except FileNotFoundError as error:
            raise RecipeError(f"cannot read recipe {path}: no such file") from error
        except UnicodeDecodeError as error:
            raise RecipeError(f"cannot read recipe {path}: it is not text") from error
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", error)
            raise RecipeError(f"cannot read recipe {path}: {reason}") from error
        try:
            return cls.from_json(text)
        except RecipeError as error:
            raise RecipeError(f"cannot read recipe {path}: {error}") from error


def _check_format(value: Any) -> None:
    if not _is_whole(value) or not 1 <= value <= FORMAT:
        raise RecipeError(
            f"format must be a version from 1 to {FORMAT}, got {value!r}"
            " (newer recipes need a newer enhance-tune)"
        )


def _check_fields(entries: Mapping[str, Any]) -> None:
    known = {entry.name for entry in fields(Recipe)}
    for name in entries:
        if name not in known:
            raise RecipeError(f"unknown field {name!r} (known: {', '.join(sorted(known))})")
    for name in ("operators", "settings"):
        if name not in entries:
            raise RecipeError(f"a recipe must have the field {name!r}")


def _names(value: Any) -> tuple[str, ...]:
    if isinstance(value, list | tuple) and value and all(isinstance(v, str) for v in value):
        return tuple(value)
    raise RecipeError(f"operators must be a list of names, got {value!r}")


def _settings(value: Any) -> dict[str, float]:
    if not isinstance(value, Mapping):
        raise RecipeError(f"settings must map names to numbers, got {value!r}")
    return {str(name): _number(f"settings.{name}", number) for name, number in value.items()}


def _versions(value: Any) -> dict[str, str]:
    if isinstance(value, Mapping) and all(isinstance(v, str) for v in value.values()):
        return {str(name): version for name, version in value.items()}
    raise RecipeError(f"versions must map names to versions, got {value!r}")


def _interval(value: Any) -> tuple[float, float]:
    try:
        numbers = () if isinstance(value, str | bytes | Mapping) else tuple(value)
    except TypeError:  # not even several
        numbers = ()
    if len(numbers) != 2:
        raise RecipeError(f"interval must be two numbers, got {value!r}")
    low, high = (_number("interval", number) for number in numbers)
    if low > high:
        raise RecipeError(f"interval must have low <= high, got {low:g} and {high:g}")
    return low, high


def _number(name: str, value: Any) -> float:
    try:
        number = math.nan if isinstance(value, str | bytes | bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise RecipeError(f"{name} must be a finite number, got {value!r}")
    return number


def _whole(name: str, value: Any) -> int:
    """A whole number of any library as Python's own."""
    try:
        if isinstance(value, bool):
            raise TypeError
        return operator.index(value)
    except TypeError:
        raise RecipeError(f"{name} must be a whole number, got {value!r}") from None


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
