"""`enhance demo`: see it work."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def demo(
    photo: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Your own photo instead of scikit-image's."),
    ] = None,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FOLDER", help="Where the pictures go.")
    ] = Path("demo"),
) -> None:
    """Tune a real photo with each operator, print what changed, and write before/after pictures."""
    from enhance.demo import run_demo

    run_demo(output, photo)
