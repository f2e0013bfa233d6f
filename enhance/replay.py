"""Apply a recipe to a photo."""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING, Any, TypeAlias, Union, overload

from torch import Tensor

from enhance.errors import RecipeError
from enhance.imaging.intake import as_photo
from enhance.imaging.photo import ImageLike
from enhance.imaging.samples import Array
from enhance.operators.rendering import render_full
from enhance.operators.resolve import resolve_operator
from enhance.recipe import Recipe

if TYPE_CHECKING:
    from PIL.Image import Image

RecipeLike: TypeAlias = Union[Recipe, str, "PathLike[str]"]
Target: TypeAlias = Union[str, "PathLike[str]", None]


@overload
def apply(
    image: Tensor, recipe: RecipeLike, *, output: Target = ..., overwrite: bool = ...
) -> Tensor: ...
@overload
def apply(
    image: Array, recipe: RecipeLike, *, output: Target = ..., overwrite: bool = ...
) -> Array: ...
@overload
def apply(
    image: str | PathLike[str] | Image,
    recipe: RecipeLike,
    *,
    output: Target = ...,
    overwrite: bool = ...,
) -> Image: ...
def apply(
    image: ImageLike,
    recipe: RecipeLike,
    *,
    output: Target = None,
    overwrite: bool = False,
) -> Any:
    """Repeat an enhancement, on the same photo or on another one, at full resolution.

    Args:
        image: whatever `enhance.tune` takes.
        recipe: a recipe, or the path of one.
        output: a file to write the result to, with the metadata of the input.
        overwrite: allow `output` to be the input file.

    Returns:
        The photo, of the same kind as `image`.

    Raises:
        RecipeError: neither a recipe nor a path, or one that cannot be read.
        UnknownNameError: it names an operator or a parameter that is not known here.
        ParameterError: one of its settings is out of bounds.
        ReadError, ImageError, WriteError: the photo cannot be read, worked on or written.

    >>> import torch
    >>> photo = torch.full((3, 8, 8), 0.25)
    >>> brighter = apply(photo, Recipe(("laplacian",), {"brightness": 0.5}))
    >>> bool((brighter > photo).all())
    True
    """
    if not isinstance(recipe, Recipe):
        if not isinstance(recipe, str | PathLike):
            raise RecipeError(f"recipe must be a Recipe or a path, got {type(recipe).__name__}")
        recipe = Recipe.load(recipe)
    operator = resolve_operator(recipe.operators)
    operator.complete(recipe.settings)
    photo = as_photo(image)
    if output is not None:
        from enhance.imaging.files import check_holds

        check_holds(photo, output)
    pixels = photo.pixels
    if recipe.verdict == "enhanced":
        pixels = render_full(operator, pixels, recipe.settings)
    if output is not None:
        from enhance.imaging.files import write

        write(photo, pixels, output, overwrite=overwrite)
    return photo.like_input(pixels)
