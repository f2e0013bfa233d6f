"""A simulated person: likes what looks nearer to a setting that only they know."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
import torch
from kornia.color import rgb_to_lab
from torch import Tensor

from enhance.operators.registry import get
from enhance.operators.rendering import render_full
from enhance.preference import Pair


class Person:
    """Answers by colour difference to a hidden rendering, wrongly once in `slips` answers."""

    def __init__(
        self, photo: Tensor, operator: str, hidden: Mapping[str, float], slips: float, seed: int
    ) -> None:
        self.photo, self.operator, self.slips = photo, get(operator), slips
        self.ideal = self._colours(hidden)
        self.generator = torch.Generator().manual_seed(seed)

    def distance(self, settings: Mapping[str, float]) -> float:
        """Mean colour difference to the hidden rendering, CIE76."""
        return float((self._colours(settings) - self.ideal).norm(dim=1).mean())

    def answer(self, pair: Pair) -> str:
        left, right = self.distance(pair.left.settings), self.distance(pair.right.settings)
        wrong = bool(torch.rand((), generator=self.generator) < self.slips)
        return "left" if (left < right) != wrong else "right"

    def _colours(self, settings: Mapping[str, float]) -> Tensor:
        return rgb_to_lab(render_full(self.operator, self.photo, settings))


@pytest.fixture
def person(coffee: Tensor) -> Callable[..., Person]:
    def make(
        operator: str, hidden: Mapping[str, float], slips: float = 0.1, seed: int = 0
    ) -> Person:
        return Person(coffee, operator, hidden, slips, seed)

    return make
