"""Train the embedded scorer `nima-aesthetic`: agree with people, and steer.

    python -m reproduce.nima_aesthetic --out runs/nima-aesthetic

The network is the published aesthetic one (NIMA on MobileNet, trained on AVA), of which several
levels are read; its upper blocks and the new neck are trained under one loss:

- versions of a good photo are ranked by their distance from it (`scorers.training.steering`),
  with realistic damage, with tone carried too far and with the tone operator's own settings; and
  the distance of the version that the scores would choose is kept small;
- human means of BIQ2021: correlation and pairwise order within a batch;
- the published network's opinion of undamaged photos, by EMD, so that the scale stays its own;
- the same photo shrunk in two ways must score the same; what is left of the finest detail, in
  which filters differ most, is blurred away before the network sees it.

Photos come from `biq2021` and `unsplash_biq256` under ``ENHANCE_DATA``; every photo belongs to
train, validation or test by a hash of its name. FiveK, PolyU and Kodak are never read here.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
from scipy.stats import spearmanr
from torch import Generator, Tensor, nn

from enhance.operators.base import Operator
from enhance.operators.resolve import resolve_operator
from reproduce.network import (
    BUCKETS,
    SIZE,
    SLOWER,
    begin,
    channels_last,
    opinion,
    standardise,
    train_only_above,
)
from scorers.convert.tflite import load_tflite
from scorers.losses import emd_loss
from scorers.preprocess import Preprocess
from scorers.training.damage import CAMERA, Damage, sample_damage
from scorers.training.loop import Schedule, train
from scorers.training.photos import RatedPhotos, draw, load_rated
from scorers.training.ranking import (
    correlation_loss,
    expected_distance,
    pairwise_logistic,
    rank_by_distance,
)
from scorers.training.resampling import METHODS, random_crop_flip, random_view, resample
from scorers.training.steering import DistortAndRecover, colour_distance, random_settings

OPERATOR = "tone"
GROUPS = (("contrast",), ("saturation",), ("detail", "shadow", "brightness"))
ABSENT = 0.4  # of a rendering, chance that a group of settings is left at 0
GOOD = 0.66  # mean opinion above which a photo serves as a place where tone should stop
WEIGHTS = {"rank": 6.0, "chosen": 0.15, "human": 0.35, "teacher": 0.4, "consistency": 1.5}
TEMPERATURE = 0.3  # of the choice among versions, in points
PROBES = (
    ("exposure", -1.0),
    ("exposure", 0.5),
    ("exposure", 1.0),
    ("shoulder", 1.0),
    ("gamma", 0.3),
    ("contrast", 0.4),
    ("saturation", 0.45),
    ("lift", -0.08),
)
"""Damage that the validation photos should score above, one kind at a time."""
PREPROCESS = Preprocess(method="area", blur=0.7)
PHOTOS = 6  # good photos a step
RATED = 10  # rated photos a step, each shrunk in two ways


def score(network: nn.Module, image: Tensor, chunk: int = 64) -> Tensor:
    """``(B,)`` mean opinion of views ``(B, 3, 224, 224)``."""
    said = [opinion(network, PREPROCESS.soften(part)) for part in image.split(chunk)]
    return torch.cat(said) @ BUCKETS


def render(operator: Operator[Any], image: Tensor, settings: Mapping[str, Tensor]) -> Tensor:
    """The tone operator as the steering data wants it: ``(K, P)`` settings of P photos."""
    return operator.render(operator.analyse(image), operator.complete(settings, like=image))


@torch.no_grad()
def teacher_opinions(teacher: nn.Module, photos: RatedPhotos) -> Tensor:
    """``(N, 10)``: opinions of the published network, averaged over three sampling phases."""
    rows = []
    for indices in torch.arange(len(photos)).split(64):
        batch = photos.batch(indices)
        views = [resample(batch, SIZE, "nearest", phase) for phase in (0.0, 0.33, 0.66)]
        rows.append(torch.stack([opinion(teacher, view) for view in views]).mean(0))
    return torch.cat(rows)


def validation(
    photos: RatedPhotos, rated: RatedPhotos, recover: DistortAndRecover
) -> Callable[[nn.Module], dict[str, float]]:
    """Figures on the validation split: unguarded recovery, human agreement, resize spread."""
    generator = torch.Generator().manual_seed(7)
    clean = resample(photos.batch(draw(len(photos), 32, generator)), SIZE, "area")
    damaged = sample_damage(len(clean), generator, kinds=CAMERA, keep=0.7)(clean)
    bounds = {name: recover.bounds[name] for name in GROUPS[-1]}
    settings = random_settings(bounds, 72, 1, generator)
    settings = {name: torch.cat([torch.zeros(1, 1), v]) for name, v in settings.items()}
    overdone = {
        f"{name}_{amount:+g}": Damage({name: torch.full((len(clean),), amount)})(clean)
        for name, amount in PROBES
    }

    @torch.no_grad()
    def figures(network: nn.Module) -> dict[str, float]:
        before, after, best, kept = [], [], [], []
        for good, bad in zip(clean.split(1), damaged.split(1), strict=True):
            for start in (bad, good):
                versions = recover.render(start, settings)[:, 0]
                distance = colour_distance(versions, good)
                chosen = distance[score(network, versions).argmax()]
                if start is bad:
                    before.append(distance[0])
                    after.append(chosen)
                    best.append(distance.min())
                else:
                    kept.append(chosen)
        means, spreads = [], []
        for indices in torch.arange(len(rated)).split(32):
            batch = rated.batch(indices)
            views = torch.stack([score(network, resample(batch, SIZE, m)) for m in METHODS])
            means.append(views[2])
            spreads.append(views.amax(0) - views.amin(0))
        mean = torch.cat(means)
        closer = torch.stack(after) < torch.stack(before)
        base = score(network, clean)
        below = {name: score(network, copy) < base for name, copy in overdone.items()}
        return {
            "damaged": round(float(torch.stack(before).mean()), 3),
            "recovered": round(float(torch.stack(after).mean()), 3),
            "hindsight": round(float(torch.stack(best).mean()), 3),
            "closer": round(float(closer.float().mean()), 3),
            "undamaged_moved": round(float(torch.stack(kept).mean()), 3),
            "srcc": round(float(spearmanr(mean.numpy(), rated.means.numpy()).statistic), 4),
            "score_std": round(float(mean.std()), 3),
            "resize_spread": round(float(torch.cat(spreads).mean()), 3),
            **{name: round(float(lower.float().mean()), 2) for name, lower in below.items()},
        }

    return figures


def main() -> None:
    """Train, and leave the network's weights in ``OUT/network.pt``."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("runs/nima-aesthetic"))
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--from", dest="start", type=Path, help="folder of a run to go on from")
    parser.add_argument("--rate", type=float, default=5e-4)
    options = parser.parse_args()
    shared = Path(os.environ["ENHANCE_DATA"])
    torch.manual_seed(0)

    published = shared / "weights/idealo_mobilenet_aesthetic.int8.tflite"
    teacher = load_tflite(published)
    teacher.requires_grad_(False).eval()
    channels_last(teacher)
    network = begin(options.start, published)
    train_only_above(network)

    human = load_rated(shared / "data/biq2021/scores.csv", 512)
    good = load_rated(shared / "data/unsplash_biq256/scores.csv", 256)
    rated, published = human.part("train"), good.part("train")
    pools = [published, published, rated.at_least(GOOD)]  # two thirds from the larger pool
    opinions = teacher_opinions(teacher, rated)

    shown = resample(rated.batch(torch.arange(400)), SIZE, "area")
    standardise(network, PREPROCESS.soften(shown))
    operator = resolve_operator(OPERATOR)
    spec = operator.parameters_spec
    bounds = {name: (spec[name].low, spec[name].high) for group in GROUPS for name in group}
    recover = DistortAndRecover(
        partial(render, operator),
        bounds,
        absent=ABSENT,
        groups=GROUPS,
    )

    def step_loss(step: int) -> dict[str, Tensor]:
        generator: Generator = torch.Generator().manual_seed(
            (100_000 if options.start else 1000) + step
        )
        photos = torch.cat(
            [
                random_view(random_crop_flip(pool.batch(i[None]), generator, 0.7), SIZE, generator)
                for pool in pools
                for i in draw(len(pool), PHOTOS // len(pools), generator)
            ]
        )
        versions = recover(photos, generator)
        shape = versions.distances.shape
        chosen = draw(len(rated), RATED, generator)
        cuts = [random_crop_flip(p, generator, 0.85) for p in rated.batch(chosen).split(1)]
        shrunk = [random_view(cut, SIZE, generator) for cut in cuts + cuts]
        said = opinion(
            network, PREPROCESS.soften(torch.cat([versions.images.flatten(0, 1), *shrunk]))
        )
        ranked, first, second = said.split([shape.numel(), RATED, RATED])
        means = torch.stack([first @ BUCKETS, second @ BUCKETS])
        both = means.mean(0)
        scores = (ranked @ BUCKETS).reshape(shape)
        rank = rank_by_distance(
            scores,
            versions.distances,
            margin_per_unit=0.05,
            largest_margin=0.8,
        )
        target = rated.means[chosen]
        losses = {
            "rank": rank,
            "chosen": expected_distance(scores, versions.distances, temperature=TEMPERATURE),
            "human": correlation_loss(both, target) + pairwise_logistic(both, target),
            "teacher": emd_loss(torch.cat([first, second]), opinions[chosen].repeat(2, 1)),
            "consistency": (means[0] - means[1]).abs().mean(),
        }
        return {name: WEIGHTS[name] * value for name, value in losses.items()}

    held = validation(good.part("validation"), human.part("validation"), recover)
    trained = train(
        network,
        step_loss,
        Schedule(options.steps, options.rate),
        options.out,
        validate=held,
        weight_decay=0.05,
        slower=SLOWER,
        validate_every=250,
    )
    torch.save(trained.state_dict(), options.out / "network.pt")


if __name__ == "__main__":
    main()
