"""Photos of a rating table as a network in training sees them: shrunk, cropped, mirrored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import Dataset

from scorers.errors import InputError
from scorers.photos.decode import decode
from scorers.ratings.tables import RatingTable
from scorers.training.batches import stream

Place = tuple[int, int, int]
"""Epoch, place in it and row: what a view is drawn for. Balanced epochs show rows repeatedly."""


@dataclass(frozen=True)
class Skipped:
    """A photo that a table names and nobody can read."""

    name: str
    reason: str


class ViewDataset(Dataset[tuple[Tensor, int]]):
    """Random views of photos, each drawn from the seed and its place in the run alone.

    NIMA's augmentation: the photo shrunk to `stored` x `stored`, of which a random `size` x `size`
    square is cut and mirrored half the time.

    Args:
        files: photos to read.
        size: side of a view.
        stored: side that photos are shrunk to; 256 / 224 of `size`, as in the paper, when None.
        seed: of crops and flips.
        keep: hold decoded photos in memory, ``3 * stored ** 2`` bytes each.
    """

    def __init__(
        self, files: Sequence[Path], size: int, *, seed: int, keep: bool, stored: int | None = None
    ) -> None:
        self.files = files
        self.size = size
        self.stored = stored or stored_size(size)
        self.seed = seed
        shape = (len(files), 3, self.stored, self.stored)
        self._pixels = torch.empty(shape, dtype=torch.uint8) if keep else None
        self._decoded = [False] * len(files)

    def __len__(self) -> int:
        return len(self.files)

    def photo(self, row: int) -> Tensor:
        """``(3, stored, stored)`` bytes.

        Raises:
            InputError: it cannot be read (any more).
        """
        if self._pixels is None:
            return decode(self.files[row], self.stored)
        if not self._decoded[row]:
            self._pixels[row] = decode(self.files[row], self.stored)
            self._decoded[row] = True
        return self._pixels[row]

    def __getitem__(self, place: Place) -> tuple[Tensor, int]:
        """The view that `place` is given, ``(3, size, size)`` bytes, and its row."""
        *_, row = place
        generator = stream(self.seed, "view", *place)
        room = self.stored - self.size + 1
        top, left, mirrored = torch.randint(2**31, (3,), generator=generator).tolist()
        top, left = top % room, left % room
        view = self.photo(row)[:, top : top + self.size, left : left + self.size]
        return (view.flip(-1) if mirrored % 2 else view), row


def stored_size(size: int) -> int:
    """Side that photos are shrunk to before a crop of `size` is cut.

    >>> stored_size(224)
    256
    """
    return round(size * 256 / 224)


def readable(
    table: RatingTable, size: int, *, workers: int = 4, tick: Callable[[], object] = lambda: None
) -> tuple[list[int], list[Skipped]]:
    """Which rows of a table have photos that decode to the last byte, and which have not.

    Args:
        size: side of the views they are for.
        workers: threads that decode.
        tick: called after each photo.

    Raises:
        InputError: not one can be read.
    """

    def problem(name: str) -> str | None:
        try:
            decode(table.folder / name, stored_size(size))
        except InputError as error:
            return str(error)
        return None

    rows, skipped = [], []
    with ThreadPoolExecutor(workers) as pool:
        for row, reason in enumerate(pool.map(problem, table.names)):
            if reason is None:
                rows.append(row)
            else:
                skipped.append(Skipped(table.names[row], reason))
            tick()
    if not rows:
        raise InputError(
            f"none of the {len(table)} photos of {table.name} can be read; the first: "
            f"{skipped[0].reason}"
        )
    return rows, skipped
