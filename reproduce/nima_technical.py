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
- noise that can hardly be seen must cost something too.

Photos come from `biq2021` under ``ENHANCE_DATA``, split by a hash of their names; PolyU, Kodak
and FiveK are never read here. What the trunk says of them is kept in ``OUT/described`` (1 GB, half
an hour on one core); a run that was stopped goes on from there.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import torch
from scipy.stats import spearmanr
from torch import Generator, Tensor, nn
from torch.nn import functional

from enhance.operators.turbo import Turbo
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
from scorers.losses import emd_loss
from scorers.nima import NIMA
from scorers.opinion import maximum_entropy, typical_std
from scorers.training.damage import (
    DETAIL,
    TONE,
    Damage,
    camera_noise,
    overdone_damage,
    sample_damage,
)
from scorers.training.loop import Schedule, train
from scorers.training.photos import RatedPhotos, draw, load_rated
from scorers.training.ranking import (
    correlation_loss,
    expected_distance,
    pairwise_logistic,
    rank_by_distance,
)
from scorers.training.resampling import random_crop_flip, random_view, resample
from scorers.training.sensor import sensor_noise

GOOD = 0.62
ENLARGED = 3.0  # at most
SOFT = 0.6  # share of the squares that are enlarged
SENSOR = 0.5  # share of noise that is drawn in a sensor's mosaic
SHARDS = 32
SHARD = 50  # squares
SQUARES = 5  # of a rated photo: its corners and its middle
WEIGHTS = {"rank": 4.0, "chosen": 1.0, "faint": 4.0, "emd": 3.0, "human": 4.0}
TEMPERATURE = 0.1  # of the choice among denoised versions, in points
LEAD = 0.2  # points that a square should be ahead of itself with faint noise
SEARCHES = ((12, 13, 14, 15, 16, 17), (9, 18, 19, 20), (7, 21), (0, 22))
"""Columns of `versions` that one search for a denoiser's setting would compare."""
FAINT = ((0, 7), (7, 8), (0, 9), (0, 10))
"""Columns of `versions`, the better first, that differ by little noise only."""
SQUARES_A_STEP, RATED = 48, 192


def distance(image: Tensor, reference: Tensor) -> Tensor:
    """Root mean square difference in percent, per photo: 10 is 20 dB."""
    return 100 * (image - reference).square().mean((-3, -2, -1)).sqrt()


def native_crop(photo: Tensor, generator: Generator) -> Tensor:
    """One random square of pixels as they are, mirrored half the time."""
    top, left = (
        int(torch.randint(side - SIZE + 1, (), generator=generator)) for side in photo.shape[-2:]
    )
    crop = photo[..., top : top + SIZE, left : left + SIZE]
    return crop.flip(-1) if torch.rand((), generator=generator) < 0.5 else crop


def good_crop(photo: Tensor, generator: Generator) -> Tensor:
    """A native crop of a photo, or more often of the photo enlarged."""
    if torch.rand((), generator=generator) >= SOFT:
        return native_crop(photo, generator)
    scale = 1 + (ENLARGED - 1) * float(torch.rand((), generator=generator))
    side = round(SIZE / scale)
    top, left = (
        int(torch.randint(length - side + 1, (), generator=generator))
        for length in photo.shape[-2:]
    )
    cut = photo[..., top : top + side, left : left + side]
    return functional.interpolate(cut, (SIZE, SIZE), mode="bicubic", antialias=True).clamp(0, 1)


def grain(crops: Tensor, std: Tensor, seed: int) -> Tensor:
    """Crops with noise of `std` ``(P,)``, as a camera leaves it; half the time a sensor's."""
    generator = torch.Generator().manual_seed(seed)
    rows = []
    for crop, level in zip(crops.split(1), std, strict=True):
        draw_noise = sensor_noise if torch.rand((), generator=generator) < SENSOR else camera_noise
        rows.append(crop + level * draw_noise(crop, generator))
    return torch.cat(rows).clamp(0, 1)


