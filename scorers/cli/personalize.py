"""`scorers personalize`: a scorer that leans towards one person's taste."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scorers.cli.console import complain
from scorers.errors import InputError

if TYPE_CHECKING:
    from scorers.personal import ViewFeatures
    from scorers.ratings.cells import Sheet
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
    from scorers.ratings.cells import as_number

    if out.suffix != ".safetensors":
        raise InputError(f"the scorer to write must end in .safetensors, got {out}")
    columns, sheet = _read(table)
    named = [column for column in columns if column != "rating"]
    cells = {column: sheet.cells(column) for column in columns}
    said = [n for n in range(len(sheet)) if all(cells[column][n] for column in columns)]
    if len(said) < len(sheet):
        complain(f"{table}: {len(sheet) - len(said)} rows say nothing and are left out")
    numbers = {
        n: as_number(cells["rating"][n], table, sheet.lines[n]) for n in said if "rating" in cells
    }
    base = zoo.load(scorer or zoo.DEFAULT)
    low, high = base.card.buckets[0], base.card.buckets[-1]
    for n, rating in numbers.items():
        if not low <= rating <= high:
            raise InputError(
                f"{table}, line {sheet.lines[n]}: ratings must lie in [{low:g}, {high:g}], "
                f"got {rating:g}"
            )
    out.parent.mkdir(parents=True, exist_ok=True)
    names = list(dict.fromkeys(cells[column][n] for n in said for column in named))
    places, views = _look(base, table.parent, names)
    kept = [n for n in said if all(cells[column][n] in places for column in named)]

    def where(column: str) -> torch.Tensor:
        return torch.tensor([places[cells[column][n]] for n in kept], dtype=torch.long)

    if "rating" in columns:
        ratings = torch.tensor([numbers[n] for n in kept], dtype=torch.float64)
        fitted = fit_ratings(base, views.take(where("filename")), ratings, name=out.stem)
    else:
        fitted = fit_choices(base, views, where("better"), where("worse"), name=out.stem)
    fitted.save(out)
    for figure, value in fitted.card.measured.items():
        print(f"{figure}: {value}")
    print(out)
    return 1 if len(places) < len(names) else 0


def _read(table: Path) -> tuple[tuple[str, str], Sheet]:
    """What the table states, ratings or choices, and the table."""
    from scorers.ratings.cells import Sheet, read_lines

    sheet = Sheet.of(table, read_lines(table))
    for columns in (("filename", "rating"), ("better", "worse")):
        if set(columns) <= set(sheet.header):
            return columns, sheet
    raise InputError(
        f"{table} must have columns filename,rating or better,worse, got {','.join(sheet.header)}"
    )


def _look(base: Scorer, folder: Path, names: list[str]) -> tuple[dict[str, int], ViewFeatures]:
    """Where each readable photo stands in the views; the others are named and left out."""
    from scorers.personal import ViewFeatures, look
    from scorers.photos.decode import read_photo

    places: dict[str, int] = {}
    views: list[ViewFeatures] = []
    for name in names:
        try:
            views.append(look(base, [read_photo(folder / name)]))
        except InputError as error:
            complain(error)
        else:
            places[name] = len(places)
    if not views:
        raise InputError(f"none of the {len(names)} photos in the table can be read")
    return places, ViewFeatures.join(views)
