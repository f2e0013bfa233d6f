"""Train the embedded scorer `nima-aesthetic`: agree with people, and steer.

    python -m reproduce.nima_aesthetic --out runs/nima-aesthetic

Several levels of the published aesthetic network (NIMA on MobileNet, trained on AVA) are read by a
new neck, which is trained under one loss:

- versions of a good photo are ranked by their distance from it (`scorers.training.steering`),
  and the distance of the version that a search would end at is kept small;
- human means of BIQ2021: correlation and pairwise order within a batch;
- the published head's opinion of undamaged photos, by EMD, so that the scale stays its own;
- a rated photo leads copies of it that were blurred, made noisy or compressed before they were
  shrunk, for what little is left of that at 224 pixels is easily taken for taste;
- the same photo shrunk in two ways must score the same, sharpened photos too; what is left of the
  finest detail, in which filters differ most, is blurred away before it is seen.

A second stage, short, adds photos that are sharp to the pixel, shrunk in every way, while what the
first has learned of the versions of a photo is kept. The shipped file is an earlier first stage,
which did not shrink with Lanczos, rounded to 8 bits, and this second one.

Photos come from `biq2021` and `unsplash_biq256` under ``ENHANCE_DATA``; every photo belongs to
train, validation or test by a hash of its name. FiveK, PolyU and Kodak are never read here. What
the trunk says of 2,200 photos in 36 versions is kept in ``OUT/described`` (2 GB, one hour on two
cores); a run that was stopped goes on from there.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import torch
from scipy.stats import spearmanr
from torch import Tensor, nn

from enhance.operators.resolve import resolve_operator
from reproduce.network import BUCKETS, begin, kept, kept_shards, opinion, score, standardise
from reproduce.renderings import (
    FLAW_PROBES,
    LAPLACIAN,
    PROBES,
    SHRUNK,
    flaw_probes_of,
    flaws_of,
    ratings_of,
    recovery_of,
    render,
    shrunk_of,
    versions_of,
)
from scorers.losses import emd_loss
from scorers.nima import NIMA
from scorers.photos.colour_difference import cie76
from scorers.training.loop import OneCycle, train
from scorers.training.ranking import (
    correlation_loss,
    expected_distance,
    pairwise_logistic,
    rank_by_distance,
)
from scorers.training.rated import draw, load_rated
from scorers.training.steering import DistortAndRecover

OPERATOR = "tone"
CHAIN = (("contrast",), ("saturation",))  # operators of the chain that may be absent
ABSENT = 0.65
GOOD = 0.62  # mean opinion above which a rated photo serves as a place where tone should stop
SHARDS = 44
WEIGHTS = {"rank": 6.0, "chosen": 0.3, "human": 2.0, "teacher": 0.2}
WEIGHTS |= {"flaws": 3.0, "consistency": 8.0}
MARGIN = 0.05  # points that a unit of distance, in CIE76, must be worth
LARGEST_MARGIN = 0.8
TEMPERATURE = 0.1  # of the choice among versions, in points
FLAWLESS = 0.55  # mean opinion from which a rated photo is good enough to be spoiled
FLAW_LEAD = 0.4  # points that the largest flaw must cost
SPOILED = 96  # photos a step
PLAIN = SHRUNK.index("area")  # of the views of a rated photo, the one it is judged by
PHOTOS, RATED = 48, 256  # a step
SETTLING = OneCycle(150, 1e-4)
SETTLING_WEIGHTS = WEIGHTS | {"rank": 10.0, "flaws": 6.0, "sharp": 24.0, "kept": 8.0}
SETTLING_PHOTOS = 450  # whose versions the second stage draws from


@torch.no_grad()
def figures(said: Mapping[str, Mapping[str, Tensor]], network: nn.Module) -> dict[str, float]:
    """Figures on the validation split: unguarded recovery, human agreement, spread, flaws."""
    searched, rated = said["recovery"], said["rated-validation"]
    distances = searched["distances"]
    scores = score(network, searched["said"], 4)
    after = distances.gather(2, scores.argmax(2, keepdim=True))[..., 0]
    (before, kept_still), (recovered, moved) = distances[..., 0].unbind(1), after.unbind(1)
    order = [
        spearmanr(s.numpy(), -d.numpy()).statistic
        for s, d in zip(scores[:, 0], distances[:, 0], strict=True)
    ]
    views = score(network, rated["said"])
    plain, sharp = views[:, : len(SHRUNK)], views[:, len(SHRUNK) :]
    small = score(network, said["shrunk-validation"]["said"])
    good, *below = score(network, searched["probes"])
    found = {
        "damaged": before.mean(),
        "recovered": recovered.mean(),
        "hindsight": distances[:, 0].amin(1).mean(),
        "closer": (recovered < before).float().mean(),
        "order": torch.tensor(order).mean(),
        "undamaged_moved": (moved - kept_still).mean(),
        "srcc": torch.tensor(spearmanr(views[:, PLAIN].numpy(), rated["means"].numpy()).statistic),
        "score_std": views[:, PLAIN].std(),
        "resize_spread": (plain.amax(1) - plain.amin(1)).mean(),
        "resize_spread_sharpened": (sharp.amax(1) - sharp.amin(1)).mean(),
        "resize_spread_sharp": (small.amax(1) - small.amin(1)).mean(),
    }
    for (name, by), copy in zip(PROBES, below, strict=True):
        found[f"{name}_{by:+g}"] = (copy < good).float().mean()
    good, *below = score(network, said["flaws-validation"]["said"]).unbind(1)
    for (name, _), copy in zip(FLAW_PROBES, below, strict=True):
        found[name] = (copy < good).float().mean()
    return {name: round(float(value), 3) for name, value in found.items()}


def step_losses(
    network: nn.Module,
    good: Mapping[str, Tensor],
    rated: Mapping[str, Tensor],
    flaws: Mapping[str, Tensor],
    searches: Sequence[Sequence[int]],
    step: int,
) -> dict[str, Tensor]:
    """Losses of both stages, on photos drawn for `step`."""
    generator = torch.Generator().manual_seed(1000 + step)
    photos = draw(len(good["said"]), PHOTOS, generator)
    distances = good["distances"][photos]
    scores = opinion(network, good["said"][photos]) @ BUCKETS
    people = draw(len(rated["said"]), RATED, generator)
    ways = len(SHRUNK)
    first, second = torch.randint(ways, (2, RATED), generator=generator)
    sharp = torch.rand(RATED, generator=generator) < 0.4
    others = torch.randint(ways, 2 * ways - 1, (2, RATED), generator=generator)
    first, second = torch.where(sharp, others[0], first), torch.where(sharp, others[1], second)
    said = opinion(network, rated["said"][people, torch.stack([first, second])])
    means = said @ BUCKETS
    both, target = means.mean(0), rated["means"][people]
    spoiled = draw(len(flaws["said"]), SPOILED, generator)
    whole, *copies = (opinion(network, flaws["said"][spoiled]) @ BUCKETS).unbind(1)
    lead = whole[:, None] - torch.stack(copies, dim=1)
    return {
        "rank": rank_by_distance(
            scores, distances, margin_per_unit=MARGIN, largest_margin=LARGEST_MARGIN
        ),
        "chosen": torch.stack(
            [
                expected_distance(
                    scores[:, columns], distances[:, columns], temperature=TEMPERATURE
                )
                for columns in searches
            ]
        ).sum(),
        "human": correlation_loss(both, target) + pairwise_logistic(both, target),
        "teacher": emd_loss(said.flatten(0, 1), rated["opinions"][people].repeat(2, 1)),
        "flaws": (FLAW_LEAD * flaws["shares"][spoiled] - lead).clamp(min=0).mean(),
        "consistency": (means[0] - means[1]).abs().mean(),
    }


def sharp_loss(network: nn.Module, shrunk: Mapping[str, Tensor], step: int) -> Tensor:
    """How much two ways of shrinking the same sharp photo change its score."""
    generator = torch.Generator().manual_seed(5000 + step)
    photos = draw(len(shrunk["said"]), RATED, generator)
    two = torch.randint(len(SHRUNK), (2, RATED), generator=generator)
    scores = opinion(network, shrunk["said"][photos, two]) @ BUCKETS
    return (scores[0] - scores[1]).abs().mean()


def kept_loss(network: nn.Module, said: Tensor, scores: Tensor, count: int, step: int) -> Tensor:
    """How far scores of versions ``(N, V, P)``, about their photo's mean, are from `scores`."""
    photos = draw(len(said), count, torch.Generator().manual_seed(9000 + step))
    change = opinion(network, said[photos]) @ BUCKETS - scores[photos]
    return (change - change.mean(1, keepdim=True)).abs().mean()


