"""Pairs of photos of which people know the better one: two folders with equal file names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from scorers.errors import InputError
from scorers.evaluation.agreement import pair_accuracy, tied
from scorers.evaluation.figure import Figure, bootstrap
from scorers.photos.decode import read_photo

Score = Callable[[Tensor], Tensor]
PHOTOS = {".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".bmp"}


def photos_in(folder: Path) -> list[Path]:
    """The photos in a folder, sorted.

    Raises:
        InputError: there are none.
    """
    found = sorted(p for p in folder.glob("*") if p.suffix.lower() in PHOTOS)
    if not found:
        raise InputError(f"no photos in {folder}")
    return found


def pairs(better: Path, worse: Path) -> list[tuple[Path, Path]]:
    """Files of equal name (their endings may differ) in two folders, sorted.

    Raises:
        InputError: a folder without photos, or fewer than two pairs.
    """
    other = {path.stem: path for path in photos_in(worse)}
    found = [(path, other[path.stem]) for path in photos_in(better) if path.stem in other]
    if len(found) < 2:
        raise InputError(
            f"{better} and {worse} must share two file names at least, got {len(found)}"
        )
    return found


@torch.inference_mode()
def folder_pairs(
    score: Score,
    better: Path,
    worse: Path,
    *,
    seed: int = 0,
    unreadable: Callable[[str], object] = lambda _: None,
) -> dict[str, Figure]:
    """How often and by how much a scorer prefers the better photo of each pair.

    Args:
        score: ``(1, 3, H, W)`` in [0, 1] to ``(1,)``.
        seed: of the bootstrap.
        unreadable: called with what is wrong with a photo; its pair is left out.

    Returns:
        ``pair accuracy``, the share of pairs whose better photo scores at least as high; ``tied
        pairs``, the share of those that score alike; and ``mean lead`` of the better's score.

    Raises:
        InputError: see `pairs`, or fewer than two pairs can be read.
    """
    scores = []
    for pair in pairs(better, worse):
        try:
            scores.append([float(score(read_photo(path))) for path in pair])
        except InputError as error:
            unreadable(str(error))
    if len(scores) < 2:
        raise InputError(f"{better} and {worse} must share two readable photos at least")
    good, bad = zip(*scores, strict=True)
    return {
        "pair accuracy": pair_accuracy(good, bad, seed=seed),
        "tied pairs": tied(good, bad, seed=seed),
        "mean lead": bootstrap(lambda a, b: float((a - b).mean()), good, bad, seed=seed),
    }
