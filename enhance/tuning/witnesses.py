"""Denoising has two witnesses: what each would choose, and how far apart they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from enhance.tuning.invariance import Invariance
from enhance.tuning.objective import Objective
from enhance.tuning.search import evenly_spread

VIEWS = 12
POINTS = 19
"""Settings that are compared, where one parameter varies; as many for each further one."""


@dataclass(frozen=True)
class Witnesses:
    """Settings that each witness alone prefers, among the same ones.

    Attributes:
        scorer: what scores best, of the denoiser's own parameters.
        invariance: what best restores pixels that it did not see.
        distance: between them, as a share of the searched range (of its logarithm on a log
            scale), the largest over the parameters. Where it is large, look at both.
    """

    scorer: Mapping[str, float]
    invariance: Mapping[str, float]
    distance: float


def two_witnesses(objective: Objective, invariance: Invariance) -> Witnesses:
    """Ask both about the same settings, the scorer on the first few views."""
    scored, restored = _choices(objective, invariance)
    space = objective.space
    distance = float((scored - restored).abs().max())

    def told(point: Tensor) -> dict[str, float]:
        described = space.describe(point)
        return {name: described[name] for name in described if name in invariance.names}

    return Witnesses(told(scored), told(restored), distance)


def _choices(objective: Objective, invariance: Invariance) -> tuple[Tensor, Tensor]:
    dimensions = len(objective.space.names)
    if dimensions == 1:
        points = torch.linspace(0, 1, POINTS, dtype=torch.float64)[:, None]
    else:
        points = evenly_spread(dimensions, POINTS * dimensions)
    # what does not belong to the denoiser stays as it is: the second witness cannot tell it
    for column, name in enumerate(objective.space.names):
        if name not in invariance.names:
            points[:, column] = objective.space.defaults()[column]
    few = objective.part(0, min(VIEWS, len(objective)))
    with torch.no_grad():
        errors = invariance(points)
    return points[few.scores(points).mean(1).argmax()], points[errors.argmin()]
