"""What is known before any scorer is asked: a photo in which noise was read gains by denoising."""

from __future__ import annotations

from typing import Any

from enhance.operators.base import Operator
from enhance.tuning.scoring import TECHNICAL
from enhance.tuning.space import Space

NOISY = 2 / 255
"""Std of luma's noise from which a photo counts as noisy. Photos without any read .9 / 255 (median)
and, where all of them is texture, much more: so the scorer keeps its say."""
BENEFIT = 0.1
"""Points of the embedded technical scorer that the reading is worth.

It decides where the scorer hardly can: on validation squares with noise of std 3 to 20 of 255 and
without, anything from .05 to .15 leaves the smallest error; 0 leaves one in eight squares with
noise of std 7 as it is, .25 denoises half of those in which texture was read as noise.
"""


def known_benefit(operator: Operator[Any], space: Space, scorer: str) -> float:
    """Points that denoising is expected to bring before the scorer is asked.

    `BENEFIT` where the operator denoises and the photo, or the caller, has told it of noise; else
    0, and with every scorer but the one whose points these are.

    >>> from enhance.operators.registry import get
    >>> turbo = get("turbo")
    >>> known_benefit(turbo, Space.of(turbo, {"sigma_n": 0.03}), TECHNICAL)
    0.1
    >>> known_benefit(turbo, Space.of(turbo, {"sigma_n": 0.003}), TECHNICAL)
    0.0
    """
    if scorer != TECHNICAL or operator.views != "native":
        return 0.0
    read = [value for name, value in space.constant.items() if name.split(".")[-1] == "sigma_n"]
    return BENEFIT if max(read, default=0.0) >= NOISY else 0.0
