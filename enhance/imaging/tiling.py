"""Work on a photo tile by tile, so that memory stays bounded whatever its size."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from enhance.errors import ParameterError


@dataclass(frozen=True)
class Tile:
    """One tile: the part it answers for, and the padded part it must see.

    Attributes:
        core: row and column slices of the photo that this tile writes.
        padded: the same, grown by the halo and clipped at the photo's border.
    """

    core: tuple[slice, slice]
    padded: tuple[slice, slice]

    @property
    def inner(self) -> tuple[slice, slice]:
        """Where the core lies inside the padded part."""
        rows, columns = (
            slice(core.start - padded.start, core.stop - padded.start)
            for core, padded in zip(self.core, self.padded, strict=True)
        )
        return rows, columns


def tiles(height: int, width: int, *, size: int, halo: int) -> Iterator[Tile]:
    """Cover a photo of `height` x `width` px with tiles of at most `size` px plus a `halo`.

    Every pixel is in exactly one core.

    Raises:
        ParameterError: `size` below 1 or `halo` below 0.

    >>> [t.padded[1] for t in tiles(4, 8, size=4, halo=2)]
    [slice(0, 6, None), slice(2, 8, None)]
    """
    if size < 1 or halo < 0:
        raise ParameterError(
            f"a tile needs size >= 1 and halo >= 0, got size={size} and halo={halo}"
        )
    for top in range(0, height, size):
        rows = slice(top, min(top + size, height))
        for left in range(0, width, size):
            columns = slice(left, min(left + size, width))
            yield Tile((rows, columns), (_grow(rows, halo, height), _grow(columns, halo, width)))


def apply_tiled(
    function: Callable[[Tensor], Tensor], image: Tensor, *, halo: int, size: int = 1024
) -> Tensor:
    """Apply `function` tile by tile; equals ``function(image)`` when `halo` is wide enough.

    Args:
        function: maps ``(B, 3, h, w)`` to ``(B, C, h, w)`` of the same height and width. Pass
            an operator with its settings and ``extent`` bound.
        image: ``(B, 3, H, W)``.
        halo: context in px that `function` needs on each side (`Operator.halo`).
        size: side of a tile's core in px.

    Returns:
        ``(B, C, H, W)``, in the dtype and on the device of the function's result. Peak memory
        is the result plus what `function` needs for one tile.

    >>> photo = torch.rand(1, 3, 10, 10)
    >>> torch.equal(apply_tiled(lambda t: t * 0.5, photo, halo=0, size=4), photo * 0.5)
    True
    """
    height, width = image.shape[-2:]
    if max(height, width) <= max(size, halo):  # else every tile would be the whole image
        return function(image)
    result: Tensor | None = None
    for tile in tiles(height, width, size=size, halo=halo):
        part = function(image[(..., *tile.padded)])
        if result is None:
            result = torch.empty(
                (*part.shape[:-2], height, width), dtype=part.dtype, device=part.device
            )
        result[(..., *tile.core)] = part[(..., *tile.inner)]
    assert result is not None  # a photo has at least one pixel, hence one tile
    return result


def _grow(core: slice, halo: int, limit: int) -> slice:
    return slice(max(core.start - halo, 0), min(core.stop + halo, limit))
