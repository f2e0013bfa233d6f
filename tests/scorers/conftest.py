"""Tiny scorers for tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from scorers.card import Architecture, ModelCard
from scorers.preprocess import Preprocess
from scorers.scorer import Scorer


def tiny_scorer(name: str = "tiny", size: int = 32) -> Scorer:
    """An untrained MobileNet a quarter wide, the same every time."""
    torch.manual_seed(0)
    card = ModelCard(
        name=name,
        architecture=Architecture("mobilenet_v1", {"width": 0.25, "folded": True}),
        preprocess=Preprocess(size=size),
        licence="Apache-2.0",
        measured={"SRCC": 0.5},
    )
    scorer = Scorer.untrained(card)
    for parameter in scorer.parameters():
        if parameter.ndim == 1:
            parameter.data.uniform_(-0.1, 0.1)
    # undecided about mid-grey, and with an opinion about anything else
    head = scorer.network.head
    head.weight.data.normal_(std=10)
    head.bias.data = -head.weight @ scorer.network.backbone(torch.zeros(1, 3, size, size))[0]
    return scorer


@pytest.fixture
def make_scorer() -> Callable[..., Scorer]:
    """The function `tiny_scorer`, for tests that need several or another size."""
    return tiny_scorer


@pytest.fixture
def scorer() -> Scorer:
    """A `tiny_scorer` with views of 32x32."""
    return tiny_scorer()


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the user's cache."""
    monkeypatch.setenv("SCORERS_CACHE", str(tmp_path / "cache"))
