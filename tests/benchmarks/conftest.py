"""Benchmarks are not installed: they are found where the tests are."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))


@pytest.fixture(autouse=True)
def threads_as_before() -> Iterator[None]:
    """Benchmarks set how many threads torch has, on which the last bit of other tests hangs."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)