def weighted(losses: Mapping[str, Tensor], weights: Mapping[str, float]) -> dict[str, Tensor]:
    """Each loss times its weight."""
    return {name: weights[name] * value for name, value in losses.items()}


def recovery() -> DistortAndRecover:
    """Versions of a photo along everything that the tone operator can do."""
    operator = resolve_operator(OPERATOR)
    spec = operator.parameters_spec
    names = (*(name for group in CHAIN for name in group), *LAPLACIAN)
    return DistortAndRecover(
        partial(render, operator),
        {name: (spec[name].low, spec[name].high) for name in names},
        absent=ABSENT,
        groups=CHAIN,
        difference=cie76,  # what `MARGIN` counts
    )


def descriptions(
    folder: Path, network: NIMA, recover: DistortAndRecover
) -> dict[str, dict[str, Tensor]]:
    """What the trunk says of every photo that is learned from or validated on."""
    shared = Path(os.environ["ENHANCE_DATA"])
    human = load_rated(shared / "data/biq2021/scores.csv", 512)
    published = load_rated(shared / "data/unsplash_biq256/scores.csv", 256)
    seen, held = human.part("train"), human.part("validation")
    seen_sharp, held_sharp = published.part("train"), published.part("validation")
    pools = [seen_sharp, seen.at_least(GOOD)]
    makers: dict[str, Callable[[], dict[str, Tensor]]] = {
        "recovery": lambda: recovery_of(network, held_sharp, recover),
        "rated-validation": lambda: ratings_of(network, held),
        "shrunk-validation": lambda: shrunk_of(network, held_sharp),
        "flaws-validation": lambda: flaw_probes_of(network, held.at_least(FLAWLESS)),
        "shrunk": lambda: shrunk_of(network, seen_sharp),
        "rated": lambda: ratings_of(network, seen),
        "flaws": lambda: flaws_of(network, seen.at_least(FLAWLESS)),
    }
    said = {name: kept(folder / f"{name}.pt", make) for name, make in makers.items()}
    said["versions"] = kept_shards(
        folder, "versions", SHARDS, lambda i: versions_of(network, pools, recover, i)
    )
    return said


