"""Arguments that several commands share, and the reading of ``NAME=VALUE``."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from enhance.errors import ParameterError, ReadError
from enhance.tuning.integers import MAX_SEED

Photos = Annotated[
    list[Path], typer.Argument(metavar="PHOTO...", help="Photos, or folders of photos.")
]
ScorerName = Annotated[
    str | None,
    typer.Option(
        "--scorer", metavar="NAME|PATH", help="What judges; `enhance scorers list` has the names."
    ),
]
Operators = Annotated[
    list[str] | None,
    typer.Option(
        "--operator",
        metavar="NAME",
        help="What to tune; several times makes a chain. `enhance operators` lists them.",
    ),
]
Strategy = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="grid, gradient, bayesian, hybrid, race or instant."),
]
Crops = Annotated[
    int | None, typer.Option(min=2, metavar="N", help="How many views each setting is judged on.")
]
Device = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Where to compute, such as cuda; the CPU unless said."),
]
Storage = Annotated[
    str | None,
    typer.Option(
        metavar="URL|FILE",
        help="Keep a bayesian or hybrid search there, to go on with after an interruption.",
    ),
]
Seed = Annotated[
    int, typer.Option(min=0, max=MAX_SEED, metavar="N", help="Same seed, same result.")
]
Fix = Annotated[list[str] | None, typer.Option(metavar="NAME=VALUE", help="Hold a parameter.")]
Bound = Annotated[
    list[str] | None, typer.Option(metavar="NAME=LOW:HIGH", help="Search within this only.")
]
Guards = Annotated[
    bool,
    typer.Option(
        "--guards/--no-guards",
        help="Without them the result is the scorer's maximum, which often ruins a photo.",
    ),
]
Preset = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Start from a look: natural, punchy, soft or night."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


def find_photos(paths: Iterable[Path]) -> list[Path]:
    """Replace each folder by the photos directly in it, by name; files are kept as they are.

    Hidden files are left out.

    Raises:
        ReadError: a folder holds no photo.
    """
    from enhance.imaging.formats import FORMAT_OF, RAW

    photos: list[Path] = []
    for path in paths:
        if not os.path.isdir(path):  # which a name that is too long does not stop
            photos.append(path)
            continue
        inside = sorted(
            file
            for file in path.iterdir()
            if file.suffix.lower() in FORMAT_OF.keys() | RAW
            and not file.name.startswith(".")
            and file.is_file()
        )
        if not inside:
            raise ReadError(f"cannot read {path}: a folder with no photo in it")
        photos += inside
    return photos


def read_values(pairs: Iterable[str], option: str) -> dict[str, float]:
    """Read ``NAME=VALUE`` pairs.

    >>> read_values(["detail=1", "shadow=-.5"], "--fix")
    {'detail': 1.0, 'shadow': -0.5}
    """
    split = _split(pairs, option, "NAME=VALUE")
    return {name: _number(value, option, pair) for name, value, pair in split}


def read_bounds(pairs: Iterable[str], option: str) -> dict[str, tuple[float, float]]:
    """Read ``NAME=LOW:HIGH`` pairs.

    >>> read_bounds(["detail=0:2"], "--bound")
    {'detail': (0.0, 2.0)}
    """
    bounds = {}
    for name, value, pair in _split(pairs, option, "NAME=LOW:HIGH"):
        low, colon, high = value.partition(":")
        if not colon:
            raise ParameterError(f"{option} must be NAME=LOW:HIGH, got {pair!r}")
        bounds[name] = (_number(low, option, pair), _number(high, option, pair))
    return bounds


def _split(pairs: Iterable[str], option: str, form: str) -> Iterable[tuple[str, str, str]]:
    seen = set()
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not (name and equals):
            raise ParameterError(f"{option} must be {form}, got {pair!r}")
        if name in seen:
            raise ParameterError(f"{option} names {name!r} twice")
        seen.add(name)
        yield name, value, pair


def _number(text: str, option: str, pair: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ParameterError(f"{option} needs a number, got {text!r} in {pair!r}") from None
