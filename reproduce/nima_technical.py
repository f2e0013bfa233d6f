"""Train the embedded scorer `nima-technical`: what people say of technical quality, and steer.

    python -m reproduce.nima_technical --out runs/nima-technical

As for `nima-aesthetic`, several levels of the published aesthetic network are read (it sees quality
better than the one trained on TID2013). One loss again:

- human means of BIQ2021 as opinions on ten buckets (maximum entropy, stated std model), by EMD,
  correlation and pairwise order, on native crops and on whole-image views;
- native crops of good photos ranked above copies that are noisy, blurred, compressed, flat, or
  denoised too little or too much, by their distance from the crop; half of the crops are enlarged
  first, for a large photo is soft at its own resolution, and there noise must not pass for detail;
- the same crop moved by a pixel must score the same.

Photos come from `biq2021` under ``ENHANCE_DATA``, split by a hash of their names; PolyU, Kodak
and FiveK are never read here.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path

import torch
from scipy.stats import spearmanr
from torch import Generator, Tensor, nn
from torch.nn import functional

from enhance.operators.turbo import Turbo
from reproduce.network import (
    BUCKETS,
    SIZE,
    SLOWER,
    begin,
    opinion,
    score,
    standardise,
    train_only_above,
)
from scorers.losses import emd_loss
from scorers.opinion import maximum_entropy, typical_std
from scorers.training.damage import DETAIL, TONE, Damage, overdone_damage, sample_damage
from scorers.training.loop import Schedule, train
from scorers.training.photos import RatedPhotos, draw, load_rated
from scorers.training.ranking import correlation_loss, pairwise_logistic, rank_by_distance
from scorers.training.resampling import random_crop_flip, random_view, resample

GOOD = 0.62
ENLARGED = 3.0  # at most
SOFT = 0.6  # share of the squares that are enlarged
RATED = 20  # rated photos a step, each shown as a square and whole
WEIGHTS = {"rank": 4.0, "emd": 3.0, "human": 2.0, "consistency": 0.5}


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
    """Crops with noise of `std` ``(P,)``, as a camera leaves it."""
    return Damage({"noise": std}, seed)(crops)


@torch.no_grad()
def versions(crops: Tensor, turbo: Turbo, generator: Generator) -> tuple[Tensor, Tensor]:
    """``(P, V, ...)`` versions of ``(P, 3, H, W)`` good crops and their distances.

    The crop, a mildly and a fully damaged copy, a copy wrong in tone, one overdone, a flat copy, a
    faintly noisy copy, the same as a camera's JPEG, a plainly noisy copy, denoised at two random
    settings, and the crop itself denoised.
    """
    count = len(crops)

    def uniform() -> Tensor:
        return torch.rand(count, generator=generator)

    detail = sample_damage(count, generator, kinds=DETAIL, keep=0.35)
    tone = sample_damage(count, generator, kinds=TONE, keep=0.3)
    flat = Damage({"contrast": -0.3 - 0.7 * uniform()})
    std = 0.01 + 0.14 * uniform() ** 1.5
    faint = grain(crops, 0.004 + 0.02 * uniform(), detail.noise_seed + 1)
    noisy = grain(crops, std, detail.noise_seed + 2)
    images = [crops, detail.scaled(0.5)(crops), detail(crops), tone(crops), flat(crops)]
    images += [overdone_damage(count, generator)(crops), faint, noisy]
    fine = grain(crops, 0.006 + 0.02 * uniform(), detail.noise_seed + 3)
    images.append(Damage({"jpeg": 0.03 + 0.12 * uniform()})(fine))
    for base in (noisy, noisy, crops):
        sigma, ratio = torch.exp(2.3 * uniform()), 2 + 10 * uniform()
        # at most half a batch is denoised without need
        images.append(turbo(base, sigma_s=sigma, k_r=ratio, sigma_n=std.clamp(min=0.02)))
    stacked = torch.stack(images, dim=1)
    return stacked, distance(stacked, crops[:, None])


def grid_crops(photos: Tensor, per_side: int = 3) -> Tensor:
    """``(N * n, 3, 224, 224)`` evenly spaced native crops of square photos, photo by photo."""
    starts = torch.linspace(0, photos.shape[-1] - SIZE, per_side).round().int().tolist()
    crops = [photos[..., y : y + SIZE, x : x + SIZE] for y in starts for x in starts]
    return torch.stack(crops, dim=1).flatten(0, 1)


def validation(rated: RatedPhotos) -> Callable[[nn.Module], dict[str, float]]:
    """Figures on the validation split: human agreement by view, and pairs under damage."""
    generator = torch.Generator().manual_seed(7)
    good = rated.at_least(GOOD)
    clean = grid_crops(good.batch(draw(len(good), 32, generator)), 2)
    plain = sample_damage(len(clean), generator, kinds={}, keep=1.0)

    def damaged(name: str, amount: float) -> Tensor:
        plain.amounts = {name: torch.full((len(clean),), amount)}
        return plain(clean)

    soft = functional.interpolate(clean[..., 56:168, 56:168], (SIZE, SIZE), mode="bicubic")
    soft = soft.clamp(0, 1)
    few = torch.full((len(soft),), 1 / 255)
    faint = {f"soft_noise_{n}": grain(soft, n * few, round(n)) for n in (1.5, 3, 6)}
    copies = {
        "noise_1.5": grain(clean, 1.5 * few, 1),
        "noise_5": damaged("noise", 5 / 255),
        "noise_15": damaged("noise", 15 / 255),
        "blur_1": damaged("blur", 1.0),
        "contrast_half": damaged("contrast", -0.693),
        "median": damaged("overdenoise", 1.0),
        "jpeg_30": damaged("jpeg", 0.7),
    }

    @torch.no_grad()
    def figures(network: nn.Module) -> dict[str, float]:
        whole, native = [], []
        for indices in torch.arange(len(rated)).split(32):
            batch = rated.batch(indices)
            whole.append(score(network, resample(batch, SIZE, "area")))
            native.append(score(network, grid_crops(batch)).reshape(-1, 9).mean(1))
        means = {"whole": torch.cat(whole), "native": torch.cat(native)}
        means["both"] = means["whole"] + means["native"]
        row = {
            f"srcc_{name}": round(float(spearmanr(m.numpy(), rated.means.numpy()).statistic), 4)
            for name, m in means.items()
        }
        base = score(network, clean).reshape(-1, 4).mean(1)
        above = score(network, soft).reshape(-1, 4).mean(1)
        for name, copy in (copies | faint).items():
            lower = score(network, copy).reshape(-1, 4).mean(1) <= (
                above if name in faint else base
            )
            row[name] = round(float(lower.float().mean()), 3)
        return row

    return figures


def main() -> None:
    """Train, and leave the network's weights in ``OUT/network.pt``."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("runs/nima-technical"))
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--from", dest="start", type=Path, help="folder of a run to go on from")
    parser.add_argument("--rate", type=float, default=5e-4)
    options = parser.parse_args()
    shared = Path(os.environ["ENHANCE_DATA"])
    torch.manual_seed(0)

    network = begin(options.start, shared / "weights/idealo_mobilenet_aesthetic.int8.tflite")
    train_only_above(network)
    human = load_rated(shared / "data/biq2021/scores.csv", 512)
    rated = human.part("train")
    good = rated.at_least(GOOD)
    means = 1 + 9 * rated.means
    opinions = maximum_entropy(means, typical_std(means)).float()
    turbo = Turbo()
    generator = torch.Generator().manual_seed(1)
    photos = rated.batch(torch.arange(400)).split(1)
    standardise(network, torch.cat([native_crop(photo, generator) for photo in photos]))

    def step_loss(step: int) -> dict[str, Tensor]:
        generator = torch.Generator().manual_seed((200_000 if options.start else 1000) + step)
        crops = torch.cat(
            [good_crop(good.batch(i[None]), generator) for i in draw(len(good), 4, generator)]
        )
        images, distances = versions(crops, turbo, generator)
        chosen = draw(len(rated), RATED, generator)
        people = rated.batch(chosen).split(1)
        native = torch.cat([native_crop(p, generator) for p in people])
        whole = torch.cat(
            [random_view(random_crop_flip(p, generator, 0.85), SIZE, generator) for p in people]
        )
        moved = native[:4].roll((1, 1), (-1, -2))
        said = opinion(network, torch.cat([images.flatten(0, 1), native, whole, moved]))
        ranked, near, far, again = said.split([distances.numel(), RATED, RATED, 4])
        both = 0.5 * (near + far)
        target = rated.means[chosen]
        mean = both @ BUCKETS
        losses = {
            "rank": rank_by_distance(
                (ranked @ BUCKETS).reshape(distances.shape),
                distances,
                margin_per_unit=0.25,
                largest_margin=1.0,
                dead_zone=0.3,
            ),
            "emd": (emd_loss(near, opinions[chosen]) + emd_loss(far, opinions[chosen])) / 2,
            "human": correlation_loss(mean, target) + pairwise_logistic(mean, target),
            "consistency": (again @ BUCKETS - near[:4] @ BUCKETS).abs().mean(),
        }
        return {name: WEIGHTS[name] * value for name, value in losses.items()}

    trained = train(
        network,
        step_loss,
        Schedule(options.steps, options.rate),
        options.out,
        validate=validation(human.part("validation")),
        weight_decay=0.05,
        slower=SLOWER,
        validate_every=300,
    )
    torch.save(trained.state_dict(), options.out / "network.pt")


if __name__ == "__main__":
    main()
