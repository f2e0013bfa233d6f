"""How much of each witness should choose a denoiser's width: what weight loses the fewest dB?

    ENHANCE_DATA=folder python -m benchmarks.witnesses [--write]

Clean photos (validation split of `biq2021`, squares of 256 px, every other one enlarged to twice
its size first, as large photos are soft) with white noise of std 10, 20, 30 and 50, and with noise
as cameras leave it, of std 4 and 10, drawn in a sensor's mosaic or smeared. The score is
`nima-technical`'s on native crops; the error is that on hidden pixels
(`enhance.tuning.invariance`). ``value(width) = score(width) - weight * log(error(width / own))``.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Generator, Tensor
from torch.nn import functional

import scorers
from benchmarks import _pages
from benchmarks._measures import psnr
from benchmarks._photos import LEVELS, central, photo_folder
from benchmarks._timing import machine
from enhance.operators.noise import noise_profile
from enhance.operators.turbo import Turbo
from enhance.tuning import invariance as module
from enhance.tuning.space import Space
from enhance.tuning.views import native_views
from scorers.evaluation.figure import average
from scorers.photos.damage import camera_noise
from scorers.photos.sensor import sensor_noise
from scorers.training.rated import load_rated

WEIGHTS = (0.0, 1.0, 10.0, 30.0, 60.0, 120.0, 240.0, 1e6)
OWN = (1.0, 0.9, 0.8)
SIDE = 256
GOOD = 0.62
KINDS: Mapping[str, tuple[Callable[[Tensor, Generator], Tensor], tuple[int, ...]]] = {
    "white": (lambda image, generator: torch.randn(image.shape, generator=generator), LEVELS),
    "sensor": (sensor_noise, (4, 10)),
    "smeared": (camera_noise, (4, 10)),
}
"""Noise of unit std, and the levels (of 255) at which it is added."""
POINTS = torch.linspace(0, 1, 19, dtype=torch.float64)[:, None]


@dataclass(frozen=True)
class Curve:
    """PSNR, score and log error along the widths; whether the noise reads as white."""

    photo: int
    decibels: list[float]
    scores: list[float]
    errors: list[float]
    white: bool


def main() -> None:
    """Measure, print, and with ``--write`` record in docs."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--photos", type=int, default=10)
    _pages.add_options(parser, "witnesses")
    arguments = _pages.parse(parser)
    if arguments.render:
        _pages.render(arguments.render, page)
        return
    shared = photo_folder()
    good = load_rated(shared / "data/biq2021/scores.csv", 512).part("validation").at_least(GOOD)
    chosen = torch.randperm(len(good), generator=Generator().manual_seed(5))
    curves: dict[str, list[Curve]] = {kind: [] for kind in KINDS}
    for turn, index in enumerate(chosen[: arguments.photos]):
        clean = square(good.batch(index[None]), enlarged=turn % 2 == 1)
        for kind, (_, levels) in KINDS.items():
            curves[kind] += [measure(clean, kind, level, int(index)) for level in levels]
        print(f"{turn + 1} of {arguments.photos}", end="\r", flush=True)
    facts = {"command": _pages.command("witnesses"), "machine": machine(), "curves": curves}
    _pages.record("witnesses", page, facts, write=arguments.write)


def page(facts: _pages.Facts) -> str:
    """The page of what was recorded."""
    curves = {kind: [Curve(**curve) for curve in own] for kind, own in facts["curves"].items()}
    read = ", ".join(
        f"{kind} {np.mean([curve.white for curve in own]):.0%}" for kind, own in curves.items()
    )
    photos = len({curve.photo for own in curves.values() for curve in own})
    lines = [
        f"# Two witnesses of denoising\n\n`{facts['command']}`. Weight 0 is the scorer alone, "
        "1e+06 J-invariance alone. `enhance.tune` takes weight "
        f"{module.VOTE:g} and own pixel {module.OWN_PIXEL:g} where the noise reads as white, "
        f"and 0 elsewhere. dB lost against the best of {len(POINTS)} widths in hindsight, on "
        f"squares of {photos} photos; the levels of one photo are resampled together.\n",
        f"Noise that reads as white: {read}.\n",
        f"| weight | own pixel | {' | '.join(f'{kind}: dB lost | worst' for kind in KINDS)} |",
        f"|---|---|{'---|---|' * len(KINDS)}",
    ]
    for weight in WEIGHTS:
        for own in OWN if weight else OWN[:1]:
            lines.append(line(curves, weight, own, f"{weight:g}", always=True))
    for weight in WEIGHTS[1:]:
        for own in OWN:
            lines.append(line(curves, weight, own, f"{weight:g} if white", always=False))
    return "\n".join(lines) + "\n"


def line(
    curves: Mapping[str, list[Curve]], weight: float, own: float, title: str, *, always: bool
) -> str:
    """A row of the table: dB lost by kind of noise."""
    cells = []
    for kind in KINDS:
        lost = [
            loss(curve, weight if always or curve.white else 0.0, own) for curve in curves[kind]
        ]
        figure = average(lost, groups=[curve.photo for curve in curves[kind]])
        cells.append(f"{figure} | {max(lost):.2f}")
    return f"| {title} | {own:g} | {' | '.join(cells)} |"


def square(photo: Tensor, *, enlarged: bool) -> Tensor:
    """The middle of a photo, `SIDE` pixels wide."""
    side = SIDE // 2 if enlarged else SIDE
    cut = central(photo, side)
    if not enlarged:
        return cut
    return functional.interpolate(cut, (SIDE, SIDE), mode="bicubic", antialias=True).clamp(0, 1)


@torch.no_grad()
def measure(clean: Tensor, kind: str, level: int, seed: int) -> Curve:
    """PSNR, score and log error along the widths."""
    draw, _ = KINDS[kind]
    noise = level / 255 * draw(clean, Generator().manual_seed(seed + level))
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
    errors = witness.errors(POINTS).log().tolist()
    return Curve(seed, decibels, scores, errors, bool(noise_profile(noisy).white))


def loss(curve: Curve, weight: float, own: float) -> float:
    """dB lost by the width that the two witnesses choose together."""
    units = POINTS[:, 0].numpy()
    fine = np.linspace(0, 1, 200)
    shifted = np.minimum(fine - np.log10(own), 1)  # widths go from 1 to 10
    error = np.interp(shifted, units, curve.errors)
    value = np.interp(fine, units, curve.scores) - weight * error
    return float(max(curve.decibels) - np.interp(fine[value.argmax()], units, curve.decibels))


if __name__ == "__main__":
    main()
