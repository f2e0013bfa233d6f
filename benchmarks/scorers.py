"""Which scorer can be trusted, and with what: agreement, pairs, robustness, steering.

    ENHANCE_DATA=folder python -m benchmarks.scorers [NAME|PATH ...] [--write]

Reads `biq2021` (test split of the training scripts), `fivek_dpe9`, `polyu_real_noise` and
`kodak24` under ``ENHANCE_DATA``; none of these photos trained an embedded scorer, or selected one,
but for FiveK: a candidate that did worse on it than the scorer before was not shipped.
Steering renders the tone operator's whole grid for every FiveK input and takes the score's
maximum, with no guard and no cost: how far from the retoucher's version does it lie?
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

import scorers
from benchmarks import _pages
from benchmarks._measures import ciede2000
from benchmarks._photos import photo_folder, read, scene
from benchmarks._timing import machine
from enhance.operators.laplacian import Laplacian
from enhance.tuning.space import Space
from scorers.evaluation.agreement import pair_accuracy, srcc
from scorers.evaluation.figure import Figure, average, share
from scorers.evaluation.robustness import jpeg_change, resize_spread, shift_spread
from scorers.photos.damage import Damage
from scorers.training.rated import load_rated

Score = Callable[[Tensor], Tensor]


def native_crops(photo: Tensor, count: int, size: int, seed: int) -> Tensor:
    """`count` random crops, the same for photos of one size and seed."""
    generator = torch.Generator().manual_seed(seed)
    height, width = photo.shape[-2:]
    cuts = []
    for _ in range(count):
        y = int(torch.randint(max(1, height - size + 1), (), generator=generator))
        x = int(torch.randint(max(1, width - size + 1), (), generator=generator))
        cuts.append(photo[..., y : y + size, x : x + size])
    return torch.cat(cuts)


def fivek(shared: Path) -> Iterator[tuple[Tensor, Tensor]]:
    """Input and expert C's version of each pair."""
    for path in sorted((shared / "data/fivek_dpe9/Input").glob("*.png")):
        yield read(path), read(path.parent.parent / "Label" / path.name)


def steering(shared: Path, score: Score) -> dict[str, Figure]:
    """Distance to the retoucher before and after maximising the score over 726 settings.

    Settings are chosen on the photo as a whole-image scorer sees it, and applied to the photo.
    """
    operator = Laplacian()
    space = Space.of(operator)
    before, after = [], []
    points = {name: value.float() for name, value in space.settings(space.grid()).items()}
    for photo, expert in fivek(shared):
        layers = operator.analyse(functional.interpolate(photo, (224, 224), mode="area"))
        rows = []
        for chunk in torch.arange(len(points["detail"])).split(33):
            part = {name: value[chunk] for name, value in points.items()}
            rows.append(score(operator.render(layers, operator.complete(part))))
        best = int(torch.cat(rows).argmax())
        rendered = operator(photo, **{name: value[best] for name, value in points.items()})
        before.append(ciede2000(photo, expert))
        after.append(ciede2000(rendered, expert))
    closer = np.array(after) < np.array(before)
    return {
        "FiveK input: distance to expert": average(before),
        "FiveK 726-grid maximum: distance": average(after),
        "FiveK 726-grid maximum: closer": share(closer),
    }


def measure(shared: Path, score: Score) -> dict[str, Figure]:
    """Every figure of one scorer."""
    rated = load_rated(shared / "data/biq2021/scores.csv", 512).part("test")
    said = torch.cat([score(rated.batch(i)) for i in torch.arange(len(rated)).split(16)])
    figures = {"BIQ2021 test: SRCC": srcc(said.numpy(), rated.means.numpy())}
    pairs = [(float(score(b)), float(score(a))) for a, b in fivek(shared)]
    figures["FiveK: expert over input"] = pair_accuracy(*zip(*pairs, strict=True))
    figures |= real_noise(shared, score)
    kodak = [read(p) for p in sorted((shared / "data/kodak24").glob("*.png"))]
    for name, amounts in COPIES.items():
        damaged = Damage({kind: torch.tensor([amount]) for kind, amount in amounts.items()})
        worse = [float(score(damaged(photo))) for photo in kodak]
        better = [float(score(photo)) for photo in kodak]
        figures[f"Kodak24: over its {name} copy"] = pair_accuracy(better, worse)
    figures["Kodak24: spread over four resize filters"] = resize_spread(kodak, score)
    figures["Kodak24: spread over one-pixel shifts"] = shift_spread(kodak, score)
    figures["Kodak24: change by JPEG at quality 70"] = jpeg_change(kodak, score)
    return figures


def real_noise(shared: Path, score: Score) -> dict[str, Figure]:
    """How often the clean one of PolyU's pairs scores higher; pairs of one scene are alike."""
    clean, noisy, scenes = [], [], []
    for path in sorted((shared / "data/polyu_real_noise").glob("*_mean.JPG")):
        both = (path, path.with_name(path.name.replace("_mean", "_real")))
        good, bad = (float(score(native_crops(read(p), 8, 224, 0)).mean()) for p in both)
        clean.append(good)
        noisy.append(bad)
        scenes.append(scene(path.stem))
    name = f"PolyU, {len(set(scenes))} scenes: clean over noisy, 8 native crops"
    return {name: pair_accuracy(clean, noisy, groups=scenes)}


COPIES = {
    "half contrast": {"contrast": float(np.log(0.5))},
    "noisy (std 15)": {"noise": 15 / 255},
    "blurred (std 2)": {"blur": 2.0},
    "JPEG 10": {"jpeg": 0.9},
    "median filtered": {"overdenoise": 1.0},
    "one stop darker": {"exposure": -1.0},
    "one stop brighter": {"exposure": 1.0},
}


def main() -> None:
    """Measure the scorers named, print one table, and with ``--write`` record it in docs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "scorers", nargs="*", default=["nima-aesthetic", "nima-technical"], help="names or paths"
    )
    _pages.add_options(parser, "scorers")
    options = _pages.parse(parser)
    if options.render:
        _pages.render(options.render, page)
        return
    shared = photo_folder()
    columns: dict[str, dict[str, Figure]] = {}
    for name in options.scorers:
        with torch.no_grad():
            scorer = scorers.load(name)
            figures = measure(shared, scorer)
            if scorer.card.preprocess.view == "whole":
                figures |= steering(shared, scorer)
            columns[Path(name).stem] = figures
    facts = {"command": _pages.command("scorers"), "machine": machine(), "scorers": columns}
    _pages.record("scorers", page, facts, write=options.write)


def page(facts: _pages.Facts) -> str:
    """The page of what was recorded."""
    columns = {
        name: {row: str(_figure(figure)) for row, figure in found.items()}
        for name, found in facts["scorers"].items()
    }
    lines = [
        f"# Scorers\n\n`{facts['command']}`. Intervals of 95 %: exact for shares of independent "
        "photos, by bootstrap for the rest, photos of one scene together.\n",
        f"| figure | {' | '.join(columns)} |",
        f"|---|{'---|' * len(columns)}",
    ]
    for row in dict.fromkeys(row for column in columns.values() for row in column):
        lines.append(f"| {row} | {' | '.join(c.get(row, '') for c in columns.values())} |")
    return "\n".join(lines) + "\n"


def _figure(recorded: dict[str, float | None]) -> Figure:
    """A figure as it was before JSON, which has null for what is no number."""
    numbers = {name: math.nan if value is None else value for name, value in recorded.items()}
    return Figure(**numbers)  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
