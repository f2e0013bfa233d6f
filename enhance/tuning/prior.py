"""What is known before any scorer is asked: a photo in which noise was read gains by denoising."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from enhance.operators.base import Operator
from enhance.operators.chain import leaves
from enhance.operators.noise import noise_profile
from enhance.tuning.scoring import TECHNICAL
from enhance.tuning.space import Space

NOISY = 2 / 255
"""Std of luma's noise from which a photo counts as noisy. A quarter of clean validation squares,
those that are texture all over, read so too: so the scorer keeps its say."""
FAINTLY_NOISY = 1 / 255
"""The same from which so little denoising that nobody sees it does more good than harm."""
BENEFIT = 0.1
"""Points of the embedded technical scorer that the reading is worth.

It decides where the scorer hardly can; more denoises squares in which texture was read as noise
(`benchmarks/prior.py`).
"""
WHITE_BENEFIT = 1.0
"""The same where the noise reads as white. Texture does not: none of 48 clean validation squares,
but 94 to 98 % of those with white noise of std 7 to 14 of 255 (`benchmarks/prior.py`)."""


def reads_white(operator: Operator[Any], space: Space, pixels: Tensor) -> bool:
    """Whether an operator that denoises is given a photo ``(1, 3, H, W)`` whose noise is white.

    >>> import torch
    >>> from enhance.operators.registry import get
    >>> grey, turbo = torch.full((1, 3, 256, 256), 0.5), get("turbo")
    >>> noisy = grey + 0.05 * torch.randn(grey.shape, generator=torch.Generator().manual_seed(0))
    >>> space = Space.of(turbo)
    >>> [reads_white(turbo, space.calibrated(turbo, photo), photo) for photo in (noisy, grey)]
    [True, False]
    """
    return _noise(operator, space) >= NOISY and bool(noise_profile(pixels).white)


def known_benefit(
    operator: Operator[Any], space: Space, scorer: str, *, white: bool = False
) -> float:
    """Points that denoising is expected to bring before the scorer is asked.

    `WHITE_BENEFIT` or `BENEFIT` where the operator denoises and the photo, or the caller, has told
    it of noise; else 0, and with every scorer but the one whose points these are.

    >>> from enhance.operators.registry import get
    >>> turbo = get("turbo")
    >>> known_benefit(turbo, Space.of(turbo, {"sigma_n": 0.03}), TECHNICAL)
    0.1
    >>> known_benefit(turbo, Space.of(turbo, {"sigma_n": 0.003}), TECHNICAL)
    0.0
    """
    if scorer != TECHNICAL or _noise(operator, space) < NOISY:
        return 0.0
    return WHITE_BENEFIT if white else BENEFIT


def faint_benefit(operator: Operator[Any], space: Space, scorer: str) -> float:
    """The same of so little denoising that nobody sees it: the scorer has no veto then.

    Of validation squares as cameras write them in little light, 95 % instead of 85 % come closer
    to the average of many files with it; clean ones that read as noisy change by one level of 8
    bits at most (`benchmarks/prior.py`).

    >>> from enhance.operators.registry import get
    >>> turbo = get("turbo")
    >>> faint_benefit(turbo, Space.of(turbo, {"sigma_n": 0.005}), TECHNICAL)
    1.0
    >>> faint_benefit(turbo, Space.of(turbo, {"sigma_n": 0.003}), TECHNICAL)
    0.0
    """
    noisy = scorer == TECHNICAL and _noise(operator, space) >= FAINTLY_NOISY
    return WHITE_BENEFIT if noisy else 0.0


def _noise(operator: Operator[Any], space: Space) -> float:
    """The noise that a denoiser, alone or in a chain, was told of; 0 where there is none."""
    if operator.views != "native":
        return 0.0
    told = [
        space.constant.get(names[leaf.noise_parameter], 0.0)
        for leaf, names in leaves(operator)
        if leaf.noise_parameter is not None
    ]
    return max(told, default=0.0)
