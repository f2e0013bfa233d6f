"""`enhance export`: a recipe as a table of colours, for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from enhance.cli.outputs import check_apart

if TYPE_CHECKING:
    from enhance.recipe import Recipe

STEPS = 17
"""Of a lattice that is fine enough to tell whether a recipe changes any colour."""


def export(
    recipe: Annotated[
        Path, typer.Argument(metavar="RECIPE", help="A recipe that `enhance tune` saved.")
    ],
    output: Annotated[
        Path, typer.Argument(metavar="FILE", help="look.cube, or look.png for a Hald picture.")
    ],
) -> None:
    """Write a recipe of tone and colour as a lookup table (.cube) or a Hald picture (.png).

    Recipes whose pixels depend on their neighbours (detail, denoising) are refused.
    """
    from enhance import lut
    from enhance.recipe import Recipe

    check_apart([recipe], {"FILE": output})
    lut.check_export(output)
    loaded = Recipe.load(recipe)
    error = lut.export(loaded, output)
    print(
        f"{output}  interpolated, 99 of 100 colours are within {255 * error.usual:.2f} levels of "
        f"255, all within {255 * error.largest:.2f}"
    )
    if _changes_nothing(loaded):
        print(f"  {recipe} changes no colour, and so does the table")


def _changes_nothing(recipe: Recipe) -> bool:
    """Whether every colour of a lattice stays what it is."""
    from enhance.lut import SAME, sample
    from enhance.operators.registry import get
    from enhance.operators.resolve import resolve_operator

    if recipe.verdict == "untouched":
        return True
    table = sample(resolve_operator(recipe.operators), recipe.settings, STEPS)
    still = sample(get("contrast"), {}, STEPS)
    return bool((table - still).abs().max() <= SAME)
