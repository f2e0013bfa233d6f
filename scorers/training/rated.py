"""Rated photos in memory: decoded once, kept as bytes, split by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Generator, Tensor

from scorers.photos.decode import opened
from scorers.ratings.cells import Sheet, read_lines
from scorers.ratings.split import Part, part_of


@dataclass(frozen=True)
class RatedPhotos:
    """Square photos as bytes ``(N, 3, S, S)``, their names and human means ``(N,)``."""

    pixels: Tensor
    means: Tensor
    names: Sequence[str]

    def __len__(self) -> int:
        return len(self.names)

    def batch(self, indices: Tensor) -> Tensor:
        """``(B, 3, S, S)`` floats in [0, 1]."""
        return self.pixels[indices].float() / 255

    def part(self, part: Part) -> RatedPhotos:
        """The photos of one split."""
        return self.only(torch.tensor([part_of(name) == part for name in self.names]))

    def at_least(self, mean: float) -> RatedPhotos:
        """The photos whose mean rating is at least `mean`."""
        return self.only(self.means >= mean)

    def only(self, chosen: Tensor) -> RatedPhotos:
        """The photos where ``(N,)`` booleans are true."""
        names = [name for name, keep in zip(self.names, chosen.tolist(), strict=True) if keep]
        return RatedPhotos(self.pixels[chosen], self.means[chosen], names)


def load_rated(table: Path, size: int, *, folder: Path | None = None) -> RatedPhotos:
    """Read a table of names and means and its square photos, shrunk to `size` where larger.

    Pixels are taken as they are stored: an orientation or a profile is left alone, as it was when
    the embedded scorers and predictors were trained and measured.

    Args:
        table: CSV with a header that has ``filename`` and ``mean``; names are relative to `folder`.
        size: side of the photos kept in memory.
        folder: where the photos lie; the table's own folder when None.

    Raises:
        InputError: the table lacks a column or holds what is no number, which its line names, or
            a photo cannot be read.
    """
    from PIL import Image

    folder = folder or table.parent
    sheet = Sheet.of(table, read_lines(table))
    names = sheet.column(("filename",), "a file name")
    sheet.column(("mean",), "a mean")
    means = sheet.numbers("mean").float()
    pixels = np.empty((len(names), 3, size, size), np.uint8)
    for i, name in enumerate(names):
        with opened(folder / name) as photo:
            rgb = photo.convert("RGB")
        if rgb.size != (size, size):
            rgb = rgb.resize((size, size), Image.Resampling.LANCZOS)
        pixels[i] = np.asarray(rgb).transpose(2, 0, 1)
    return RatedPhotos(torch.from_numpy(pixels), means, names)


def draw(count: int, size: int, generator: Generator) -> Tensor:
    """`size` distinct indices below `count`."""
    return torch.randperm(count, generator=generator)[:size]
