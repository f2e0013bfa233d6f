"""Distort and recover: versions of a good photo, each with its distance from it.

A scorer used as an objective needs its maximum over an operator's settings to lie where the
photo is already good. So each good photo is shown with damaged copies, with tone carried too far,
and with what a search would see: renderings by the operator, at many settings, of the photo and of
damaged copies. All versions are then ranked by their distance from the good photo, and each search
should end at the nearest of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from scorers.photos.colour_difference import Difference, ciede2000
from scorers.photos.damage import CAMERA, DETAIL, overdone_damage, sample_damage, tone_damage

Renderer = Callable[[Tensor, Mapping[str, Tensor]], Tensor]
"""``(P, 3, H, W)`` and settings ``(K, P)`` to ``(K, P, 3, H, W)``: an operator, seen from here."""

OVERDONE = (0.35, 0.6, 0.8, 1.0, 1.0)
"""Shares of five ways of overdoing it that a photo is shown with."""


@dataclass(frozen=True)
class Versions:
    """Versions of P photos.

    Attributes:
        images: ``(P, V, 3, H, W)``; the first is the photo.
        distances: ``(P, V)``, from the photo.
        searches: columns that one search would compare, its start first.
    """

    images: Tensor
    distances: Tensor
    searches: Sequence[Sequence[int]]


def colour_distance(image: Tensor, reference: Tensor, difference: Difference = ciede2000) -> Tensor:
    """Mean colour difference of ``(..., 3, H, W)`` images, half of it seen from afar.

    From afar means after area averaging by four: tone and colour count in full there, while
    grain and detail count in the other half.
    """
    from kornia.color import rgb_to_lab

    def lab(images: Tensor, square: int) -> Tensor:
        flat = F.avg_pool2d(images.reshape(-1, *images.shape[-3:]), square)
        return rgb_to_lab(flat).reshape(*images.shape[:-2], *flat.shape[-2:])

    near, far = (
        difference(lab(image, square), lab(reference, square)).mean((-1, -2)) for square in (1, 4)
    )
    return 0.5 * (near + far)


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
        tries: settings among which those nearest to the photo are looked for, on a small copy.
        absent: chance, per group of parameters, that a rendering leaves the group at 0, so that
            the scorer steers the operators of a chain alone as well as together.
        groups: parameters that come and go together; those in none are always there.
        difference: of colours, that distances are means of.
    """

    render: Renderer
    bounds: Mapping[str, tuple[float, float]]
    tries: int = 48
    absent: float = 0.0
    groups: Sequence[Sequence[str]] = ()
    difference: Difference = ciede2000

    @torch.no_grad()
    def __call__(self, photos: Tensor, generator: Generator) -> Versions:
        """Versions of ``(P, 3, H, W)`` good photos, 36 of each.

        Three searches: from an undeveloped copy, its three nearest renderings of `tries` and
        seven at random; from a copy damaged in any way, two and four; from the photo, eight at
        random. Beside them five copies overdone, the first damage by half, and three copies
        damaged in detail.
        """
        count = len(photos)
        undeveloped = sample_damage(count, generator, kinds=CAMERA, keep=0.75)
        damaged = undeveloped(photos)
        anyhow = tone_damage(count, generator)(photos)
        searches = [
            self._search(damaged, photos, (3, 7), generator),
            self._search(anyhow, photos, (2, 4), generator),
            self._search(photos, photos, (0, 8), generator),
        ]
        beside = [undeveloped.scaled(0.5)(photos)]
        for share in OVERDONE:
            beside.append(overdone_damage(count, generator).scaled(share)(photos))
        for _ in range(3):
            beside.append(sample_damage(count, generator, kinds=DETAIL, keep=0.4)(photos))
        own = searches.pop()  # its start, the photo, comes first of all
        images = torch.cat([own, *searches, torch.stack(beside)]).clamp(0, 1).transpose(0, 1)
        columns, first = [], 0
        for search in (own, *searches):
            columns.append(range(first, first + len(search)))
            first += len(search)
        distances = colour_distance(images, photos[:, None], self.difference)
        return Versions(images, distances, columns)

    def settings(self, count: int, photos: int, generator: Generator) -> dict[str, Tensor]:
        """``(count, photos)`` random settings of the operator, some groups left out."""
        drawn = random_settings(self.bounds, count, photos, generator)
        for group in self.groups:
            there = torch.rand(count, photos, generator=generator) >= self.absent
            drawn |= {name: drawn[name] * there for name in group}
        return drawn

    def _search(
        self, start: Tensor, photos: Tensor, counts: tuple[int, int], generator: Generator
    ) -> Tensor:
        """``(1 + K, P, ...)``: `start`, its renderings nearest to the photo, and some at random."""
        near, random = counts
        settings = self.settings(random, len(photos), generator)
        if near:
            nearest = self._nearest(start, photos, near, generator)
            settings = {n: torch.cat([nearest[n], value]) for n, value in settings.items()}
        return torch.cat([start[None], self.render(start, settings)])

    def _nearest(
        self, start: Tensor, photos: Tensor, count: int, generator: Generator
    ) -> dict[str, Tensor]:
        """Of `tries` random settings, those that render `start` nearest to the photo."""
        settings = self.settings(self.tries, len(photos), generator)
        small = self.render(F.avg_pool2d(start, 8), settings)
        distances = colour_distance(small, F.avg_pool2d(photos, 8), self.difference)
        order = distances.argsort(0)[:count]
        return {name: value.gather(0, order) for name, value in settings.items()}
