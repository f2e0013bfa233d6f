"""Toy scorers whose optimum is known, and an operator with one that no search can miss."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import pytest
import torch
from torch import Tensor

from enhance.operators.base import Operator, Parameter, Settings

Score = Callable[[Tensor], Tensor]


class Paint(Operator[Tensor]):
    """Adds `red` and `green` to two channels: a scorer sees the settings as colours."""

    name = "paint"
    identity = {}  # noqa: RUF012
    parameters_spec: ClassVar[dict[str, Parameter]] = {
        "red": Parameter(-0.5, 0.5, 0, "added to red", levels=11),
        "green": Parameter(-0.5, 0.5, 0, "added to green", levels=11),
        "blue": Parameter(-0.5, 0.5, 0, "added to blue", tuned=False),
    }

    def analyse(
        self,
        image: Tensor,
        settings: Settings | None = None,
        *,
        extent: tuple[int, int] | None = None,
    ) -> Tensor:
        return image

    def render(self, layers: Tensor, settings: Settings) -> Tensor:
        colour = torch.stack(
            torch.broadcast_tensors(*(settings[n] for n in ("red", "green", "blue"))), -1
        )
        return layers + colour[..., None, None]


def colour_target(red: float, green: float) -> Score:
    """A scorer that is highest where the mean colour of an image is this red and green."""

    def score(images: Tensor) -> Tensor:
        mean = images.mean((-1, -2))
        return 5 - 40 * (mean[:, 0] - red) ** 2 - 40 * (mean[:, 1] - green) ** 2

    return score


@pytest.fixture
def paint() -> Paint:
    return Paint()


@pytest.fixture
def grey() -> Tensor:
    """A grey photo with a little texture, (1, 3, 40, 48), of mean .5 in every channel."""
    texture = torch.rand(1, 3, 40, 48, generator=torch.Generator().manual_seed(1)) * 0.02
    return 0.5 + texture - texture.mean((-1, -2), keepdim=True)


@pytest.fixture
def target() -> Callable[[float, float], Score]:
    return colour_target


@pytest.fixture
def tone_scorer() -> Score:
    """Prefers a mean luma of .55 and a standard deviation of .2; smooth everywhere."""

    def score(images: Tensor) -> Tensor:
        luma = images.mean(1).flatten(1)
        return 5 - 20 * (luma.mean(1) - 0.55) ** 2 - 20 * (luma.var(1, correction=0) - 0.04) ** 2

    return score
