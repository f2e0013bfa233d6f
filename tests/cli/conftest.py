"""Fixtures for the commands."""

from __future__ import annotations

import pytest
import torch

from scorers.card import Architecture, ModelCard
from scorers.preprocess import Preprocess
from scorers.scorer import Scorer


@pytest.fixture(scope="session")
def scorer_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A scorer that knows nothing but is quick, and the same in every run."""
    torch.manual_seed(0)
    card = ModelCard(
        "tiny", Architecture("mobilenet_v1", {"width": 0.25}), preprocess=Preprocess(size=64)
    )
    path = tmp_path_factory.mktemp("scorer") / "tiny.safetensors"
    Scorer.untrained(card).save(path)
    return str(path)
