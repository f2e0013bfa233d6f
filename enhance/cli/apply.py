"""`enhance apply`: replay a recipe on other photos."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from enhance.cli.console import each, make_folder
from enhance.cli.options import Photos, find_photos
from enhance.cli.outputs import check_apart
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
    from enhance.imaging.files import check_target
    from enhance.imaging.formats import FORMAT_OF
    from enhance.operators.resolve import resolve_operator

    loaded = enhance.Recipe.load(recipe)
    resolve_operator(loaded.operators).complete(loaded.settings)  # said once, not for each photo
    found = find_photos(photos)
    one_file = len(found) == 1 and output.suffix != "" and not os.path.isdir(output)
    targets = {found[0]: output} if one_file else _in_folder(found, output)
    check_apart([recipe, *found], {str(photo): target for photo, target in targets.items()})
    if not one_file:
        if output.suffix.lower() in FORMAT_OF and not output.is_dir():
            raise WriteError(
                f"cannot write {output}: several photos need a folder, got the name of a picture"
            )
        make_folder(output)

    def work(photo: Path) -> None:
        check_target(targets[photo], source=photo)
        enhance.apply(photo, loaded, output=targets[photo])
        print(targets[photo], flush=True)

    return each(found, work)


def _in_folder(photos: Sequence[Path], folder: Path) -> dict[Path, Path]:
    """The place of each photo's result, named as `enhance batch` names it.

    Raises:
        WriteError: two photos have one name.
    """
    from enhance.batch.plan import places

    names = [Path(photo.name) for photo in photos]
    for name, count in Counter(names).items():
        if count > 1:
            raise WriteError(f"cannot write {folder / name}: two of the photos have this name")
    own = places(names)
    return {photo: folder / own[name] for photo, name in zip(photos, names, strict=True)}
