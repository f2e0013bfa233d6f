"""`scorers personalize`: a scorer that leans towards one person's taste."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scorers.cli.console import complain
from scorers.errors import InputError

if TYPE_CHECKING:
    from scorers.personal import Views
    from scorers.scorer import Scorer


def personalize(
    table: Annotated[
        Path,
        typer.Argument(
            metavar="CSV",
            help="With columns filename,rating or better,worse; photos relative to its folder.",
        ),
    ],
    out: Annotated[Path, typer.Option("-o", "--out", help="The scorer to write (.safetensors).")],
    scorer: Annotated[
        str | None, typer.Option(metavar="NAME|PATH", help="Where to start from; see `list`.")
    ] = None,
) -> int:
    """Fit a scorer to your own ratings, or to your choices between two photos."""
    import torch

    from scorers import zoo
    from scorers.personal import fit_choices, fit_ratings

    if out.suffix != ".safetensors":
        raise InputError(f"the scorer to write must end in .safetensors, got {out}")
    columns, rows = _read(table)
    out.parent.mkdir(parents=True, exist_ok=True)
    base = zoo.load(scorer or zoo.DEFAULT)
    names = list(dict.fromkeys(row[c] for row in rows for c in columns if c != "rating"))
    places, views = _look(base, table.parent, names)
    rows = [row for row in rows if all(row[c] in places for c in columns if c != "rating")]
    if "rating" in columns:
        where = torch.tensor([places[row["filename"]] for row in rows], dtype=torch.long)
        ratings = torch.tensor([_number(row["rating"]) for row in rows])
        fitted = fit_ratings(base, views.take(where), ratings, name=out.stem)
    else:
        better, worse = (
            torch.tensor([places[row[c]] for row in rows], dtype=torch.long) for c in columns
        )
        fitted = fit_choices(base, views, better, worse, name=out.stem)
    fitted.save(out)
    for figure, value in fitted.card.measured.items():
        print(f"{figure}: {value}")
    print(out)
    return 1 if len(places) < len(names) else 0


def _read(table: Path) -> tuple[tuple[str, str], list[dict[str, str]]]:
    try:
        with open(table, newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            rows, found = list(reader), list(reader.fieldnames or [])
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"cannot read {table}: {error}") from error
    for columns in (("filename", "rating"), ("better", "worse")):
        if set(columns) <= set(found):
            return columns, [row for row in rows if all(row[c] for c in columns)]
    raise InputError(
        f"{table} must have columns filename,rating or better,worse, got {','.join(found)}"
    )


def _look(base: Scorer, folder: Path, names: list[str]) -> tuple[dict[str, int], Views]:
    """Where each readable photo stands in the views; the others are named and left out."""
    from scorers.personal import Views, look
    from scorers.training.decode import read_photo

    places: dict[str, int] = {}
    views: list[Views] = []
    for name in names:
        try:
            views.append(look(base, [read_photo(folder / name)]))
        except InputError as error:
            complain(error)
        else:
            places[name] = len(places)
    if not views:
        raise InputError(f"none of the {len(names)} photos in the table can be read")
    return places, Views.join(views)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise InputError(f"rating must be a number, got {text!r}") from error
