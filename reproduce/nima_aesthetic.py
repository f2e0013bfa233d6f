"""Train the embedded scorer `nima-aesthetic`: agree with people, and steer.

    python -m reproduce.nima_aesthetic --out runs/nima-aesthetic

The published aesthetic network (NIMA on MobileNet, trained on AVA) is fine-tuned under one loss:

- versions of a good photo are ranked by their distance from it (`scorers.training.steering`),
  with realistic damage and with the tone operator's own settings, including the one that the
  network likes best at that moment;
- human means of BIQ2021: correlation and pairwise order within a batch;
- the published network's opinion of undamaged photos, by EMD, so that the scale stays its own;
- the same photo shrunk in two ways must score the same.

Photos come from `biq2021` and `unsplash_biq256` under ``ENHANCE_DATA``; every photo belongs to
train, validation or test by a hash of its name. FiveK, PolyU and Kodak are never read here.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import torch
from scipy.stats import spearmanr
from torch import Generator, Tensor, nn

from enhance.operators.laplacian import Laplacian
from reproduce.network import BUCKETS, SIZE, opinion, score
from scorers.convert.tflite import load_tflite
from scorers.losses import emd_loss
from scorers.training.loop import Schedule, train
from scorers.training.photos import RatedPhotos, draw, load_rated
from scorers.training.ranking import correlation_loss, pairwise_logistic, rank_by_distance
from scorers.training.resampling import METHODS, random_crop_flip, random_view, resample
from scorers.training.steering import DistortAndRecover, colour_distance, random_settings

TUNED = ("detail", "shadow", "brightness")
GOOD = 0.66  # mean opinion above which a photo serves as a place where tone should stop
WEIGHTS = {"rank": 6.0, "human": 0.5, "teacher": 0.4, "consistency": 0.5}


def render(operator: Laplacian, image: Tensor, settings: Mapping[str, Tensor]) -> Tensor:
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
    clean = resample(photos.batch(draw(len(photos), 20, generator)), SIZE, "area")
    damaged = recover.damage(len(clean), generator)(clean)
    settings = random_settings(recover.bounds, 96, 1, generator)
    settings = {name: torch.cat([torch.zeros(1, 1), v]) for name, v in settings.items()}

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
        return {
            "damaged": round(float(torch.stack(before).mean()), 3),
            "recovered": round(float(torch.stack(after).mean()), 3),
            "hindsight": round(float(torch.stack(best).mean()), 3),
            "closer": round(float(closer.float().mean()), 3),
            "undamaged_moved": round(float(torch.stack(kept).mean()), 3),
            "srcc": round(float(spearmanr(mean.numpy(), rated.means.numpy()).statistic), 4),
            "score_std": round(float(mean.std()), 3),
            "resize_spread": round(float(torch.cat(spreads).mean()), 3),
        }

    return figures


def main() -> None:
    """Train, and leave the network's weights in ``OUT/network.pt``."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("runs/nima-aesthetic"))
    parser.add_argument("--steps", type=int, default=620)
    parser.add_argument("--rate", type=float, default=3e-4)
    options = parser.parse_args()
    shared = Path(os.environ["ENHANCE_DATA"])
    torch.manual_seed(0)

    teacher = load_tflite(shared / "weights/idealo_mobilenet_aesthetic.int8.tflite")
    network = load_tflite(shared / "weights/idealo_mobilenet_aesthetic.int8.tflite")
    for model in (teacher, network):
        model.to(memory_format=torch.channels_last)
    teacher.requires_grad_(False).eval()

    human = load_rated(shared / "data/biq2021/scores.csv", 512)
    good = load_rated(shared / "data/unsplash_biq256/scores.csv", 256)
    rated, published = human.part("train"), good.part("train")
    pools = [published, published, rated.at_least(GOOD)]  # two thirds from the larger pool
    opinions = teacher_opinions(teacher, rated)

    operator = Laplacian()
    bounds = {n: (operator.parameters_spec[n].low, operator.parameters_spec[n].high) for n in TUNED}
    recover = DistortAndRecover(partial(render, operator), bounds)

    def view(photo: Tensor, generator: Generator, smallest: float) -> Tensor:
        return random_view(random_crop_flip(photo, generator, smallest), SIZE, generator)

    def step_loss(step: int) -> dict[str, Tensor]:
        generator: Generator = torch.Generator().manual_seed(1000 + step)
        photos = torch.cat(
            [
                view(pool.batch(index[None]), generator, 0.7)
                for pool in pools
                for index in draw(len(pool), 2, generator)
            ]
        )
        versions = recover(photos, partial(score, network), generator)
        shape = versions.distances.shape
        chosen = draw(len(rated), 10, generator)
        people = rated.batch(chosen)
        once = torch.cat([view(p, generator, 0.9) for p in people.split(1)])
        again = torch.cat([view(p, generator, 0.9) for p in people.split(1)])
        said = opinion(network, torch.cat([versions.images.flatten(0, 1), once, again]))
        ranked, first, second = said.split([shape.numel(), len(once), len(again)])
        means = torch.stack([first @ BUCKETS, second @ BUCKETS])
        both = means.mean(0)
        rank = rank_by_distance(
            (ranked @ BUCKETS).reshape(shape),
            versions.distances,
            margin_per_unit=0.05,
            largest_margin=0.8,
        )
        target = rated.means[chosen]
        losses = {
            "rank": rank,
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
        validate_every=155,
    )
    torch.save(trained.state_dict(), options.out / "network.pt")


if __name__ == "__main__":
    main()
