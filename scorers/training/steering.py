"""Distort and recover: versions of a good photo, each with its distance from it.

A scorer used as an objective needs its maximum over an operator's settings to lie where the
photo is already good. So each good photo is shown with damaged copies, with tone carried too far,
and with renderings of it and of a damaged copy by the operator at random settings. All versions are
then ranked by their distance from the good photo.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from scorers.training.damage import DETAIL, Damage, overdone_damage, sample_damage, tone_damage

Renderer = Callable[[Tensor, Mapping[str, Tensor]], Tensor]
"""``(P, 3, H, W)`` and settings ``(K, P)`` to ``(K, P, 3, H, W)``: an operator, seen from here."""


@dataclass(frozen=True)
class Versions:
    """``(P, V, 3, H, W)`` versions of P photos and their ``(P, V)`` distances from them."""

    images: Tensor
    distances: Tensor


def colour_distance(image: Tensor, reference: Tensor) -> Tensor:
    """Mean CIE76 difference of ``(..., 3, H, W)`` images, half of it seen from afar.

    From afar means after area averaging by four: tone and colour count in full there, while
    grain and detail count in the other half.
    """
    from kornia.color import rgb_to_lab

    shape = image.shape[:-3]
    flat = image.reshape(-1, *image.shape[-3:])
    other = reference.expand_as(image).reshape(flat.shape)
    near = rgb_to_lab(flat) - rgb_to_lab(other)
    far = rgb_to_lab(F.avg_pool2d(flat, 4)) - rgb_to_lab(F.avg_pool2d(other, 4))
    means = [delta.norm(dim=1).mean((-1, -2)) for delta in (near, far)]
    return (0.5 * (means[0] + means[1])).reshape(shape)


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
        tries: settings among which the nearest to the photo is looked for, on a small copy.
        detail: chance that a photo's damage includes blur, noise, JPEG or over-denoising.
        absent: chance, per group of parameters, that a rendering leaves the group at 0, so that
            the scorer steers the operators of a chain alone as well as together.
        groups: parameters that come and go together.
    """

    render: Renderer
    bounds: Mapping[str, tuple[float, float]]
    tries: int = 32
    detail: float = 0.25
    absent: float = 0.0
    groups: Sequence[Sequence[str]] = ()

    def damage(self, photos: int, generator: Generator) -> Damage:
        """One damage per photo; some of them touch detail as well as tone."""
        tone = tone_damage(photos, generator)
        detail = sample_damage(photos, generator, kinds=DETAIL, keep=0.4)
        touched = (torch.rand(photos, generator=generator) < self.detail).float()
        kept = {name: value * touched for name, value in detail.amounts.items()}
        return Damage({**tone.amounts, **kept}, tone.noise_seed)

    @torch.no_grad()
    def __call__(self, photos: Tensor, generator: Generator) -> Versions:
        """Versions of ``(P, 3, H, W)`` good photos: itself, damaged, half damaged, half overdone
        and overdone, and three renderings: the nearest to the photo, of it or of its damaged copy;
        one of the photo at random; and one at random of what the nearest was made of.
        """
        count = len(photos)
        damage = self.damage(count, generator)
        damaged = damage(photos)
        half = damage.scaled(0.5)(photos)
        overdone = overdone_damage(count, generator)
        beyond = [overdone.scaled(share)(photos) for share in (0.5, 1.0)]
        from_damaged = torch.rand(count, generator=generator) < 0.6
        base = torch.where(from_damaged[:, None, None, None], damaged, photos)
        nearest = self._nearest(base, photos, generator)
        anyhow, own = (
            self.render(image, self.settings(1, count, generator))[0] for image in (base, photos)
        )
        images = torch.stack([photos, damaged, half, *beyond, nearest, own, anyhow], dim=1)
        return Versions(images, colour_distance(images, photos[:, None]))

    def settings(self, count: int, photos: int, generator: Generator) -> dict[str, Tensor]:
        """``(count, photos)`` random settings of the operator, some groups left out."""
        drawn = random_settings(self.bounds, count, photos, generator)
        for group in self.groups:
            there = torch.rand(count, photos, generator=generator) >= self.absent
            drawn |= {name: drawn[name] * there for name in group}
        return drawn

    def _nearest(self, base: Tensor, photos: Tensor, generator: Generator) -> Tensor:
        """Of `tries` random settings, the rendering of `base` nearest to the photo."""
        settings = self.settings(self.tries, len(photos), generator)
        small = self.render(F.avg_pool2d(base, 8), settings)
        nearest = colour_distance(small, F.avg_pool2d(photos, 8)).argmin(0)
        everyone = torch.arange(len(photos))
        chosen = {name: value[nearest, everyone][None] for name, value in settings.items()}
        return self.render(base, chosen)[0]
