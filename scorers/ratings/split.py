"""Which photos are for training, which for decisions, and which only for final figures."""

from __future__ import annotations

import hashlib
from typing import Literal

Part = Literal["train", "validation", "test"]


def part_of(name: str) -> Part:
    """The split a photo belongs to, from a hash of its name: 80 % train, 10 % each of the others.

    It depends on nothing else, so adding photos never moves one from test to train.

    >>> part_of("images/ss01_1015.jpg") in ("train", "validation", "test")
    True
    """
    share = hashlib.sha256(name.encode()).digest()[0] / 256
    if share < 0.8:
        return "train"
    return "validation" if share < 0.9 else "test"
