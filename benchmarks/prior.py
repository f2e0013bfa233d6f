"""What noise that was read should count, before the scorer is asked whether to denoise.

    ENHANCE_DATA=folder python -m benchmarks.prior [--write]
    python -m benchmarks.prior --render  # the page anew, from what was recorded

Squares of 256 px of clean photos (validation split of `biq2021`), as they are, with white noise,
with noise as cameras leave it, and as a camera's whole processing leaves them in little light,
where the clean square is the average of many such files (`reproduce.camera`). Of three widths of
Turbo the one that `nima-technical` likes best on eight crops is taken where its gain, with the
prior for photos that read as noisy (a whole point where it reads as white), is larger than half of
its interval; else the square stays. The error is that to the clean square.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Generator, Tensor

import scorers
from benchmarks import _pages
from benchmarks._photos import photo_folder
from benchmarks._timing import machine
from benchmarks.witnesses import KINDS, square
from enhance.operators.turbo import Turbo
from enhance.tuning import prior as module
from enhance.tuning.gain import Gain, paired_gain
from enhance.tuning.prior import reads_white
from enhance.tuning.space import Space
from enhance.tuning.steps import FAINT
from enhance.tuning.views import native_views
from reproduce.camera import in_little_light
from scorers.training.rated import load_rated

GOOD = 0.5
CROPS = 8
WIDTHS = (1.0, 2.0, 3.5)  # px
LEVELS: Mapping[str, Sequence[int]] = {
    "clean": (0,),
    "white": (3, 7, 10, 14),
    "sensor": (4, 10),
    "smeared": (4, 10),
    "camera": (1, 2),
}
"""Stds of the noise, of 255; a camera's are drawn, and counted here."""
PRIORS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3)


@dataclass(frozen=True)
class Row:
    """One square: luma's noise as read, whether it reads as white, the best width's gain, root mean
    square errors in levels of 8 bits before, after, and after so little that nobody sees it."""

    photo: str
    kind: str
    level: int
    read: float
    white: bool
    gain: float
    margin: float
    before: float
    after: float
    faint: float

    def left(self, prior: float, *, faintly: bool = True) -> float:
        """The error that is left with this prior, with or without steps that nobody sees."""
        if self.denoised(prior):
            return self.after
        return self.faint if faintly and self.read >= 255 * module.FAINTLY_NOISY else self.before

    def denoised(self, prior: float) -> bool:
        """Whether the gain is believed."""
        known = 0.0
        if self.read >= 255 * module.NOISY:
            known = module.WHITE_BENEFIT if self.white else prior
        return self.gain + known > self.margin


