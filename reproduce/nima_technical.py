"""Train the embedded scorer `nima-technical`: what people say of technical quality, and steer.

    python -m reproduce.nima_technical --out runs/nima-technical

As for `nima-aesthetic`, several levels of the published aesthetic network are read by a new neck
(that network sees quality better than the one trained on TID2013). One loss again:

- human means of BIQ2021 as opinions on ten buckets (maximum entropy, stated std model), by EMD,
  correlation and pairwise order, on native crops and on whole-image views;
- native crops of good photos ranked above copies that are noisy, blurred, compressed, flat, or
  denoised too little or too much, by their distance from the crop; half of the crops are enlarged
  first, for a large photo is soft at its own resolution, and there noise must not pass for detail;
- of one noisy crop denoised at several settings, the nearest to the clean crop is to be chosen;
- noise that can hardly be seen must cost something too, and what takes it away by compression
  or by a flat curve must not pay (`reproduce.squares`);
- a square as a camera writes it in little light is worse than the average of many such files,
  though that is softer (`reproduce.camera`).

Photos come from `biq2021` under ``ENHANCE_DATA``, split by a hash of their names; PolyU, Kodak
and FiveK are never read here. What the trunk says of them is kept in ``OUT/described`` (1 GB, three
quarters of an hour on one core); a run that was stopped goes on from there.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import torch
from scipy.stats import spearmanr
from torch import Tensor, nn
from torch.nn import functional

from enhance.operators.turbo import Turbo
from reproduce.camera import in_little_light
from reproduce.network import (
    BUCKETS,
    SIZE,
    begin,
    describe,
    kept,
    kept_shards,
    opinion,
    score,
    standardise,
)
from reproduce.squares import ORDER, SEARCHES, good_crop, grain, versions
from scorers.losses import emd_loss
from scorers.nima import NIMA
from scorers.opinion import maximum_entropy, typical_std
from scorers.photos.damage import Damage
from scorers.photos.resampling import random_crop_flip, random_view, resample
from scorers.training.loop import OneCycle, train
from scorers.training.ranking import (
    correlation_loss,
    expected_distance,
    pairwise_logistic,
    rank_by_distance,
)
from scorers.training.rated import RatedPhotos, draw, load_rated

GOOD = 0.62
SHARDS = 40
SHARD = 50  # squares
SQUARES = 5  # of a rated photo: its corners and its middle
WEIGHTS = {"rank": 4.0, "chosen": 4.0, "order": 4.0, "emd": 3.0, "human": 4.0, "camera": 10.0}
CAMERAS = 3000  # squares as a camera writes them
CAMERA_LEAD = 0.1  # points by which the average of many files leads one of them
BASES = ("clean", "soft", "grain")
"""Validation squares whose worse copies are named after them; all other copies are of the first."""
TEMPERATURE = 0.1  # of the choice among denoised versions, in points
SQUARES_A_STEP, RATED, EXPOSED = 48, 192, 128


def versions_of(network: NIMA, good: RatedPhotos, shard: int) -> dict[str, Tensor]:
    """What the trunk says of versions of `SHARD` squares."""
    generator = torch.Generator().manual_seed(7000 + shard)
    turbo = Turbo()
    said, distances = [], []
    for _ in range(SHARD // 5):
        chosen = draw(len(good), 5, generator)
        crops = torch.cat([good_crop(good.batch(i[None]), generator) for i in chosen])
        images, far = versions(crops, turbo, generator)
        said.append(describe(network, images))
        distances.append(far)
    return {"said": torch.cat(said), "distances": torch.cat(distances)}


def ratings_of(network: NIMA, photos: RatedPhotos) -> dict[str, Tensor]:
    """What the trunk says of rated photos: `SQUARES` native squares, and two whole views."""
    generator = torch.Generator().manual_seed(3)
    rows = []
    for indices in torch.arange(len(photos)).split(8):
        whole = photos.batch(indices)
        far = whole.shape[-1] - SIZE
        corners = ((0, 0), (0, far), (far, 0), (far, far), (far // 2, far // 2))
        views = [whole[..., y : y + SIZE, x : x + SIZE] for y, x in corners]
        cuts = [random_crop_flip(photo, generator, 0.85) for photo in whole.split(1)]
        anyhow = torch.cat([random_view(cut, SIZE, generator) for cut in cuts])
        views += [resample(whole, SIZE, "area"), anyhow]
        rows.append(describe(network, torch.stack(views, dim=1)))
    return {"said": torch.cat(rows), "means": photos.means}


def cameras_of(network: NIMA, good: RatedPhotos, count: int, seed: int) -> dict[str, Tensor]:
    """What the trunk says of `count` squares, of each as a camera writes it in little light, and of
    the average of such files.
    """
    generator = torch.Generator().manual_seed(seed)
    said = []
    for _ in range(count // 8):
        chosen = draw(len(good), 8, generator)
        crops = torch.cat([good_crop(good.batch(i[None]), generator) for i in chosen])
        said.append(describe(network, in_little_light(crops, generator)))
    return {"said": torch.cat(said)}


def grid_crops(photos: Tensor, per_side: int = 3) -> Tensor:
    """``(N * n, 3, 224, 224)`` evenly spaced native crops of square photos, photo by photo."""
    starts = torch.linspace(0, photos.shape[-1] - SIZE, per_side).round().int().tolist()
    crops = [photos[..., y : y + SIZE, x : x + SIZE] for y in starts for x in starts]
    return torch.stack(crops, dim=1).flatten(0, 1)


def copies_of(network: NIMA, rated: RatedPhotos) -> dict[str, Tensor]:
    """What the trunk says of native squares of 32 good photos and their damaged copies.

    ``soft`` squares are enlarged, as those of large photos are soft at their own resolution.
    """
    generator = torch.Generator().manual_seed(7)
    good = rated.at_least(GOOD)
    clean = grid_crops(good.batch(draw(len(good), 32, generator)), 2)
    soft = functional.interpolate(clean[..., 56:168, 56:168], (SIZE, SIZE), mode="bicubic")
    soft = soft.clamp(0, 1)
    level = torch.full((len(clean),), 1 / 255)
    copies = {"clean": clean, "soft": soft}
    for std in (1, 1.5, 3, 6):
        copies[f"soft_noise_{std}"] = grain(soft, std * level, round(std))
    copies["grain"] = grain(clean, 3 * level, 30)
    for std in (1, 1.5, 5, 15):
        copies[f"noise_{std}"] = grain(clean, std * level, round(std))
    damage = {"blur_1": ("blur", 1.0), "contrast_half": ("contrast", -0.693)}
    damage |= {"median": ("overdenoise", 1.0)}
    damage |= {f"jpeg_{quality}": ("jpeg", 1 - quality / 100) for quality in (10, 30, 70, 90)}
    for name, (kind, amount) in damage.items():
        copies[name] = Damage({kind: torch.full((len(clean),), amount)})(clean)
        copies[f"grain_{name}"] = Damage({kind: torch.full((len(clean),), amount)})(copies["grain"])
    return {name: describe(network, images) for name, images in copies.items()}


@torch.no_grad()
def figures(
    copies: Mapping[str, Tensor],
    rated: Mapping[str, Tensor],
    held: Mapping[str, Tensor],
    cameras: Mapping[str, Tensor],
    network: nn.Module,
) -> dict[str, float]:
    """Figures on the validation split: human agreement by view, pairs under damage, and the
    distance of the denoised version that the scores choose.
    """
    views = score(network, rated["said"])
    means = {"native": views[:, :SQUARES].mean(1), "whole": views[:, SQUARES]}
    row = {
        f"srcc_{name}": float(spearmanr(m.numpy(), rated["means"].numpy()).statistic)
        for name, m in means.items()
    }
    of = {name: score(network, said).reshape(-1, 4).mean(1) for name, said in copies.items()}
    for name, lower in of.items():
        if name not in BASES:
            base, _, rest = name.partition("_")
            better = of[base] if rest and base in BASES else of["clean"]
            row[name] = float((lower <= better).float().mean())
    clean, file, average = score(network, cameras["said"]).unbind(1)
    row["camera_clean"] = float((file <= clean).float().mean())
    row["camera_average"] = float((file <= average).float().mean())
    scores = score(network, held["said"])
    for name, columns in zip(("noisy", "order"), SEARCHES[:2], strict=False):
        distances = held["distances"][:, columns]
        chosen = distances.gather(1, scores[:, columns].argmax(1, keepdim=True))
        row[f"{name}_before"] = float(distances[:, 0].mean())
        row[f"{name}_chosen"] = float(chosen.mean())
        row[f"{name}_hindsight"] = float(distances.amin(1).mean())
    return {name: round(value, 4) for name, value in row.items()}


def main() -> None:
    """Train, and leave the network's weights in ``OUT/network.pt``."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("runs/nima-technical"))
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=4e-4)
    options = parser.parse_args()
    shared = Path(os.environ["ENHANCE_DATA"])
    torch.manual_seed(0)
    network = begin(shared / "weights/idealo_mobilenet_aesthetic.int8.tflite")
    human = load_rated(shared / "data/biq2021/scores.csv", 512)
    people, others = human.part("train"), human.part("validation")

    described = options.out / "described"
    copies = kept(described / "copies.pt", lambda: copies_of(network, others))
    judged = kept(described / "rated-validation.pt", lambda: ratings_of(network, others))
    held = kept(
        described / "versions-validation.pt",
        lambda: versions_of(network, others.at_least(GOOD), -1),
    )
    rated = kept(described / "rated.pt", lambda: ratings_of(network, people))
    best = people.at_least(GOOD)
    good = kept_shards(described, "versions", SHARDS, lambda i: versions_of(network, best, i))
    seen = kept(
        described / "cameras-validation.pt",
        lambda: cameras_of(network, others.at_least(GOOD), 200, 5),
    )
    cameras = kept(described / "cameras.pt", lambda: cameras_of(network, best, CAMERAS, 6))
    standardise(network, rated["said"][::3, :SQUARES].flatten(0, 1))
    means = 1 + 9 * rated["means"]
    opinions = maximum_entropy(means, typical_std(means)).float()

    def step_loss(step: int) -> dict[str, Tensor]:
        generator = torch.Generator().manual_seed(1000 + step)
        squares = draw(len(good["said"]), SQUARES_A_STEP, generator)
        distances = good["distances"][squares]
        scores = opinion(network, good["said"][squares]) @ BUCKETS
        chosen = draw(len(rated["said"]), RATED, generator)
        near = torch.randint(SQUARES, (RATED,), generator=generator)
        whole = torch.randint(SQUARES, SQUARES + 2, (RATED,), generator=generator)
        said = opinion(network, rated["said"][chosen, torch.stack([near, whole])])
        native, both = (said[0] @ BUCKETS), (said @ BUCKETS).mean(0)
        target = rated["means"][chosen]
        exposed = draw(len(cameras["said"]), EXPOSED, generator)
        clean, file, average = (opinion(network, cameras["said"][exposed]) @ BUCKETS).unbind(1)
        losses = {
            "rank": rank_by_distance(
                scores, distances, margin_per_unit=0.25, largest_margin=1.0, dead_zone=0.15
            ),
            "chosen": torch.stack(
                [
                    expected_distance(scores[:, c], distances[:, c], temperature=TEMPERATURE)
                    for c in SEARCHES
                ]
            ).sum(),
            "order": torch.stack(
                [(lead - (scores[:, a] - scores[:, b])).clamp(min=0).mean() for a, b, lead in ORDER]
            ).sum(),
            "camera": (CAMERA_LEAD - (torch.stack([clean, average]) - file))
            .clamp(min=0)
            .mean(1)
            .sum(),
            "emd": emd_loss(said.flatten(0, 1), opinions[chosen].repeat(2, 1)),
            "human": correlation_loss(native, target)
            + correlation_loss(both, target)
            + pairwise_logistic(both, target),
        }
        return {name: WEIGHTS[name] * value for name, value in losses.items()}

    trained = train(
        network,
        step_loss,
        OneCycle(options.steps, options.rate),
        options.out,
        decay=0.98,
        weight_decay=1.0,
        validate=partial(figures, copies, judged, held, seen),
        validate_every=100,
    )
    torch.save(trained.state_dict(), options.out / "network.pt")


if __name__ == "__main__":
    main()
