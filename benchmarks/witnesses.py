"""How much of each witness should choose a denoiser's width: what weight loses the fewest dB?

    ENHANCE_DATA=folder python -m benchmarks.witnesses [--write]

Clean photos (validation split of `unsplash_biq256`) with white noise of std 10, 20, 30 and 50. The
score is `nima-technical`'s on native crops; the error is that on hidden pixels
(`enhance.tuning.invariance`). ``value(width) = score(width) - weight * log(error(width / own))``.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np
import torch

import scorers
from benchmarks.denoising import psnr
from benchmarks.quality.tasks import LEVELS
from enhance.operators.turbo import Turbo
from enhance.tuning import invariance as module
from enhance.tuning.space import Space
from enhance.tuning.views import native_views
from scorers.evaluation.figure import bootstrap
from scorers.training.photos import load_rated

DOCS = Path(__file__).parent.parent / "docs"
WEIGHTS = (0.0, 10.0, 30.0, 60.0, 100.0, 1e6)
OWN = (1.0, 0.9, 0.8)
POINTS = torch.linspace(0, 1, 19, dtype=torch.float64)[:, None]


def main() -> None:
    """Measure, print, and with ``--write`` record in docs."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--photos", type=int, default=10)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    shared = Path(os.environ["ENHANCE_DATA"])
    good = load_rated(shared / "data/unsplash_biq256/scores.csv", 256).part("validation")
    chosen = torch.randperm(len(good), generator=torch.Generator().manual_seed(5))
    curves = []
    for index in chosen[: arguments.photos]:
        for level in LEVELS:
            curves.append(measure(good.batch(index[None]), level, int(index)))
            print(f"{len(curves)} of {4 * arguments.photos}", end="\r", flush=True)
    lines = ["| weight | own pixel | mean dB lost | worst |", "|---|---|---|---|"]
    for weight in WEIGHTS:
        for own in OWN if weight else OWN[:1]:
            lost = [loss(*curve, weight, own) for curve in curves]
            figure = bootstrap(lambda a: float(a.mean()), lost)
            lines.append(f"| {weight:g} | {own:g} | {figure} | {max(lost):.2f} |")
    table = "\n".join(lines)
    print(table)
    if arguments.write:
        text = (
            "# Two witnesses of denoising\n\n`python -m benchmarks.witnesses "
            f"--photos {arguments.photos} --write`. Weight 0 is the scorer alone, "
            "1e+06 J-invariance alone; what `enhance.tune` does is weight "
            f"{module.WEIGHT:g}, own pixel {module.OWN_PIXEL:g}. dB lost against the best of "
            f"{len(POINTS)} widths in hindsight.\n\n"
        )
        (DOCS / "denoising_witnesses.md").write_text(text + table + "\n")


@torch.no_grad()
def measure(
    clean: torch.Tensor, level: int, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """PSNR, score and log error along the widths."""
    generator = torch.Generator().manual_seed(seed + level)
    noise = level / 255 * torch.randn(clean.shape, generator=generator)
    noisy = (clean + noise).clamp(0, 1).mul(255).round() / 255
    operator = Turbo()
    space = Space.of(operator).calibrated(operator, noisy)
    witness = module.invariance(operator, space, noisy)
    assert witness is not None
    views = native_views(noisy, 6)
    judge = scorers.load("nima-technical")
    decibels, scores = [], []
    for point in POINTS:
        rendered = operator(noisy, **space.constant, **space.describe(point))
        decibels.append(psnr(rendered, clean))
        scores.append(float(judge(views.cut(rendered)).mean()))
    return np.array(decibels), np.array(scores), witness.errors(POINTS).log().numpy()


def loss(
    decibels: np.ndarray, scores: np.ndarray, errors: np.ndarray, weight: float, own: float
) -> float:
    """dB lost by the width that the two witnesses choose together."""
    units = POINTS[:, 0].numpy()
    fine = np.linspace(0, 1, 200)
    shifted = np.minimum(fine - np.log10(own), 1)  # widths go from 1 to 10
    value = np.interp(fine, units, scores) - weight * np.interp(shifted, units, errors)
    return float(decibels.max() - np.interp(fine[value.argmax()], units, decibels))


if __name__ == "__main__":
    main()
