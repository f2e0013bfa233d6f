"""How much a score moves when nothing that a person sees has changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
import torch.nn.functional as F
from torch import Tensor

from scorers.evaluation.figure import Figure, average
from scorers.photos.damage import jpeg
from scorers.photos.resampling import resample

Score = Callable[[Tensor], Tensor]
FILTERS = ("nearest", "bilinear", "area", "lanczos")


def _spread(versions: Iterable[Tensor], score: Score) -> float:
    scores = torch.cat([score(version) for version in versions])
    return float(scores.max() - scores.min())


@torch.no_grad()
def resize_spread(photos: Iterable[Tensor], score: Score, size: int = 224, seed: int = 0) -> Figure:
    """Largest minus smallest score of a photo shrunk by each of `FILTERS`, mean over photos."""
    spreads = [_spread((resample(p, size, m) for m in FILTERS), score) for p in photos]
    return average(spreads, seed=seed)


@torch.no_grad()
def shift_spread(photos: Iterable[Tensor], score: Score, seed: int = 0) -> Figure:
    """Largest minus smallest score of a photo cut one pixel shorter at each corner."""
    corners = [(0, 1, 0, 1), (0, 1, 1, 0), (1, 0, 0, 1), (1, 0, 1, 0)]
    spreads = [_spread((F.pad(p, [-c for c in cut]) for cut in corners), score) for p in photos]
    return average(spreads, seed=seed)


@torch.no_grad()
def jpeg_change(photos: Iterable[Tensor], score: Score, quality: int = 70, seed: int = 0) -> Figure:
    """Score after a JPEG round trip at `quality` minus the score before, mean over photos."""
    changes = [float(score(jpeg(p, quality)) - score(p)) for p in photos]
    return average(changes, seed=seed)