@torch.no_grad()
def versions(crops: Tensor, turbo: Turbo, generator: Generator) -> tuple[Tensor, Tensor]:
    """``(P, V, ...)`` versions of ``(P, 3, H, W)`` good crops and their distances.

    By column: 0 the crop; 1 to 3 damaged by half, in full, by a quarter; 4 wrong in tone, 5 flat,
    6 overdone; 7 and 8 with noise that hardly shows, and more of it; 9 faintly noisy; 10 the same
    and 11 the crop as a camera's JPEG; 12 plainly noisy; 13 to 17 that denoised at random
    settings, 18 to 20 column 9, 21 column 7 and 22 the crop itself.
    """
    count = len(crops)

    def uniform() -> Tensor:
        return torch.rand(count, generator=generator)

    detail = sample_damage(count, generator, kinds=DETAIL, keep=0.35)
    tone = sample_damage(count, generator, kinds=TONE, keep=0.3)
    flat = Damage({"contrast": -0.3 - 0.7 * uniform()})
    seed = detail.noise_seed
    least, little, much = (
        0.003 + 0.006 * uniform(),
        0.005 + 0.02 * uniform(),
        0.02 + 0.13 * uniform() ** 1.5,
    )
    images = [crops, *(detail.scaled(share)(crops) for share in (0.5, 1.0, 0.25))]
    images += [tone(crops), flat(crops), overdone_damage(count, generator)(crops)]
    hardly = grain(crops, least, seed + 1)
    faint, noisy = grain(crops, little, seed + 3), grain(crops, much, seed + 4)
    images += [hardly, grain(crops, least * (1 + uniform()), seed + 2), faint]
    images += [Damage({"jpeg": 0.03 + 0.17 * uniform()})(image) for image in (faint, crops)]
    images.append(noisy)
    for base, std, times in ((noisy, much, 5), (faint, little, 3), (hardly, least, 1)):
        for _ in range(times):
            images.append(denoised(base, std, turbo, generator))
    images.append(denoised(crops, 0.02 + 0 * least, turbo, generator))
    stacked = torch.stack(images, dim=1).clamp(0, 1)
    return stacked, distance(stacked, crops[:, None])


def denoised(crops: Tensor, std: Tensor, turbo: Turbo, generator: Generator) -> Tensor:
    """Crops whose noise is known, denoised at settings drawn at random."""
    sigma, ratio = torch.rand(2, len(crops), generator=generator)
    return turbo(
        crops, sigma_s=torch.exp(2.3 * sigma), k_r=2 + 10 * ratio, sigma_n=std.clamp(min=0.01)
    )


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
    for std in (1, 1.5, 5, 15):
        copies[f"noise_{std}"] = grain(clean, std * level, round(std))
    damage = {"blur_1": ("blur", 1.0), "contrast_half": ("contrast", -0.693)}
    damage |= {"median": ("overdenoise", 1.0), "jpeg_30": ("jpeg", 0.7)}
    for name, (kind, amount) in damage.items():
        copies[name] = Damage({kind: torch.full((len(clean),), amount)})(clean)
    return {name: describe(network, images) for name, images in copies.items()}


@torch.no_grad()
def figures(
    copies: Mapping[str, Tensor],
    rated: Mapping[str, Tensor],
    held: Mapping[str, Tensor],
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
        if name not in ("clean", "soft"):
            base = of["soft"] if name.startswith("soft") else of["clean"]
            row[name] = float((lower <= base).float().mean())
    scores = score(network, held["said"])
    for name, columns in zip(("noisy", "faint"), SEARCHES[:2], strict=False):
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
    parser.add_argument("--steps", type=int, default=250)
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
            "faint": torch.stack(
                [(LEAD - (scores[:, a] - scores[:, b])).clamp(min=0).mean() for a, b in FAINT]
            ).sum(),
            "emd": emd_loss(said.flatten(0, 1), opinions[chosen].repeat(2, 1)),
            "human": correlation_loss(native, target)
            + correlation_loss(both, target)
            + pairwise_logistic(both, target),
        }
        return {name: WEIGHTS[name] * value for name, value in losses.items()}

    trained = train(
        network,
        step_loss,
        Schedule(options.steps, options.rate),
        options.out,
        decay=0.98,
        weight_decay=1.0,
        validate=partial(figures, copies, judged, held),
        validate_every=100,
    )
    torch.save(trained.state_dict(), options.out / "network.pt")


if __name__ == "__main__":
    main()