def main() -> None:
    """Measure, print, and with ``--write`` record in docs/benchmarks."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--photos", type=int, default=60)
    _pages.add_options(parser, "prior")
    arguments = _pages.parse(parser)
    if arguments.render:
        _pages.render(arguments.render, page)
        return
    shared = photo_folder()
    photos = load_rated(shared / "data/biq2021/scores.csv", 512).part("validation").at_least(GOOD)
    chosen = torch.randperm(len(photos), generator=Generator().manual_seed(7))
    rows = []
    for turn, index in enumerate(chosen[: arguments.photos]):
        clean = square(photos.batch(index[None]), enlarged=False)
        for kind, levels in LEVELS.items():
            for level in levels:
                generator = Generator().manual_seed(int(index) + level)
                noisy, aim = found(clean, kind, level, generator)
                rows.append(measure(photos.names[int(index)], kind, level, noisy, aim))
        print(f"{turn + 1} of {arguments.photos}", end="\r", flush=True)
    facts = {"command": _pages.command("prior"), "machine": machine(), "rows": rows}
    _pages.record("prior", page, facts, write=arguments.write)


def page(facts: _pages.Facts) -> str:
    """Both tables of what was recorded."""
    rows = [Row(**row) for row in facts["rows"]]
    text = (
        f"# What noise that was read counts\n\n`{facts['command']}`. "
        f"In use is {module.BENEFIT:g}, where luma's noise reads as {255 * module.NOISY:g} of 255 "
        f"or more, and {module.WHITE_BENEFIT:g} where it reads as white besides. Where "
        f"that is refused and noise of {255 * module.FAINTLY_NOISY:g} or more is read, a faint "
        f"step of {255 * FAINT:g} of 255 (root mean square) is made. Root mean square error "
        "left, in levels of 8 bits, by kind of noise:\n\n"
    )
    return f"{text}{tabulate(rows)}\n\n{readings(rows)}\n"


def readings(rows: Sequence[Row]) -> str:
    """How often squares read as noisy, and as white besides."""
    lines = [
        "| noise | std, of 255, or draw | reads as noisy | and as white |",
        "|---|---|---|---|",
    ]
    for kind, levels in LEVELS.items():
        for level in levels:
            own = [row for row in rows if (row.kind, row.level) == (kind, level)]
            noisy = np.mean([row.read >= 255 * module.NOISY for row in own])
            white = np.mean([row.white for row in own])
            lines.append(f"| {kind} | {level} | {noisy:.0%} | {white:.0%} |")
    return "\n".join(lines)


def found(clean: Tensor, kind: str, level: int, generator: Generator) -> tuple[Tensor, Tensor]:
    """The square with noise of a kind, rounded to 8 bits, and what denoising should make of it."""
    if kind == "camera":
        _, file, average = in_little_light(clean, generator)[0].split(1)
        return file, average
    draw: Callable[[Tensor, Generator], Tensor] | None = KINDS[kind][0] if level else None
    noise = 0 if draw is None else level / 255 * draw(clean, generator)
    return (clean + noise).clamp(0, 1).mul(255).round() / 255, clean


@torch.no_grad()
def measure(photo: str, kind: str, level: int, noisy: Tensor, clean: Tensor) -> Row:
    """The width that the scorer likes best, and what it does."""
    operator = Turbo()
    space = Space.of(operator).calibrated(operator, noisy)
    judge = scorers.load("nima-technical")
    views = native_views(noisy, CROPS)
    baseline = judge(views.cut(noisy))
    tried: list[tuple[Gain, Tensor]] = []
    for width in WIDTHS:
        rendered = operator(noisy, **space.constant, sigma_s=width)
        tried.append((paired_gain(baseline, judge(views.cut(rendered))), rendered))
    gain, rendered = max(tried, key=lambda entry: entry[0].mean)
    share = min(1.0, FAINT / max(1e-6, _rms(rendered, noisy)))
    images = (noisy, rendered, noisy.lerp(rendered, share))
    before, after, faint = (255 * _rms(image, clean) for image in images)
    read = 255 * space.constant["sigma_n"]
    white = reads_white(operator, space, noisy)
    return Row(photo, kind, level, read, white, gain.mean, gain.margin, before, after, faint)


def _rms(image: Tensor, other: Tensor) -> float:
    return float((image - other).square().mean().sqrt())


def tabulate(rows: Sequence[Row]) -> str:
    """Errors left by kind of noise, and how many squares are denoised, by prior."""
    lines = [
        f"| prior | {' | '.join(LEVELS)} | all | clean squares denoised, faintly | noisy ones left "
        "as they are | camera's nearer |",
        f"|---|{'---|' * (len(LEVELS) + 4)}",
    ]
    clean = [row for row in rows if row.kind == "clean"]
    noisy = [row for row in rows if row.kind != "clean"]
    ways = [(prior, True) for prior in PRIORS]
    for prior, faintly in [(module.BENEFIT, False), *ways]:

        def left(row: Row) -> float:
            return row.left(prior, faintly=faintly)  # noqa: B023

        errors = [np.mean([left(row) for row in rows if row.kind == kind]) for kind in LEVELS]
        cells = " | ".join(f"{value:.3f}" for value in [*errors, np.mean(errors)])
        whole = np.mean([row.denoised(prior) for row in clean])
        little = np.mean([left(row) > 0 for row in clean]) - whole
        stayed = np.mean([left(row) == row.before for row in noisy])
        nearer = np.mean([left(row) < row.before for row in rows if row.kind == "camera"])
        name = f"{prior:g}" if faintly else f"{prior:g}, no faint steps"
        shares = f"{whole:.0%}, {little:.0%} | {stayed:.1%} | {nearer:.0%}"
        lines.append(f"| {name} | {cells} | {shares} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
