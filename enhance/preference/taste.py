"""What choices between two settings say of the setting that a person would like best.

The ideal-point model: of two settings, a person prefers the one that looks nearer to an ideal of
their own. The ideal has a normal prior about the setting that the choices start from; what the
choices leave plausible is held as a cloud of settings, which elliptical slice sampling moves after
each answer. The next question is the one whose answer the cloud is least sure of for want of
knowledge, rather than because the two look alike.

References:
    Coombs, "Psychological scaling without a unit of measurement", 1950 (the model).
    Canal et al., "Active embedding search via noisy paired comparisons", ICML 2019 (questions).
    Murray, Adams and MacKay, "Elliptical slice sampling", AISTATS 2010.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor

Answer = Literal["left", "right", "same"]

PARTICLES = 256
SPREAD = 0.25
"""Standard deviation of the ideal about the start, in units of each parameter's range."""
SLIPS = 0.1
"""Share of the answers that say nothing: slips, and moods."""
SEEN = 0.5
"""Colour difference, CIE76, that one person in about five still takes for the other sign."""
SAME = 0.5
"""Difference of the distances to the ideal below which most would say "the same", CIE76."""
MOVES = 8
QUESTIONS = 300
_SHRINKS = 8
_DRAWS = 8
_SIGN = {"left": 1.0, "same": 0.0, "right": -1.0}


