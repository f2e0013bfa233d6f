"""What a restorer is worth on photos it never saw: fidelity, NIMA, and scorers held out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import torch
from kornia.metrics import psnr, ssim
from torch import Tensor

from examples.restoration.network import rounded
from scorers.scorer import Scorer

Figures = dict[str, list[float]]
"""One value a photo, by the name of the figure."""


def at_native_size(scorer: Scorer) -> Scorer:
    """The same scorer shown squares of the photo as it is: noise and blur vanish by shrinking."""
    shown = replace(scorer.card.preprocess, view="native")
    return Scorer(scorer.network, replace(scorer.card, preprocess=shown))


@torch.no_grad()
def measure(
    restore: Callable[[Tensor], Tensor],
    given: Sequence[Tensor],
    clean: Sequence[Tensor],
    judges: Mapping[str, Scorer],
) -> Figures:
    """PSNR, SSIM and every scorer's opinion of each restored photo, as an 8-bit file holds it.

    Args:
        restore: ``(1, 3, H, W)`` to the same.
        given: spoilt photos.
        clean: what they were.
        judges: scorers by name.
    """
    figures: Figures = {name: [] for name in ("PSNR", "SSIM", *judges)}
    for spoilt, wanted in zip(given, clean, strict=True):
        result = rounded(restore(spoilt))
        figures["PSNR"].append(float(psnr(result, wanted, 1.0)))
        figures["SSIM"].append(float(ssim(result, wanted, 11).mean()))
        for name, judge in judges.items():
            figures[name].append(float(judge(result)))
    return {name: [round(value, 5) for value in values] for name, values in figures.items()}


def disagreement(figures: Figures, usual: Figures, first: str, second: str) -> float:
    """Share of photos on which two scorers disagree whether they look better than with L1."""
    changes = [
        (a - b, c - d)
        for a, b, c, d in zip(
            figures[first], usual[first], figures[second], usual[second], strict=True
        )
    ]
    return sum((one > 0) != (other > 0) for one, other in changes) / len(changes)
