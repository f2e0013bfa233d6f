"""`enhance apply`: replay a recipe on other photos."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from enhance.cli.console import each, make_folder
from enhance.cli.options import Photos, find_photos
from enhance.errors import WriteError


def apply(
    recipe: Annotated[
        Path, typer.Argument(metavar="RECIPE", help="A recipe that `enhance tune` saved.")
    ],
    photos: Photos,
    output: Annotated[
        Path,
        typer.Option(
            "-o",
            "--output",
            metavar="PATH",
            help="A folder, made if need be; or, for one photo, a file.",
        ),
    ],
) -> int:
    """Apply the operator and settings of a recipe to photos, at full resolution."""
    import enhance

    loaded = enhance.Recipe.load(recipe)
    found = find_photos(photos)
    one_file = len(found) == 1 and output.suffix != "" and not output.is_dir()
    if one_file:
        targets = {found[0]: output}
    else:
        twice = [name for name, count in Counter(p.name for p in found).items() if count > 1]
        if twice:
            raise WriteError(f"cannot write {output / twice[0]}: two of the photos have this name")
        make_folder(output)
        targets = {photo: output / photo.name for photo in found}

    def work(photo: Path) -> None:
        enhance.apply(photo, loaded, output=targets[photo])
        print(targets[photo], flush=True)

    return each(found, work)
