"""How far apart two settings look on one photo."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from enhance.operators.base import Operator
from enhance.operators.rendering import render_full
from enhance.tuning.space import Space

RENDERINGS = 96
LEAST = 2.0
"""Effect of a standard deviation of a parameter, CIE76, at the least: a colour difference sees less
of detail and noise than a person does."""


def perceived_metric(
    operator: Operator[Any], space: Space, pixels: Tensor, centre: Tensor, spread: float
) -> Tensor:
    """A matrix ``(D, D)`` that maps points to where Euclidean distance is colour difference.

    ``|metric @ (a - b)|`` is about the root mean square CIE76 difference of the renderings of
    the points a and b: the least-squares linear map from points about `centre` to the pixels'
    CIELAB colours, of which only the lengths are kept.

    Args:
        pixels: ``(1, 3, H, W)`` in [0, 1]: a preview, each rendering is of all of it.
        centre: point ``(D,)`` of the unit cube.
        spread: standard deviation of the settings rendered, in units of the cube.
    """
    from kornia.color import rgb_to_lab

    dimensions = len(centre)
    sobol = torch.quasirandom.SobolEngine(dimensions, scramble=True, seed=0)
    uniform = sobol.draw(RENDERINGS, dtype=torch.float64).clamp(1e-3, 1 - 1e-3)
    points = (centre + spread * torch.special.ndtri(uniform)).clamp(0, 1)
    with torch.no_grad():
        colours = torch.stack(
            [
                rgb_to_lab(
                    render_full(operator, pixels, {**space.constant, **space.describe(point)})
                ).flatten()
                for point in points
            ]
        )
    away = (points - points.mean(0)).to(colours)
    slopes = torch.linalg.lstsq(away, colours - colours.mean(0)).solution.double()
    gram = slopes @ slopes.T / pixels[0, 0].numel()
    gram += (LEAST / spread) ** 2 * torch.eye(dimensions, dtype=torch.float64)
    lengths, axes = torch.linalg.eigh(gram)
    return lengths.clamp_min(0).sqrt()[:, None] * axes.T
