"""Good photos spoiled: undeveloped, flattened by an operator, or damaged in any direction.

What a predictor learns from (`reproduce.instant`): photos as they are found, and as they should be.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Generator, Tensor

from enhance.operators.base import Operator
from enhance.tuning.predictor import SIZE
from enhance.tuning.space import Space
from scorers.photos.damage import CAMERA, TONE, Damage, sample_damage
from scorers.photos.resampling import random_crop_flip, random_view
from scorers.training.rated import RatedPhotos, draw

STORED = 256
BLACK = 0.08  # luma that good photos go below: no veil
UNDAMAGED = 0.03
LEAST = 0.35  # of the damage: whether a photo lacks anything at all is for the scorer to say
MISUSED = 0.4  # share of photos that the operator itself has flattened
ANYHOW = 0.1  # share damaged in any direction; the rest lack what undeveloped photos lack
FLATTENED: Mapping[str, tuple[float, float]] = {
    "contrast": (-0.9, 0.1),
    "saturation": (-0.6, 0.1),
    "detail": (-0.4, 0.3),
    "shadow": (-0.5, 0.6),
    "brightness": (-0.7, 0.25),
}
"""Settings of the operator that leave black and white where they are, and a photo dark and flat."""
UNDEVELOPED: Mapping[str, float] = {"exposure": 0.4, "contrast": 0.5, "gamma": 0.5}
"""Chances of what moves black or white; everything else of `CAMERA` is there always."""


def reach(count: int, generator: Generator) -> Tensor:
    """How much of a damage is done: from `LEAST` to all of it."""
    return LEAST + (1 - LEAST) * torch.rand(count, generator=generator) ** 0.5


def undeveloped(count: int, generator: Generator) -> Damage:
    """Damage by `CAMERA`: how much, not whether, is to be learned."""
    damage = sample_damage(count, generator, kinds=CAMERA, keep=1.1)
    for name, chance in UNDEVELOPED.items():
        present = torch.rand(count, generator=generator) < chance
        damage.amounts[name] = damage.amounts[name] * present
    return damage.scaled_each(reach(count, generator))


def flatten(operator: Operator[Any], space: Space, photos: Tensor, generator: Generator) -> Tensor:
    """Photos that the operator has made flat, or a little too strong."""
    count = len(photos)
    strength = reach(count, generator)
    settings = {}
    for name in space.names:
        low, high = FLATTENED[name]
        settings[name] = strength * (low + (high - low) * torch.rand(count, generator=generator))
    return operator(photos, **settings)


def spoil(operator: Operator[Any], space: Space, photos: Tensor, generator: Generator) -> Tensor:
    """A share of the photos as they are, a share flattened by the operator, the rest damaged."""
    count = len(photos)
    spoiled = undeveloped(count, generator)(photos)
    anyhow = sample_damage(count, generator, kinds=TONE, keep=0.4)(photos)
    flat = flatten(operator, space, photos, generator)
    veil = 0.08 * torch.rand(count, 1, 1, 1, generator=generator)
    flat = veil + (1 - veil) * flat
    fate = torch.rand(count, generator=generator)[:, None, None, None]
    for share, version in (
        (UNDAMAGED + MISUSED + ANYHOW, anyhow),
        (UNDAMAGED + MISUSED, flat),
        (UNDAMAGED, photos),
    ):
        spoiled = torch.where(fate < share, version, spoiled)
    return spoiled.clamp(0, 1)


def eight_bit(image: Tensor, generator: Generator) -> Tensor:
    """As a camera's file holds it: what clipping took away is gone, and a little noise is there.

    The noise hides the combs and gaps that a curve leaves in the histogram of an 8-bit photo.
    """
    std = 0.01 * torch.rand(len(image), 1, 1, 1, generator=generator)
    noise = torch.randn(image.shape, generator=generator)
    return ((image + std * noise).clamp(0, 1) * 255).round() / 255


def as_left(photos: Tensor, generator: Generator) -> Tensor:
    """Photos before they are spoiled: not all of them reach white, or have the same curve.

    Otherwise the network learns to ask whether a photo has been touched at all, which says nothing
    about photos of other cameras. What it should answer is the photo before this: a target that
    varies by chance cannot be learned.
    """
    share = torch.rand(2, len(photos), 1, 1, 1, generator=generator)
    white = 1 - 0.15 * (2 * share[0] - 1).clamp(min=0)
    return white * photos ** torch.exp(0.2 * (share[1] - 0.5))


def without_veil(photos: RatedPhotos) -> RatedPhotos:
    """Those that reach dark tones. A faded look may be meant; it cannot be what every flat photo
    should stay at. Photos without light tones stay: a night must not be taken for a mistake.
    """
    luma = photos.pixels[..., ::4, ::4].float().mean(1).flatten(1) / 255
    return photos.only(luma.quantile(0.01, dim=1) < BLACK)


@dataclass(frozen=True)
class Pairs:
    """Draws photos as they are found, and as they should be.

    Attributes:
        pools: good photos.
        counts: how many of each pool are drawn at once.
        operator, space: what flattens a share of them.
    """

    pools: Sequence[RatedPhotos]
    counts: Sequence[int]
    operator: Operator[Any]
    space: Space

    @torch.no_grad()
    def __call__(self, generator: Generator) -> tuple[Tensor, Tensor]:
        """Found and good photos, each ``(sum(counts), 3, 224, 224)``."""
        good = self._good(generator)
        spoiled = spoil(self.operator, self.space, as_left(good, generator), generator)
        found = eight_bit(spoiled, generator)
        # files are larger than what is seen of them: shrinking comes after the damage
        found, good = random_view(torch.cat([found, good]), SIZE, generator).chunk(2)
        return found, good

    @torch.no_grad()
    def finished(self, generator: Generator) -> tuple[Tensor, Tensor]:
        """The same of photos that lack nothing: what is found is good but for a little noise."""
        good = self._good(generator)
        found = eight_bit(good, generator)
        found, good = random_view(torch.cat([found, good]), SIZE, generator).chunk(2)
        return found, good

    def _good(self, generator: Generator) -> Tensor:
        photos = []
        for pool, count in zip(self.pools, self.counts, strict=True):
            for photo in pool.batch(draw(len(pool), count, generator)).split(1):
                cut = random_crop_flip(photo, generator, 0.6)
                photos.append(random_view(cut, STORED, generator))
        return torch.cat(photos)
