"""Photos, some to learn from and others to be tested on, and how they are spoilt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Generator, Tensor

from scorers.errors import InputError
from scorers.evaluation.pairs import photos_in
from scorers.photos.damage import gaussian_blur
from scorers.photos.decode import read_photo

TRAIN = ("astronaut", "camera", "brick", "grass", "gravel", "immunohistochemistry", "moon")
TEST = ("chelsea", "coffee", "rocket")
"""Photos that scikit-image is packaged with."""

Spoil = Callable[[Tensor, Generator], Tensor]


def noise(photo: Tensor, generator: Generator) -> Tensor:
    """White Gaussian noise of std 25/255, the usual test of denoising."""
    drawn = torch.randn(photo.shape, generator=generator).to(photo)
    return photo + 25 / 255 * drawn


def blur(photo: Tensor, generator: Generator) -> Tensor:
    """Gaussian blur of std 1.6 px, as in the usual tests of deblurring, and noise of std 2/255."""
    drawn = torch.randn(photo.shape, generator=generator).to(photo)
    return gaussian_blur(photo, 1.6) + 2 / 255 * drawn


TASKS: dict[str, Spoil] = {"denoising": noise, "deblurring": blur}


def photos(folder: Path | None, packaged: Sequence[str]) -> list[Tensor]:
    """The photos of a folder, or scikit-image's of these names, each ``(1, 3, H, W)``."""
    if folder is not None:
        return [read_photo(path) for path in photos_in(folder)]
    from skimage import data

    found = []
    for name in packaged:
        pixels = np.atleast_3d(getattr(data, name)())
        coloured = torch.from_numpy(np.ascontiguousarray(pixels)).permute(2, 0, 1)
        found.append(coloured.expand(3, -1, -1)[None].float() / 255)
    return found


def check_sizes(photos: Sequence[Tensor], size: int, what: str) -> None:
    """Raise `InputError` unless there are photos, and a square of `size` fits into each."""
    if not photos:
        raise InputError(f"photos to be {what} must be one at least, got none")
    for number, photo in enumerate(photos, start=1):
        height, width = photo.shape[-2:]
        if min(height, width) < size:
            raise InputError(
                f"photos to be {what} must be {size} px high and wide at least, "
                f"got {height} x {width} for photo {number} of {len(photos)}"
            )


def patches(photos: Sequence[Tensor], size: int, count: int, generator: Generator) -> Tensor:
    """``(count, 3, size, size)`` random cuts of random photos, some turned and mirrored."""
    cuts = []
    for index in torch.randint(len(photos), (count,), generator=generator).tolist():
        photo = photos[index]
        room = torch.tensor(photo.shape[-2:]) - size + 1
        top, left = (torch.rand(2, generator=generator) * room).long().tolist()
        cut = photo[..., top : top + size, left : left + size]
        turns, mirrored = torch.randint(4, (2,), generator=generator).tolist()
        cut = torch.rot90(cut, turns, (-2, -1))
        cuts.append(cut.flip(-1) if mirrored % 2 else cut)
    return torch.cat(cuts)


def tiles(photos: Sequence[Tensor], size: int, at_most: int) -> list[Tensor]:
    """Squares of each photo, evenly spaced and apart, ``(1, 3, size, size)`` each.

    Args:
        at_most: squares per photo.
    """
    found = []
    for photo in photos:
        rows, columns = (_starts(side, size) for side in photo.shape[-2:])
        corners = [(top, left) for top in rows for left in columns]
        first = max(min(len(corners) // 2, len(corners) - at_most), 0)
        chosen = corners[first : first + at_most]
        found += [photo[..., top : top + size, left : left + size] for top, left in chosen]
    return found


def _starts(side: int, size: int) -> list[int]:
    count = side // size
    gap = (side - count * size) / (count + 1) if count else 0
    return [round(gap + index * (size + gap)) for index in range(count)]
