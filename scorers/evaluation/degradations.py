"""Damage of one kind at a time, as strong as people meet it: pairs where none were collected."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from scorers.errors import unknown_name
from scorers.photos.damage import camera_noise, gaussian_blur, jpeg
from scorers.photos.haze import random_haze
from scorers.photos.moire import moire

Degrade = Callable[[Tensor, Generator], Tensor]
"""``(1, 3, H, W)`` in [0, 1] to the same, worse; its strength is drawn."""


@dataclass(frozen=True)
class Pair:
    """Two versions ``(1, 3, H, W)`` of a photo in [0, 1], of which the better is known."""

    name: str
    better: Tensor
    worse: Tensor


def _blur(photo: Tensor, generator: Generator) -> Tensor:
    return gaussian_blur(photo, _between(1.0, 3.0, generator))  # std, px


def _noise(photo: Tensor, generator: Generator) -> Tensor:
    std = _between(10, 40, generator) / 255
    return photo + std * camera_noise(photo, generator)


def _jpeg(photo: Tensor, generator: Generator) -> Tensor:
    return jpeg(photo, round(_between(10, 40, generator)))  # quality


DEGRADATIONS: dict[str, Degrade] = {
    "blur": _blur,
    "noise": _noise,
    "jpeg": _jpeg,
    "haze": random_haze,
    "moire": moire,
}


def synthesise(kind: str, photos: Iterable[tuple[str, Tensor]], seed: int = 0) -> Iterator[Pair]:
    """Photos beside copies damaged by one of `DEGRADATIONS`, as 8-bit files hold them.

    Args:
        kind: of damage.
        photos: names, and ``(1, 3, H, W)`` in [0, 1].
        seed: of strengths and patterns; a photo's do not depend on how many come before it.

    Raises:
        UnknownNameError: no such kind.

    >>> (pair,) = synthesise("noise", [("grey", torch.full((1, 3, 8, 8), 0.5))])
    >>> pair.name, bool((pair.worse != pair.better).any())
    ('grey', True)
    """
    if kind not in DEGRADATIONS:
        raise unknown_name("damage", kind, DEGRADATIONS)
    return _spoilt(DEGRADATIONS[kind], photos, seed)


def _spoilt(degrade: Degrade, photos: Iterable[tuple[str, Tensor]], seed: int) -> Iterator[Pair]:
    for index, (name, photo) in enumerate(photos):
        worse = degrade(photo, torch.Generator().manual_seed(1000 * seed + index))
        yield Pair(name, photo, worse.clamp(0, 1).mul(255).round().div(255))


def _between(low: float, high: float, generator: Generator) -> float:
    return low + (high - low) * float(torch.rand((), generator=generator))
