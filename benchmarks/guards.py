"""What guards measure on renderings that pass for good and on ruined ones.

    ENHANCE_DATA=folder python -m benchmarks.guards [--write]

Limits are set so that good ones pass and ruined ones fail at least one guard. Good are FiveK's
expert C against the input (a check, nothing was fitted to it), the undamaged photo against an
undeveloped copy, and mild settings; ruined are extreme settings and careless sharpening, on
validation photos.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

import scorers
from benchmarks import _pages
from benchmarks._photos import photo_folder
from benchmarks._timing import machine
from benchmarks.quality.tasks import fivek
from enhance.operators.registry import get
from enhance.tuning.gain import Gain
from enhance.tuning.guards import Evidence, GuardReport, default_guards
from enhance.tuning.views import whole_views
from scorers.photos.damage import CAMERA, sample_damage
from scorers.training.rated import load_rated

Rendering = Callable[[Tensor], Tensor]


def main() -> None:
    """Measure, print, and with ``--write`` record in docs."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--photos", type=int, default=12, help="validation photos")
    _pages.add_options(parser, "guards")
    arguments = _pages.parse(parser)
    if arguments.render:
        _pages.render(arguments.render, page)
        return
    shared = photo_folder()
    witness = scorers.load("nima-technical")
    guards = [g for g in default_guards() if g.name not in ("need", "worth", "interval", "jitter")]
    rows: dict[str, list[list[GuardReport]]] = {}
    with torch.no_grad():
        for title, pairs in renderings(shared, arguments.photos).items():
            reports = rows.setdefault(title, [])
            for before, after in pairs:
                old, new = (whole_views(photo, 2).images for photo in (before, after))
                evidence = Evidence(old, new, Gain(1, 1, 1), witness, witness)
                reports.append([guard.check(evidence) for guard in guards])
            print(title, flush=True)
    facts = {"command": _pages.command("guards"), "machine": machine(), "renderings": rows}
    _pages.record("guards", page, facts, write=arguments.write)


def page(facts: _pages.Facts) -> str:
    """The page of what was recorded."""
    found = {
        title: [[GuardReport(**report) for report in row] for row in rows]
        for title, rows in facts["renderings"].items()
    }
    first = next(iter(found.values()))[0]
    names = [f"{report.name} (limit {report.limit:g})" for report in first]
    counts = [len(rows) for rows in found.values()]
    return "\n".join(
        [
            f"# What guards measure\n\n`{facts['command']}`: median (largest) of "
            f"each guard's value. FiveK expert C on {counts[0]} photos, the others on {counts[1]} "
            "validation photos, two whole views of each.\n",
            f"| rendering | {' | '.join(names)} | passes all |",
            "|---" * (len(names) + 2) + "|",
            *(line(title, rows) for title, rows in found.items()),
            "",
        ]
    )


def line(title: str, reports: list[list[GuardReport]]) -> str:
    """One row of the table."""
    values = np.array([[report.value for report in row] for row in reports]).T
    cells = [f"{np.median(column):.3f} ({column.max():.3f})" for column in values]
    passed = np.mean([all(report.passed for report in row) for row in reports])
    return f"| {title} | {' | '.join(cells)} | {passed:.0%} |"


def renderings(shared: Path, count: int) -> dict[str, Iterator[tuple[Tensor, Tensor]]]:
    """By title, pairs of the photo before and after."""
    good = load_rated(shared / "data/unsplash_biq256/scores.csv", 256).part("validation")
    step = max(1, len(good) // count)
    photos = [good.batch(torch.tensor([index * step])) for index in range(count)]
    generator = torch.Generator().manual_seed(3)
    laplacian, contrast, saturation = (get(n) for n in ("laplacian", "contrast", "saturation"))
    every: dict[str, Rendering] = {
        "mild: detail 1, shadow .2, brightness .2": lambda x: laplacian(
            x, detail=1.0, shadow=0.2, brightness=0.2
        ),
        "mild: contrast .4, saturation .3": lambda x: saturation(
            contrast(x, contrast=0.4), saturation=0.3
        ),
        "mild: gamma .7": lambda x: x**0.7,
        "ruined: shadow 1, brightness 1": lambda x: laplacian(x, shadow=1.0, brightness=1.0),
        "ruined: shadow -1, brightness -1": lambda x: laplacian(x, shadow=-1.0, brightness=-1.0),
        "ruined: unsharp mask, 3 times, 3 px": lambda x: unsharp(x, 3, 3),
        "ruined: unsharp mask, 2 times, 8 px": lambda x: unsharp(x, 2, 8),
        "ruined: twelve levels": lambda x: (x * 12).round() / 12,
        "ruined: cast of 25 %": lambda x: (
            x * torch.tensor([1.25, 1.0, 0.75])[:, None, None]
        ).clamp(0, 1),
    }
    undeveloped = (
        ((sample_damage(1, generator, kinds=CAMERA, keep=0.7)(x) * 255).round() / 255, x)
        for x in photos
    )
    experts = ((t.photo, t.reference) for t in fivek(shared, None) if t.reference is not None)
    return {"expert C": experts, "undeveloped to good": undeveloped} | {
        title: zip(photos, map(render, photos), strict=True) for title, render in every.items()
    }


def unsharp(photo: Tensor, amount: float, std: float) -> Tensor:
    """Plain unsharp masking by OpenCV's Gaussian."""
    import cv2

    pixels = photo[0].permute(1, 2, 0).numpy()
    blurred = torch.from_numpy(cv2.GaussianBlur(pixels, (0, 0), std)).permute(2, 0, 1)[None]
    return (photo + amount * (photo - blurred)).clamp(0, 1)


if __name__ == "__main__":
    main()
