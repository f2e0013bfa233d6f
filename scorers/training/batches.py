"""Which photos make up each batch: drawn from the step number alone, so that a run can go on."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from scorers.errors import InputError


def stream(*key: object) -> Generator:
    """A source of randomness that depends on `key` alone.

    >>> stream(0, "crop", 7).initial_seed() == stream(0, "crop", 7).initial_seed()
    True
    """
    digest = hashlib.sha256(repr(key).encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:7]))


def balanced_weights(means: Tensor, bins: int = 10) -> Tensor:
    """``(N,)`` sampling weights that show every bin of mean ratings equally often.

    Most photos are middling, so a network that always says so is rarely wrong by much; drawing
    from `bins` equal bins of the range of means shows it the bad and the good ones as well.

    >>> balanced_weights(torch.tensor([1.0, 5.0, 5.0, 5.0]), bins=2).tolist()
    [1.0, 0.333..., 0.333..., 0.333...]
    """
    low, high = means.min(), means.max()
    place = ((means - low) / (high - low).clamp(min=1e-12) * bins).long().clamp(max=bins - 1)
    return 1 / torch.bincount(place, minlength=bins)[place].double()


@dataclass(frozen=True)
class Batches:
    """The batches of every epoch.

    Attributes:
        count: photos to draw from.
        size: photos per batch, over all processes; what is left over of an epoch is dropped.
        seed: of the order.
        weights: ``(N,)`` chances to be drawn, with replacement; a permutation when None.
    """

    count: int
    size: int
    seed: int = 0
    weights: Tensor | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.size <= self.count:
            raise InputError(
                f"a batch must hold 1 to {self.count} photos (all there are), got {self.size}"
            )

    def __len__(self) -> int:
        """Batches in an epoch."""
        return self.count // self.size

    def epoch(self, number: int) -> Tensor:
        """``(batches, size)`` rows of the table."""
        used = len(self) * self.size
        generator = stream(self.seed, "epoch", number)
        if self.weights is None:
            order = torch.randperm(self.count, generator=generator)[:used]
        else:
            order = torch.multinomial(self.weights, used, replacement=True, generator=generator)
        return order.reshape(len(self), self.size)

    def places(self, number: int) -> Tensor:
        """``(batches, size, 2)``: place in the epoch and row of the table.

        >>> Batches(3, 1, weights=torch.tensor([0.0, 1.0, 0.0])).places(0)[:, 0].tolist()
        [[0, 1], [1, 1], [2, 1]]
        """
        rows = self.epoch(number)
        return torch.stack([torch.arange(rows.numel()).view_as(rows), rows], dim=-1)
