"""Train the predictor behind strategy `instant`: undo damage in one pass, through the operator.

    python -m reproduce.instant --out runs/instant
    python -m reproduce.instant --out runs/instant --operator laplacian --steps 250 \\
        --from runs/instant/tone.safetensors

The second form teaches another operator to a network that has learned to see.

Good photos (`unsplash_biq256`, the better ones of `biq2021`) are damaged at random, or rendered
badly by the operator itself, or left as they are; the network reads the damaged photo and
answers settings; the loss is the colour difference between the operator's rendering with them
and the good photo, so gradients flow through the operator. A second output learns how much the
rendering helped, which is how the network says that it is unsure.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from enhance.operators.base import Operator
from enhance.operators.resolve import resolve_operator
from enhance.tuning.predictor import SIZE, Prediction, Predictor, load_predictor, save_predictor
from enhance.tuning.space import Space
from scorers.convert.tflite import load_tflite
from scorers.training.damage import CAMERA, TONE, Damage, sample_damage
from scorers.training.loop import Schedule, train
from scorers.training.photos import RatedPhotos, draw, load_rated
from scorers.training.resampling import random_crop_flip, random_view
from scorers.training.steering import colour_distance

OPERATOR = "tone"
FIXED = ("vibrance",)  # parameters that keep their default
STORED = 256
GOOD = 0.66
BLACK = 0.08  # luma that good photos go below: no veil
UNDAMAGED = 0.03
LEAST = 0.35  # of the damage: whether a photo lacks anything at all is for the scorer to say
MISUSED = 0.4  # share of photos that the operator itself has flattened
ANYHOW = 0.1  # share damaged in any direction; the rest lack what undeveloped photos lack
HARM = 0.25  # what making a photo worse costs beyond the distance itself
RESTRAINT = 0.3  # what a parameter that changes little must not do: wander
FLATTENED: Mapping[str, tuple[float, float]] = {
    "contrast": (-0.9, 0.1),
    "saturation": (-0.6, 0.1),
    "detail": (-0.4, 0.3),
    "shadow": (-0.5, 0.6),
    "brightness": (-0.7, 0.25),
}
"""Settings of the operator that leave black and white where they are, and a photo dark and flat."""
UNDEVELOPED: Mapping[str, float] = {"exposure": 0.4, "contrast": 0.5, "gamma": 0.5}
"""Chances of what moves black or white; everything else of `CAMERA` is there always."""


def render(operator: Operator[Any], space: Space, image: Tensor, points: Tensor) -> Tensor:
    """Render one point of the unit cube per photo."""
    settings = {name: value.to(image) for name, value in space.settings(points).items()}
    return operator.render(operator.analyse(image, settings), settings)


def reach(count: int, generator: Generator) -> Tensor:
    """How much of a damage is done: from `LEAST` to all of it."""
    return LEAST + (1 - LEAST) * torch.rand(count, generator=generator) ** 0.5


def undeveloped(count: int, generator: Generator) -> Damage:
    """Damage by `CAMERA`: how much, not whether, is to be learned."""
    damage = sample_damage(count, generator, kinds=CAMERA, keep=1.1)
    for name, chance in UNDEVELOPED.items():
        present = torch.rand(count, generator=generator) < chance
        damage.amounts[name] = damage.amounts[name] * present
    return damage.scaled_each(reach(count, generator))


def flatten(operator: Operator[Any], space: Space, photos: Tensor, generator: Generator) -> Tensor:
    """Photos that the operator has made flat, or a little too strong."""
    count = len(photos)
    strength = reach(count, generator)
    settings = {}
    for name in space.names:
        low, high = FLATTENED[name]
        settings[name] = strength * (low + (high - low) * torch.rand(count, generator=generator))
    return operator(photos, **settings)


def spoil(operator: Operator[Any], space: Space, photos: Tensor, generator: Generator) -> Tensor:
    """A share of the photos as they are, a share flattened by the operator, the rest damaged."""
    count = len(photos)
    spoiled = undeveloped(count, generator)(photos)
    anyhow = sample_damage(count, generator, kinds=TONE, keep=0.4)(photos)
    flat = flatten(operator, space, photos, generator)
    veil = 0.08 * torch.rand(count, 1, 1, 1, generator=generator)
    flat = veil + (1 - veil) * flat
    fate = torch.rand(count, generator=generator)[:, None, None, None]
    for share, version in (
        (UNDAMAGED + MISUSED + ANYHOW, anyhow),
        (UNDAMAGED + MISUSED, flat),
        (UNDAMAGED, photos),
    ):
        spoiled = torch.where(fate < share, version, spoiled)
    return spoiled.clamp(0, 1)


def eight_bit(image: Tensor, generator: Generator) -> Tensor:
    """As a camera's file holds it: what clipping took away is gone, and a little noise is there.

    The noise hides the combs and gaps that a curve leaves in the histogram of an 8-bit photo.
    """
    std = 0.01 * torch.rand(len(image), 1, 1, 1, generator=generator)
    noise = torch.randn(image.shape, generator=generator)
    return ((image + std * noise).clamp(0, 1) * 255).round() / 255


def finish(photos: Tensor, generator: Generator) -> Tensor:
    """Good photos end in many ways: not all of them reach white.

    Otherwise the network learns to ask whether a photo has been touched at all, which says nothing
    about photos of other cameras.
    """
    share = torch.rand(2, len(photos), 1, 1, 1, generator=generator)
    white = 1 - 0.15 * (2 * share[0] - 1).clamp(min=0)
    return white * photos ** torch.exp(0.2 * (share[1] - 0.5))


def without_veil(photos: RatedPhotos) -> RatedPhotos:
    """Those that reach dark tones. A faded look may be meant; it cannot be what every flat photo
    should stay at. Photos without light tones stay: a night must not be taken for a mistake.
    """
    luma = photos.pixels[..., ::4, ::4].float().mean(1).flatten(1) / 255
    return photos.only(luma.quantile(0.01, dim=1) < BLACK)


@torch.no_grad()
def settle(network: nn.Module, spoiled: Callable[[], Tensor], batches: int = 30) -> None:
    """Measure the statistics of batch normalisation anew, for the averaged weights.

    Those of the training run belong to other weights; with them the averaged network answered
    settings twice as far from the ideal.
    """
    layers = [layer for layer in network.modules() if isinstance(layer, nn.BatchNorm1d)]
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # the plain mean over the batches that follow
        layer.train()
    for _ in range(batches):
        network(spoiled())
    network.eval()


def validation(
    operator: Operator[Any], space: Space, photos: RatedPhotos
) -> Callable[[nn.Module], dict[str, float]]:
    """Distance before and after on the validation split, damaged and undamaged."""
    generator = torch.Generator().manual_seed(11)
    photos = without_veil(photos)
    good = photos.batch(draw(len(photos), 96, generator))
    good = functional.interpolate(good, (SIZE, SIZE), mode="area")
    good = finish(good, generator)
    damaged = sample_damage(len(good), generator, kinds=TONE, keep=0.4)(good)
    flat = flatten(operator, space, undeveloped(len(good), generator)(good), generator)
    damaged, flat, same = (eight_bit(image, generator) for image in (damaged, flat, good))

    @torch.no_grad()
    def figures(network: nn.Module) -> dict[str, float]:
        row = {}
        for name, image in (("damaged", damaged), ("undeveloped", flat), ("undamaged", same)):
            answer: Prediction = network(image)
            rendered = render(operator, space, image, answer.points.double())
            before, after = colour_distance(image, good), colour_distance(rendered, good)
            row |= {
                f"{name}_before": round(float(before.mean()), 3),
                f"{name}_after": round(float(after.mean()), 3),
                f"{name}_worst": round(float((after - before).max()), 3),
                f"{name}_closer": round(float((after < before).float().mean()), 3),
                f"{name}_benefit": round(float(answer.benefit.mean()), 3),
            }
        return row

    return figures


def main() -> None:
    """Train, and leave the predictor in ``OUT/OPERATOR.safetensors``."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--operator", nargs="+", default=[OPERATOR])
    parser.add_argument("--out", type=Path, default=Path("runs/instant"))
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--from", dest="start", type=Path, help="a predictor to go on from")
    options = parser.parse_args()
    shared = Path(os.environ["ENHANCE_DATA"])
    torch.manual_seed(0)

    operator = resolve_operator(options.operator)
    kept = {n: p.default for n, p in operator.parameters_spec.items() if n in FIXED}
    space = Space.of(operator, kept)
    network = Predictor(space.names, space.defaults().tolist())
    published = load_tflite(shared / "weights/idealo_mobilenet_aesthetic.int8.tflite")
    network.trunk.load_state_dict(published.backbone.features.state_dict(), strict=False)
    if options.start:
        seen = load_predictor(options.start).state_dict()
        own = network.state_dict()
        network.load_state_dict(own | {n: v for n, v in seen.items() if v.shape == own[n].shape})
    network.trunk.requires_grad_(False)  # trained, it learned to see traces of editing
    network.to(memory_format=torch.channels_last)

    small = load_rated(shared / "data/unsplash_biq256/scores.csv", 256)
    large = load_rated(shared / "data/biq2021/scores.csv", 256)
    pools = [
        without_veil(part) for part in (small.part("train"), large.part("train").at_least(GOOD))
    ]

    def pairs(generator: Generator) -> tuple[Tensor, Tensor]:
        """Photos as they are found, and as they should be."""
        photos = []
        for pool, count in zip(pools, (14, 6), strict=True):
            for photo in pool.batch(draw(len(pool), count, generator)).split(1):
                cut = random_crop_flip(photo, generator, 0.6)
                photos.append(random_view(cut, STORED, generator))
        good = finish(torch.cat(photos), generator)
        with torch.no_grad():
            image = eight_bit(spoil(operator, space, good, generator), generator)
        # files are larger than what is seen of them: shrinking comes after the damage
        image, good = random_view(torch.cat([image, good]), SIZE, generator).chunk(2)
        return image, good

    def step_loss(step: int) -> dict[str, Tensor]:
        image, good = pairs(torch.Generator().manual_seed(5000 + step))
        with torch.autocast("cpu", dtype=torch.bfloat16):
            answer: Prediction = network(image)
        # tone is the same on a photo half as large, at a quarter of the price
        image, good = (functional.avg_pool2d(photo, 2) for photo in (image, good))
        rendered = render(operator, space, image, answer.points.double())
        before, after = colour_distance(image, good), colour_distance(rendered, good)
        helped = (before - after).detach()
        away = answer.points - network.start.sigmoid()
        return {
            "distance": after.mean() / 10,
            "harm": HARM * (after - before).clamp(min=0).mean() / 10,
            "restraint": RESTRAINT * away.square().mean(),
            "benefit": 0.02 * functional.smooth_l1_loss(answer.benefit, helped),
        }

    held = validation(operator, space, small.part("validation"))
    name = operator.name
    trained = train(
        network,
        step_loss,
        Schedule(options.steps, 2e-3, warmup=30),
        options.out / name,
        validate=held,
        validate_every=300,
    )
    assert isinstance(trained, Predictor)
    generator = torch.Generator().manual_seed(4000)
    settle(trained, lambda: pairs(generator)[0])
    print(held(trained))
    save_predictor(trained, options.out / f"{name}.safetensors")


if __name__ == "__main__":
    main()
