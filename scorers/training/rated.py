"""Rated photos in memory: decoded once, kept as bytes, split by name."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Generator, Tensor

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
    """Read a ``filename,mean,...`` table and its square photos, shrunk to `size` where larger.

    Args:
        table: CSV with a header; `filename` is relative to `folder`.
        size: side of the photos kept in memory.
        folder: where the photos lie; the table's own folder when None.
    """
    from PIL import Image

    folder = folder or table.parent
    with table.open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    pixels = np.empty((len(rows), 3, size, size), np.uint8)
    for i, row in enumerate(rows):
        with Image.open(folder / row["filename"]) as image:
            rgb = image.convert("RGB")
            if rgb.size != (size, size):
                rgb = rgb.resize((size, size), Image.Resampling.LANCZOS)
            pixels[i] = np.asarray(rgb).transpose(2, 0, 1)
    means = torch.tensor([float(row["mean"]) for row in rows])
    return RatedPhotos(torch.from_numpy(pixels), means, [row["filename"] for row in rows])


def draw(count: int, size: int, generator: Generator) -> Tensor:
    """`size` distinct indices below `count`."""
    return torch.randperm(count, generator=generator)[:size]
