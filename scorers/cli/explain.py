"""`scorers explain`: attribution maps, border attention, and how easily a scorer is fooled."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scorers.cli.console import complain
from scorers.errors import InputError, unknown_name

_PANEL = 320  # px, the longer side of a picture in the sheet


def explain(
    photos: Annotated[
        list[Path], typer.Argument(metavar="PHOTO|FOLDER...", help="Photos, or folders of them.")
    ],
    out: Annotated[
        Path, typer.Option("-o", "--out", help="Folder for the pictures, NAME.explained.png.")
    ] = Path("explained"),
    method: Annotated[
        list[str] | None,
        typer.Option(help="integrated-gradients, deeplift, occlusion or grad-cam; all of them."),
    ] = None,
    scorer: Annotated[
        str | None, typer.Option(metavar="NAME|PATH", help="What to explain; see `list`.")
    ] = None,
) -> int:
    """Show which pixels raise (red) or lower (blue) the score, and which an attack would change.

    Prints, over all photos, the share of attribution in the outer eighth of what the network is
    shown, the photo shrunk or squares of it: a scorer that looks at borders rather than at photos
    has more there than the area's share.
    """
    import torch
    import torch.nn.functional as F
    from torch import Tensor

    from scorers import zoo
    from scorers.explain import (
        METHODS,
        attribute,
        border_share,
        fool,
        laid_out,
        squares,
        uniform_share,
    )
    from scorers.explain.figure import overlay, save_page, sheet
    from scorers.photos.decode import read_photo

    methods = method or list(METHODS)
    for name in methods:
        if name not in METHODS:
            raise unknown_name("attribution method", name, METHODS)
    files = _find(photos)
    targets = _targets(files, out)
    judge = zoo.load(scorer or zoo.DEFAULT)
    out.mkdir(parents=True, exist_ok=True)
    shares: dict[str, list[float]] = {name: [] for name in methods}
    moved: dict[str, list[float]] = {"raised": [], "lowered": []}
    failed = 0
    for photo, target in zip(files, targets, strict=True):
        try:
            image = read_photo(photo)
        except InputError as error:
            complain(error)
            failed += 1
            continue
        scale = min(_PANEL / max(image.shape[-2:]), 1.0)
        size = [max(round(side * scale), 1) for side in image.shape[-2:]]
        small = F.interpolate(image, size=size, mode="area")[0]
        panels: dict[str, Tensor] = {f"score {judge(image).item():.2f}": small}
        for name in methods:
            heats = attribute(judge, squares(judge, image)[0], name)
            shares[name].append(border_share(heats).mean().item())
            panels[name] = overlay(small, laid_out(judge, heats[None], *image.shape[-2:])[0])
        for name, sign in (("raised", 1), ("lowered", -1)):
            found = fool(judge, image, raise_score=sign > 0)
            change = (found.after - found.before).item()
            moved[name].append(change)
            panels[f"{name} by {change:+.2f}"] = overlay(small, sign * found.heat[0])
        save_page(sheet(panels), target)
        print(target, flush=True)
    if failed == len(files):
        return 2
    size_of_view = judge.view_size
    print(
        f"attribution in the outer eighth; {uniform_share(size_of_view, size_of_view):.3f} alike:"
    )
    for name, values in shares.items():
        print(f"  {name:<21} {torch.tensor(values).mean().item():.3f}")
    print("score moved by a change of at most 2/255 per value, mean:")
    for name, values in moved.items():
        print(f"  {name:<21} {torch.tensor(values).mean().item():+.3f}")
    return 1 if failed else 0


def _find(photos: list[Path]) -> list[Path]:
    """Files as named, and the photos in folders as named, sorted.

    Raises:
        InputError: a folder holds none.
    """
    from scorers.evaluation.pairs import photos_in

    return [file for path in photos for file in (photos_in(path) if path.is_dir() else [path])]


def _targets(files: list[Path], out: Path) -> list[Path]:
    """Where the picture of each photo goes: photos of one name are numbered.

    Raises:
        InputError: a photo lies there.
    """
    names: dict[str, None] = {}
    for file in files:
        name, number = f"{file.stem}.explained.png", 2
        while name in names:
            name, number = f"{file.stem}-{number}.explained.png", number + 1
        names[name] = None
    given = {file.resolve() for file in files}
    for name in names:
        if (out / name).resolve() in given:
            raise InputError(f"pictures must not replace photos, got {out / name} as one of both")
    return [out / name for name in names]
