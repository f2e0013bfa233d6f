"""Turn a trained network into an embedded scorer: int8 weights, and a card of what it measured.

    python -m reproduce.embed nima-aesthetic --network runs/nima-aesthetic/network.pt
    python -m benchmarks.scorers nima-aesthetic nima-technical --write
    python -m reproduce.embed nima-aesthetic --figures docs/benchmarks/scorers.json

The second form only rewrites the card with the figures that the benchmark has written; the
weights stay as they are.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import torch

import scorers
from reproduce.network import OPTIONS
from scorers.card import Architecture, ModelCard
from scorers.preprocess import Preprocess
from scorers.scorer import Scorer
from scorers.zoo import embed

MULTILEVEL = Architecture("mobilenet_v1_multilevel", OPTIONS)
START = (
    "a new neck that reads several levels of the published aesthetic NIMA of "
    "idealo/image-quality-assessment (Apache-2.0, MobileNet v1 trained on AVA), left as it is"
)
BIQ = "BIQ2021 (2,131 of 2,629 photos, their mean opinions; no licence stated, not redistributed)"

CARDS = {
    "nima-aesthetic": ModelCard(
        name="nima-aesthetic",
        architecture=MULTILEVEL,
        preprocess=Preprocess(method="area", blur=0.7),
        summary="How good a photo looks as a whole: tone, colour, composition. The default "
        "objective of tone operators.",
        origin=f"reproduce/nima_aesthetic.py; {START}",
        licence="Apache-2.0",
        training_data=f"{BIQ}; 1,698 Unsplash photographs and damaged copies of them; "
        "opinions of the network it started from",
        limits="Sees a photo of 224 x 224 pixels: no noise, no fine sharpness. Knows one scale "
        "of taste, the average one. A setting far from the photo that it ranks high is a bug of "
        "the scorer, not a discovery.",
    ),
    "nima-technical": ModelCard(
        name="nima-technical",
        architecture=MULTILEVEL,
        preprocess=Preprocess(view="native"),
        summary="How clean and sharp a photo is, judged on squares at its own resolution. "
        "The default objective of denoising.",
        origin=f"reproduce/nima_technical.py; {START}",
        licence="Apache-2.0",
        training_data=f"{BIQ} and damaged and denoised copies of the better ones",
        limits="Judges squares of 224 x 224 pixels on their own: an out-of-focus background "
        "counts as blur. Learned from photos of 512 x 512 pixels. JPEG of a quality above 70 "
        "passes for clean, and brighter for better: no objective for exposure.",
    ),
}


def main() -> None:
    """Embed a network, or refresh the card of an embedded one."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=CARDS)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--network", type=Path, help="state dict written by the training script")
    source.add_argument("--figures", type=Path, help="JSON written by benchmarks.scorers")
    options = parser.parse_args()
    card = CARDS[options.name]
    if options.network:
        network = card.architecture.build(len(card.buckets))
        network.load_state_dict(torch.load(options.network, weights_only=True))
        print(embed(Scorer(network, card)))
        return
    measured = json.loads(options.figures.read_text())["scorers"][options.name]
    figures = {
        row: f"{f['value']:.3f} [{f['low']:.3f}, {f['high']:.3f}], n={f['n']}"
        for row, f in measured.items()
    }
    path = Path(scorers.__file__).parent / "weights" / f"{options.name}.json"
    stated = ModelCard.from_json(path.read_text())
    card = replace(card, architecture=stated.architecture, sha256=stated.sha256, measured=figures)
    path.write_text(card.to_json() + "\n")


if __name__ == "__main__":
    main()
