"""What the levels of a published network know of people's ratings, before any training of it.

    ENHANCE_DATA=folder python -m benchmarks.levels [--write]

Means and deviations of channels of the untouched aesthetic network (`pooled_levels`), for every
photo of BIQ2021 shrunk to two sizes; a ridge regression on the train split for each strength; the
strength is chosen on validation, and its correlation there and on test is told.
"""

from __future__ import annotations

import argparse

import torch
from scipy.stats import spearmanr
from torch import Tensor, nn

from benchmarks import _pages
from benchmarks._photos import photo_folder
from benchmarks._timing import machine
from reproduce.network import SIZE
from scorers.backbones.multilevel import pooled_levels
from scorers.convert.tflite import load_tflite
from scorers.photos.resampling import resample
from scorers.training.rated import RatedPhotos, load_rated

SIDES = (SIZE, 384)
READ = {"last two blocks": (12, 13), "seven blocks": (2, 4, 6, 8, 10, 12, 13)}
STRENGTHS = (100.0, 1e3, 3e3, 1e4, 3e4)


def main() -> None:
    """Measure, print, and with ``--write`` record in docs/benchmarks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    _pages.add_options(parser, "levels")
    arguments = _pages.parse(parser)
    if arguments.render:
        _pages.render(arguments.render, page)
        return
    torch.set_num_threads(arguments.threads)
    shared = photo_folder()
    network = load_tflite(shared / "weights/idealo_mobilenet_aesthetic.int8.tflite").eval()
    features = network.get_submodule("backbone.features")
    assert isinstance(features, nn.Sequential)
    rated = load_rated(shared / "data/biq2021/scores.csv", 512)
    parts = [rated.part("train"), rated.part("validation"), rated.part("test")]
    found = {}
    for read, blocks in READ.items():
        for side in SIDES:
            pooled = [describe(features, blocks, part, side) for part in parts]
            found[f"{read}, {side} px"] = best_ridge(pooled, [part.means for part in parts])
    facts = {"command": _pages.command("levels"), "machine": machine(), "found": found}
    _pages.record("levels", page, facts, write=arguments.write)


def page(facts: _pages.Facts) -> str:
    """The page of what was recorded."""
    lines = ["| read | validation | test |", "|---|---|---|"]
    lines += [f"| {name} | {a:.3f} | {b:.3f} |" for name, (a, b) in facts["found"].items()]
    return "\n".join([f"# Levels\n\n`{facts['command']}`\n", *lines]) + "\n"


@torch.no_grad()
def describe(
    features: nn.Sequential, blocks: tuple[int, ...], photos: RatedPhotos, side: int
) -> Tensor:
    """``(N, P)``: what the blocks' channels have as mean and deviation."""
    levels = {f"conv_pw_{block}_relu" for block in blocks}
    rows = []
    for indices in torch.arange(len(photos)).split(16):
        view = resample(photos.batch(indices), side, "area").mul(2).sub(1)
        rows.append(
            pooled_levels(features, levels, view.contiguous(memory_format=torch.channels_last))
        )
    return torch.cat(rows)


def best_ridge(pooled: list[Tensor], means: list[Tensor]) -> tuple[float, float]:
    """Spearman's correlation on validation and test, of the strength best on validation."""
    centre, spread = pooled[0].mean(0), pooled[0].std(0) + 1e-6
    train, *others = (((part - centre) / spread).double() for part in pooled)
    target = (means[0] - means[0].mean()).double()
    values, vectors = torch.linalg.eigh(train @ train.T)
    scores = []
    for strength in STRENGTHS:
        slope = train.T @ (vectors @ ((vectors.T @ target) / (values + strength)))
        said = [(part @ slope).numpy() for part in others]
        scores.append(
            [float(spearmanr(s, m.numpy()).statistic) for s, m in zip(said, means[1:], strict=True)]
        )
    validation, test = max(scores)
    return validation, test


if __name__ == "__main__":
    main()