def main() -> None:
    """Train, and leave the network's weights in ``OUT/network.pt``."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("runs/nima-aesthetic"))
    parser.add_argument("--steps", type=int, default=250)
    parser.add_argument("--rate", type=float, default=5e-4)
    options = parser.parse_args()
    torch.manual_seed(0)
    shared = Path(os.environ["ENHANCE_DATA"])
    network = begin(shared / "weights/idealo_mobilenet_aesthetic.int8.tflite")
    recover = recovery()
    searches = recover(torch.rand(1, 3, 64, 64), torch.Generator()).searches
    said = descriptions(options.out / "described", network, recover)
    good, rated, flaws, shrunk = (said[name] for name in ("versions", "rated", "flaws", "shrunk"))
    standardise(network, rated["said"][:, PLAIN])
    with torch.no_grad():  # an untrained neck is not heard: this is the published opinion
        rated["opinions"] = torch.cat(
            [opinion(network, part[:, PLAIN]) for part in rated["said"].split(64)]
        )
    stage = partial(train, decay=0.98, weight_decay=1.0, validate=partial(figures, said))
    trained = stage(
        network,
        lambda step: weighted(step_losses(network, good, rated, flaws, searches, step), WEIGHTS),
        OneCycle(options.steps, options.rate),
        options.out,
        validate_every=100,
    )

    few = {name: values[:SETTLING_PHOTOS] for name, values in good.items()}
    trained.eval()
    with torch.no_grad():
        ranked, spoiled = score(trained, few["said"]), score(trained, flaws["said"])

    def settle(step: int) -> dict[str, Tensor]:
        losses = step_losses(trained, few, rated, flaws, searches, step)
        losses["sharp"] = sharp_loss(trained, shrunk, step)
        losses["kept"] = kept_loss(trained, few["said"], ranked, PHOTOS, step) + kept_loss(
            trained, flaws["said"], spoiled, SPOILED, step
        )
        return weighted(losses, SETTLING_WEIGHTS)

    settled = stage(trained, settle, SETTLING, options.out / "settled", validate_every=50)
    torch.save(settled.state_dict(), options.out / "network.pt")


if __name__ == "__main__":
    main()
