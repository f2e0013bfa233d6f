"""`enhance export`: a recipe as a table of colours, for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


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

    error = lut.export(recipe, output)
    print(
        f"{output}  interpolated, 99 of 100 colours are within {255 * error.usual:.2f} levels of "
        f"255, all within {255 * error.largest:.2f}"
    )
