"""Train the predictor behind strategy `instant`: undo damage in one pass, through the operator.

    python -m reproduce.instant --out runs/instant
    python -m reproduce.instant --out runs/instant --operator laplacian \\
        --neck 96 --steps 1000

Good photos (`unsplash_biq256`, the better ones of `biq2021`) are damaged at random, or rendered
badly by the operator itself, or left as they are; the network reads the damaged photo and
answers settings; the loss is the colour difference (CIEDE2000) between the operator's rendering
with them and the good photo, so gradients flow through the operator. A second output learns how
much the rendering helped, or harmed a photo that lacked nothing, which is how the network says
that it is unsure.

What the trunk says of a damaged photo is computed once and kept in ``OUT/described`` with small
copies of both photos, on which the operator is rendered (2 GB, a quarter of an hour on one
core); both operators learn from the same, ten minutes each, on copies of half that size until the
last steps. What is left in ``OUT`` is embedded by copying it to ``enhance/tuning/weights``.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from enhance.operators.base import Operator
from enhance.operators.resolve import resolve_operator
from enhance.tuning.predictor import (
    SIZE,
    Prediction,
    Predictor,
    save_predictor,
    tone_statistics,
)
from enhance.tuning.space import Space
from reproduce.network import begin, describe, kept, kept_shards
from reproduce.undeveloped import Pairs, as_left, eight_bit, flatten, undeveloped, without_veil
from scorers.nima import NIMA
from scorers.photos.damage import TONE, sample_damage
from scorers.training.loop import OneCycle, train
from scorers.training.rated import RatedPhotos, draw, load_rated
from scorers.training.steering import colour_distance

OPERATOR = "tone"
FIXED = ("vibrance",)  # parameters that keep their default
GOOD = 0.66
SHARDS, FINISHED_SHARDS = 40, 8
CALLS = 20  # a shard, of 20 photos each
SMALL = 112  # side of the copies that are rendered
FINE_STEPS = 100  # the last ones; before them copies of half the side are rendered
UNIT = 6.5  # of CIEDE2000, that count as one in the loss
HARM = 0.25  # what making a photo worse costs beyond the distance itself
RESTRAINT = 0.3  # what a parameter that changes little must not do: wander
BENEFIT = 0.02  # weight of knowing how much it helps
PHOTOS, FINISHED = 64, 24  # a step


def render(operator: Operator[Any], space: Space, image: Tensor, points: Tensor) -> Tensor:
    """Render one point of the unit cube per photo."""
    settings = {name: value.to(image) for name, value in space.settings(points).items()}
    return operator.render(operator.analyse(image, settings), settings)


def small_bytes(photos: Tensor) -> Tensor:
    """Copies of ``(B, 3, 224, 224)`` photos at `SMALL` pixels, as bytes."""
    return functional.interpolate(photos, (SMALL, SMALL), mode="area").mul(255).round().byte()


def seen_of(network: NIMA, found: Tensor, good: Tensor) -> dict[str, Tensor]:
    """All that training needs of photos as found and as they should be."""
    return {
        "said": describe(network, found),
        "measured": tone_statistics(found),
        "found": small_bytes(found),
        "good": small_bytes(good),
    }


def shard_of(
    network: NIMA, pairs: Callable[[Generator], tuple[Tensor, Tensor]], seed: int
) -> dict[str, Tensor]:
    """What is seen of one shard of pairs."""
    generator = torch.Generator().manual_seed(seed)
    rows = [seen_of(network, *pairs(generator)) for _ in range(CALLS)]
    return {key: torch.cat([row[key] for row in rows]) for key in rows[0]}


HELD = ("damaged", "undeveloped", "undamaged")


def held_of(
    network: NIMA, operator: Operator[Any], space: Space, photos: RatedPhotos
) -> dict[str, Tensor]:
    """96 photos of the validation split in three states, one after the other."""
    generator = torch.Generator().manual_seed(11)
    photos = without_veil(photos)
    good = photos.batch(draw(len(photos), 96, generator))
    good = functional.interpolate(good, (SIZE, SIZE), mode="area")
    left = as_left(good, generator)
    damaged = sample_damage(len(good), generator, kinds=TONE, keep=0.4)(left)
    flat = flatten(operator, space, undeveloped(len(good), generator)(left), generator)
    states = [eight_bit(image, generator) for image in (damaged, flat, good)]
    rows = [seen_of(network, state, good) for state in states]
    return {key: torch.stack([row[key] for row in rows]) for key in rows[0]}


def validation(
    operator: Operator[Any], space: Space, held: dict[str, Tensor]
) -> Callable[[nn.Module], dict[str, float]]:
    """Distance before and after on the validation split, damaged and undamaged."""

    @torch.no_grad()
    def figures(network: nn.Module) -> dict[str, float]:
        assert isinstance(network, Predictor)
        row: dict[str, float] = {}
        for i, name in enumerate(HELD):
            answer = network.answers(held["said"][i].float(), held["measured"][i])
            image, good = (held[key][i].float() / 255 for key in ("found", "good"))
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
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--neck", type=int, default=128)
    options = parser.parse_args()
    shared = Path(os.environ["ENHANCE_DATA"])
    torch.manual_seed(0)

    trunk = begin(shared / "weights/idealo_mobilenet_aesthetic.int8.tflite")
    flattener = resolve_operator(OPERATOR)
    flattening = Space.of(flattener, dict.fromkeys(FIXED, 0.0))
    small = load_rated(shared / "data/unsplash_biq256/scores.csv", 256)
    large = load_rated(shared / "data/biq2021/scores.csv", 256)
    pools = [
        without_veil(part) for part in (small.part("train"), large.part("train").at_least(GOOD))
    ]
    pairs = Pairs(pools, (14, 6), flattener, flattening)
    described = options.out / "described"
    held = kept(
        described / "validation.pt",
        lambda: held_of(trunk, flattener, flattening, small.part("validation")),
    )
    seen = kept_shards(described, "pairs", SHARDS, lambda i: shard_of(trunk, pairs, 5000 + i))
    finished = kept_shards(
        described, "finished", FINISHED_SHARDS, lambda i: shard_of(trunk, pairs.finished, 6000 + i)
    )

    operator = resolve_operator(options.operator)
    fixed = {n: p.default for n, p in operator.parameters_spec.items() if n in FIXED}
    space = Space.of(operator, fixed)
    network = Predictor(space.names, space.defaults().tolist(), options.neck)
    network.standardise(seen["said"][::4].float(), seen["measured"][::4])

    def answered(
        rows: dict[str, Tensor], count: int, generator: Generator, *, fine: bool, learn: bool
    ) -> tuple[Prediction, Tensor, Tensor]:
        """What is answered to `count` of the rows, and the distances before and after."""
        chosen = draw(len(rows["said"]), count, generator)
        answer: Prediction = network.answers(rows["said"][chosen].float(), rows["measured"][chosen])
        image, good = (rows[key][chosen].float() / 255 for key in ("found", "good"))
        if not fine:
            image, good = (functional.avg_pool2d(photos, 2) for photos in (image, good))
        points = answer.points if learn else answer.points.detach()
        rendered = render(operator, space, image, points.double())
        return answer, colour_distance(image, good), colour_distance(rendered, good)

    def step_loss(step: int) -> dict[str, Tensor]:
        generator = torch.Generator().manual_seed(step)
        fine = step >= options.steps - FINE_STEPS
        answer, before, after = answered(seen, PHOTOS, generator, fine=fine, learn=True)
        # from finished photos only the harm is learned: a predictor whose settings learn to leave
        # photos as they are grows timid
        idle, *distances = answered(finished, FINISHED, generator, fine=fine, learn=False)
        away = answer.points - network.start.sigmoid()
        losses = {
            "distance": after.mean() / UNIT,
            "harm": HARM * (after - before).clamp(min=0).mean() / UNIT,
            "restraint": RESTRAINT * away.square().mean(),
            "benefit": functional.smooth_l1_loss(answer.benefit, (before - after).detach()),
            "idle": functional.smooth_l1_loss(idle.benefit, distances[0] - distances[1]),
        }
        return losses | {name: BENEFIT * losses[name] for name in ("benefit", "idle")}

    figures = validation(operator, space, held)
    name = operator.name
    trained = train(
        network,
        step_loss,
        OneCycle(options.steps, options.rate, warmup=30),
        options.out / name,
        decay=0.98,
        weight_decay=1.0,
        validate=figures,
        validate_every=200,
    )
    assert isinstance(trained, Predictor)
    print(figures(trained))
    save_predictor(trained, options.out / f"{name}.safetensors")


if __name__ == "__main__":
    main()
