"""A recipe as a table of colours, for other programs: ``.cube`` files and Hald pictures.

Only what an operator does to a colour wherever it stands in a photo fits a table. Whether that is
so is found out by trying: detail, denoising and all else that looks at neighbours, at the place in
the photo or at the photo as a whole is refused.

Source: Adobe, *Cube LUT specification* 1.0 (2013); Eskil Steenberg, *Hald CLUT* (2006).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from enhance.errors import RecipeError, WriteError
from enhance.operators.base import Operator
from enhance.operators.rendering import render_full
from enhance.operators.resolve import resolve_operator
from enhance.recipe import Recipe

SIZE = 65
"""Steps a side: 99 of 100 colours err by less than one level of 255, the worst by up to seven; with
half as many, as is usual too, by three and eleven."""
HALD_LEVEL = 8
"""A Hald picture of this level has ``level^2 = 64`` steps a side in ``level^3 = 512`` pixels."""
SIDE = 64  # of the pictures that answer both questions: is it a table, and how exact is this one
SAME = 1e-5  # float32 rounds alike wherever a pixel stands, but not always to the last bit
ELSEWHERE = {
    ".xmp": "no operator here is computed exactly as Camera Raw, Lightroom or darktable compute "
    "theirs; they read .cube files",
    ".pp3": "no operator here is computed exactly as RawTherapee computes its own; its film "
    "simulation reads Hald pictures (.png)",
}


class TableError(NamedTuple):
    """How far a table is from its recipe on random colours, of 1.

    Attributes:
        usual: what 99 of 100 colours stay within.
        largest: of all.
    """

    usual: float
    largest: float


def export(recipe: Recipe | str | os.PathLike[str], path: str | os.PathLike[str]) -> TableError:
    """Write what a recipe does to colours as a table that other programs read.

    Args:
        recipe: a recipe, or the path of one; of operators that work on each pixel alone, such as
            contrast, saturation, exposure, white balance and highlights. Colours are sRGB.
        path: ``.cube`` (65 steps a side; Photoshop, Lightroom, darktable, DaVinci, FFmpeg) or
            ``.png`` (Hald picture of level 8, 16 bits; RawTherapee, darktable, ImageMagick).

    Returns:
        The table's error, where the program that applies it interpolates linearly between eight
        neighbours.

    Raises:
        RecipeError: the recipe cannot be read, or does something that no table can hold.
        WriteError: another extension (for ``.xmp`` and ``.pp3`` the message says why), or the
            file cannot be written.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     error = export(Recipe(("contrast",), {"contrast": 0.5}), f"{folder}/look.cube")
    >>> error.usual < 0.5 / 255 and error.largest < 1 / 255
    True
    """
    from enhance.atomic import write_bytes

    path = check_export(path)
    if not isinstance(recipe, Recipe):
        recipe = Recipe.load(recipe)
    operator = resolve_operator(recipe.operators)
    operator.complete(recipe.settings)
    settings = recipe.settings
    if recipe.verdict == "untouched":  # whatever the operator: some have no setting for that
        operator, settings = resolve_operator("contrast"), {}
    _check_pointwise(operator, settings)
    hald = path.suffix.lower() == ".png"
    table = sample(operator, settings, HALD_LEVEL**2 if hald else SIZE)
    write_bytes(path, _hald(table) if hald else _cube(table, recipe))
    colours = _random_colours()
    wanted = _on_colours(operator, colours, settings, rows=SIDE)
    errors = (_interpolate(table, colours) - wanted).abs().amax(-1)
    return TableError(float(errors.quantile(0.99)), float(errors.max()))


def check_export(path: str | os.PathLike[str]) -> Path:
    """The path, if its extension is that of a table; see `export`."""
    path = Path(path)
    extension = path.suffix.lower()
    if extension in ELSEWHERE:
        raise WriteError(f"cannot write {path}: {ELSEWHERE[extension]}")
    if extension not in (".cube", ".png"):
        raise WriteError(
            f"cannot write {path}: a table's extension must be .cube or .png, got {extension!r}"
        )
    return path


def sample(operator: Operator[Any], settings: Mapping[str, float], size: int) -> Tensor:
    """What becomes of a lattice of colours: ``(size, size, size, 3)``, indexed by blue, green, red.

    >>> from enhance.operators.registry import get
    >>> sample(get("contrast"), {}, 3)[0, 1, 2]
    tensor([1.0000, 0.5000, 0.0000])
    """
    axis = torch.linspace(0, 1, size)
    blue, green, red = torch.meshgrid(axis, axis, axis, indexing="ij")
    colours = torch.stack([red, green, blue], -1).reshape(-1, 3)
    # out of order, so that like colours are no neighbours
    order = torch.randperm(size**3, generator=torch.Generator().manual_seed(0))
    table = torch.empty_like(colours)
    table[order] = _on_colours(operator, colours[order], settings, rows=size)
    return table.reshape(size, size, size, 3)


def _on_colours(
    operator: Operator[Any], colours: Tensor, settings: Mapping[str, float], *, rows: int
) -> Tensor:
    """Colours ``(N, 3)`` rendered as a picture of so many rows."""
    picture = colours.T.reshape(1, 3, rows, -1).contiguous()
    return render_full(operator, picture, settings)[0].flatten(1).T


def _check_pointwise(operator: Operator[Any], settings: Mapping[str, float]) -> None:
    """Refuse what depends on a pixel's place, its neighbours or the rest of the photo.

    Each probe is rendered whole, and a third of its pixels once more in another order.
    """
    shuffled = torch.randperm(SIDE * SIDE, generator=torch.Generator().manual_seed(1))
    shuffled = shuffled[: SIDE * (SIDE // 3)]
    for colours in _probes():
        together = _on_colours(operator, colours, settings, rows=SIDE)[shuffled]
        apart = _on_colours(operator, colours[shuffled], settings, rows=SIDE)
        if not bool((together - apart).abs().max() <= SAME):
            changed = ", ".join(f"{name}={value:g}" for name, value in sorted(settings.items()))
            raise RecipeError(
                f"a table of colours cannot hold what {operator.name} does with {changed}: "
                "there a pixel depends on others (contrast, saturation, exposure, white_balance "
                "and highlights work on each alone)"
            )


def _probes() -> Iterator[Tensor]:
    """Square pictures as colours ``(SIDE^2, 3)``: random ones, a noisy slope, and noisy flats.

    Denoisers leave alone what differs by more than noise: each finds its noise in one of them.
    """
    yield _random_colours()
    generator = torch.Generator().manual_seed(2)
    down, across = torch.meshgrid(*[torch.linspace(0.2, 0.8, SIDE)] * 2, indexing="ij")
    slope = torch.stack([across, down, (across + down) / 2], -1).reshape(-1, 3)
    for base, std in ((slope, 0.004), (0.5, 1 / 255), (0.5, 0.001)):
        yield base + std * torch.randn(SIDE * SIDE, 3, generator=generator)


def _random_colours() -> Tensor:
    return torch.rand(SIDE * SIDE, 3, generator=torch.Generator().manual_seed(0))


def _interpolate(table: Tensor, colours: Tensor) -> Tensor:
    """Trilinear interpolation of ``(S, S, S, 3)`` at ``(N, 3)``."""
    volume = table.permute(3, 0, 1, 2)[None]
    # in the order of the axes from last to first, which is red, green, blue
    grid = (colours * 2 - 1)[None, None, None]
    found = torch.nn.functional.grid_sample(volume, grid, align_corners=True)
    return found[0, :, 0, 0].T


def _cube(table: Tensor, recipe: Recipe) -> bytes:
    lines = [f'TITLE "{"+".join(recipe.operators)}"', f"LUT_3D_SIZE {len(table)}"]
    # red changes fastest
    lines += [" ".join(f"{value:.7f}" for value in row) for row in table.reshape(-1, 3).tolist()]
    return ("\n".join(lines) + "\n").encode()


def _hald(table: Tensor) -> bytes:
    from enhance.imaging.deep import encode_png

    side = HALD_LEVEL**3
    levels: NDArray[np.uint16] = np.rint(table.numpy() * 65535).astype(np.uint16)
    return encode_png(levels.reshape(side, side, 3))
