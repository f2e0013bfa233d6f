"""Distort and recover: versions of a good photo, each with its distance from it.

A scorer used as an objective needs its maximum over an operator's settings to lie where the
photo is already good. So each good photo is shown with damaged copies, with renderings of both
by the operator at random settings, and with the rendering that the scorer itself likes best at
that moment: the one it would be fooled by. All versions are then ranked by their distance from
the good photo.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from scorers.training.damage import DETAIL, TONE, Damage, sample_damage

Renderer = Callable[[Tensor, Mapping[str, Tensor]], Tensor]
"""``(P, 3, H, W)`` and settings ``(K, P)`` to ``(K, P, 3, H, W)``: an operator, seen from here."""


@dataclass(frozen=True)
class Versions:
    """``(P, V, 3, H, W)`` versions of P photos and their ``(P, V)`` distances from them."""

    images: Tensor
    distances: Tensor


def colour_distance(image: Tensor, reference: Tensor) -> Tensor:
    """Mean CIE76 difference of ``(..., 3, H, W)`` images: the metric, as seen at arm's length.

    Both are first halved by area averaging, since an eye that judges tone does not compare pixels.
    """
    from kornia.color import rgb_to_lab

    shape = image.shape[:-3]
    flat = image.reshape(-1, *image.shape[-3:])
    other = reference.expand_as(image).reshape(flat.shape)
    delta = rgb_to_lab(F.avg_pool2d(flat, 2)) - rgb_to_lab(F.avg_pool2d(other, 2))
    return delta.norm(dim=1).mean((-1, -2)).reshape(shape)


def random_settings(
    bounds: Mapping[str, tuple[float, float]], count: int, photos: int, generator: Generator
) -> dict[str, Tensor]:
    """Draw ``(count, photos)`` settings, from timid to the corners of the box."""
    reach = torch.rand(count, photos, generator=generator)
    settings = {}
    for name, (low, high) in bounds.items():
        direction = torch.rand(count, photos, generator=generator)
        settings[name] = reach * (low + (high - low) * direction)
    return settings


@dataclass(frozen=True)
class DistortAndRecover:
    """Makes `Versions` of good photos.

    Attributes:
        render: the operator.
        bounds: its tuned parameters' bounds; each must contain 0, the identity.
        candidates: renderings tried per photo, of which three are kept.
        detail: chance that a photo's damage includes blur, noise, JPEG or over-denoising.
        tone_keep: chance that each kind of tone damage takes part.
    """

    render: Renderer
    bounds: Mapping[str, tuple[float, float]]
    candidates: int = 8
    detail: float = 0.25
    tone_keep: float = 0.5

    def damage(self, photos: int, generator: Generator) -> Damage:
        """One damage per photo; a quarter of them touch detail as well as tone."""
        tone = sample_damage(photos, generator, kinds=TONE, keep=self.tone_keep)
        detail = sample_damage(photos, generator, kinds=DETAIL, keep=0.4)
        touched = (torch.rand(photos, generator=generator) < self.detail).float()
        kept = {name: value * touched for name, value in detail.amounts.items()}
        return Damage({**tone.amounts, **kept}, tone.noise_seed)

    @torch.no_grad()
    def __call__(
        self, photos: Tensor, score: Callable[[Tensor], Tensor], generator: Generator
    ) -> Versions:
        """Versions of ``(P, 3, H, W)`` good photos: itself, damaged, half damaged, and for the
        photo or its damaged copy three renderings: nearest to the photo, liked best by `score`,
        random.
        """
        count = len(photos)
        damage = self.damage(count, generator)
        damaged = damage(photos)
        half = damage.scaled(0.5)(photos)
        from_damaged = torch.rand(count, generator=generator) < 0.6
        base = torch.where(from_damaged[:, None, None, None], damaged, photos)
        settings = random_settings(self.bounds, self.candidates, count, generator)
        rendered = self.render(base, settings)  # (K, P, 3, H, W)
        distances = colour_distance(rendered, photos)  # (K, P)
        liked = score(rendered.flatten(0, 1)).reshape(distances.shape)
        everyone = torch.arange(count)
        nearest = distances.argmin(0)
        fooled = liked.argmax(0)
        anyone = torch.randint(self.candidates, (count,), generator=generator)
        picked = [rendered[choice, everyone] for choice in (nearest, fooled, anyone)]
        images = torch.stack([photos, damaged, half, *picked], dim=1)
        return Versions(images, colour_distance(images, photos[:, None]))