class Taste:
    """A person's ideal setting, as far as their choices tell it.

    Args:
        centre: point ``(D,)`` of the unit cube: the ideal before any choice.
        metric: ``(D, D)``, from points to where Euclidean distance is colour difference; see
            `enhance.preference.perceived.perceived_metric`.
        seed: the same seed and choices give the same cloud and questions.

    Attributes:
        cloud: settings that the choices leave plausible, ``(PARTICLES, D)`` in the unit cube.

    >>> taste = Taste(torch.tensor([0.5], dtype=torch.float64), 100 * torch.eye(1).double())
    >>> low, high = torch.tensor([[0.4], [0.8]], dtype=torch.float64)
    >>> for _ in range(4):
    ...     taste.learn(low, high, "right")
    >>> bool(taste.ideal > 0.55)
    True
    """

    def __init__(self, centre: Tensor, metric: Tensor, seed: int = 0) -> None:
        self.metric = metric
        self.seed = seed
        self._centre = centre
        self._left = self._right = centre.new_zeros(0, len(centre))
        self._signs = centre.new_zeros(0)
        self.cloud = self._draw()

    @property
    def ideal(self) -> Tensor:
        """The mean of the cloud, ``(D,)``."""
        return self.cloud.mean(0)

    @property
    def doubt(self) -> float:
        """Mean colour difference between the cloud and its mean, CIE76."""
        return float(((self.cloud - self.ideal) @ self.metric.T).norm(dim=1).mean())

    def learn(self, left: Tensor, right: Tensor, answer: Answer) -> None:
        """Take in which of two points ``(D,)`` the person prefers."""
        self._left = torch.cat([self._left, left[None]])
        self._right = torch.cat([self._right, right[None]])
        self._signs = torch.cat([self._signs, self._signs.new_tensor([_SIGN[answer]])])
        generator = self._generator()
        weights = self._likelihood(self.cloud, newest=True).softmax(0)
        places = torch.arange(PARTICLES, dtype=torch.float64)
        places = (places + _uniform(1, generator)) / PARTICLES
        kept = torch.searchsorted(weights.cumsum(0), places).clamp_max(PARTICLES - 1)
        self.cloud = self.cloud[kept]
        for _ in range(MOVES):
            self._move(generator)

    def question(self) -> tuple[Tensor, Tensor]:
        """Two points ``(D,)`` of the cloud between which a choice would say most."""
        first, second = torch.randint(
            PARTICLES, (2, QUESTIONS), generator=self._generator(question=True)
        )
        distances = self._distances(self.cloud, self.cloud)
        nearer = distances[:, second] - distances[:, first]
        chances = torch.stack([_log_chance(nearer, s).exp() for s in _SIGN.values()])
        known = _entropy(chances).mean(0)
        best = int((_entropy(chances.mean(1)) - known).argmax())
        return self.cloud[first[best]], self.cloud[second[best]]

    def _generator(self, question: bool = False) -> torch.Generator:
        seed = 2 * len(self._signs) + question
        return torch.Generator().manual_seed(self.seed * 1_000_003 + seed)

    def _draw(self) -> Tensor:
        """Settings of the prior within the cube."""
        generator = self._generator()
        drawn = self._left
        for _ in range(_DRAWS):
            normal = _normal(16 * PARTICLES, len(self._centre), generator=generator)
            fresh = self._centre + SPREAD * normal
            drawn = torch.cat([drawn, fresh[_inside(fresh)]])
            if len(drawn) >= PARTICLES:
                return drawn[:PARTICLES]
        # many coordinates at their bounds: hardly a draw is inside, so each is cut off by itself
        ends = ((end - self._centre) / SPREAD for end in (0.0, 1.0))
        low, high = (torch.special.ndtr(end) for end in ends)
        share = _uniform(PARTICLES * len(low), generator).view(PARTICLES, -1)
        fresh = self._centre + SPREAD * torch.special.ndtri(low + share * (high - low))
        return fresh.clamp(0, 1)

    def _move(self, generator: torch.Generator) -> None:
        """One step of elliptical slice sampling for every setting of the cloud."""
        now = self.cloud - self._centre
        other = SPREAD * _normal(*now.shape, generator=generator)
        level = self._likelihood(self.cloud) + _uniform(len(now), generator).log()
        angle = 2 * math.pi * _uniform(len(now), generator)
        low, high = angle - 2 * math.pi, angle
        moved = self.cloud
        waiting = torch.ones(len(now), dtype=torch.bool)
        for _ in range(_SHRINKS):  # a setting that found no place by then stays where it is
            tried = self._centre + now * angle.cos()[:, None] + other * angle.sin()[:, None]
            fits = _inside(tried) & (self._likelihood(tried) > level) & waiting
            moved = torch.where(fits[:, None], tried, moved)
            waiting = waiting & ~fits
            low, high = torch.where(angle < 0, angle, low), torch.where(angle < 0, high, angle)
            angle = low + (high - low) * _uniform(len(now), generator)
        self.cloud = moved

    def _distances(self, ideals: Tensor, points: Tensor) -> Tensor:
        """How far apart ``(N, D)`` and ``(K, D)`` look: ``(N, K)``."""
        seen, other = ideals @ self.metric.T, points @ self.metric.T
        return (seen[:, None] - other).norm(dim=-1)

    def _likelihood(self, ideals: Tensor, *, newest: bool = False) -> Tensor:
        """Log likelihood ``(N,)`` of all answers, or of the newest alone."""
        part = slice(-1 if newest else 0, None)
        to_left = self._distances(ideals, self._left[part])
        to_right = self._distances(ideals, self._right[part])
        return _log_chance(to_right - to_left, self._signs[part]).sum(1)


def _log_chance(nearer: Tensor, sign: Tensor | float) -> Tensor:
    """Log chance of an answer, where left is nearer to the ideal than right by so much."""
    left = torch.sigmoid((nearer - SAME) / SEEN)
    right = torch.sigmoid((-nearer - SAME) / SEEN)
    sign = torch.as_tensor(sign, dtype=nearer.dtype)
    chance = torch.where(sign > 0, left, torch.where(sign < 0, right, 1 - left - right))
    return ((1 - SLIPS) * chance + SLIPS / len(_SIGN)).log()


def _inside(points: Tensor) -> Tensor:
    return ((points >= 0) & (points <= 1)).all(1)


def _normal(*shape: int, generator: torch.Generator) -> Tensor:
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def _uniform(count: int, generator: torch.Generator) -> Tensor:
    return torch.rand(count, generator=generator, dtype=torch.float64)


def _entropy(chances: Tensor) -> Tensor:
    return -torch.special.xlogy(chances, chances).sum(0)
