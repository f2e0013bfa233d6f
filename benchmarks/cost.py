"""What leaving a predictor's answer should cost, the gain that is worth it, and the need.

    ENHANCE_DATA=folder python -m benchmarks.cost [--weights .4 .8 1.6] [--write]
    python -m benchmarks.cost --render  # the tables anew, from what was recorded

Good photos (validation split of `unsplash_biq256`) are damaged as undeveloped photos are, and
tuned, damaged and undamaged, by `enhance.tune` for each weight of the cost of leaving the
predictor's answer; guards `need` and `worth` are applied afterwards, for each set of limits, and
where they refuse, a slight step the same way is what is left. They are good when damaged photos
come closer and undamaged ones stay as they are. Distances are mean CIEDE2000 to the undamaged
photo. A weight takes half an hour on one core.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import product
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor

import enhance
from benchmarks import _pages
from benchmarks._measures import VISIBLE, ciede2000
from benchmarks._photos import photo_folder
from benchmarks._timing import machine
from enhance.tuning import tune
from enhance.tuning.cost import LEAVING_COST, leaving_cost
from enhance.tuning.guards import default_guards
from enhance.tuning.guards.need import Need
from enhance.tuning.guards.score import Worth, colour_change
from enhance.tuning.predictor import embedded
from enhance.tuning.steps import slight_share
from scorers.photos.damage import CAMERA, sample_damage
from scorers.training.rated import load_rated

WEIGHTS = (0.4, LEAVING_COST, 1.6)
LIMITS: Mapping[float, Sequence[float]] = {
    0.0: (0.0, 0.3, 0.4, 0.5),
    0.1: (0.8, 0.9, 1.0, 1.1, 1.2),
    Need().unit: (0.9, 1.0, 1.1, Need().least, 1.3, 1.4),
    0.2: (1.2, 1.3, 1.4, 1.5, 1.6, 1.7, 1.8),
    0.3: (1.4, 1.6, 1.8, 1.9, 2.0, 2.2),
    0.5: (2.0, 2.25, 2.5, 2.75, 3.0),
    1e3: (1e3, 2e3, 3e3, 3.5e3, 4e3, 4.5e3, 5e3),
}
"""By the points that a unit of need counts: what gain and need must make. In the last row need
decides alone."""
SLIGHT_LEASTS = (math.inf, 0.4, 0.2, 0.1, 0.0, Need().slight, -0.4)
"""The same for a slight step; none is made at infinity."""
HARM = [guard for guard in default_guards() if guard.name not in ("need", "worth")]
"""The guards that are not weighed here."""


def main() -> None:
    """Measure, print, and with ``--write`` record in docs/benchmarks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=195)
    parser.add_argument("--weights", type=float, nargs="+", default=WEIGHTS)
    parser.add_argument("--strategy", help="of the search; default: what `enhance.tune` takes")
    parser.add_argument("--threads", type=int, default=2)
    _pages.add_options(parser, "cost")
    arguments = _pages.parse(parser)
    if arguments.render:
        _pages.render(arguments.render, page)
        return
    torch.set_num_threads(arguments.threads)
    shared = photo_folder()
    good = load_rated(shared / "data/unsplash_biq256/scores.csv", 256).part("validation")
    weights: dict[str, list[dict[str, Any]]] = {}
    for weight in arguments.weights:
        generator = torch.Generator().manual_seed(0)
        rows = weights.setdefault(f"{weight:g}", [])
        for index in torch.randperm(len(good), generator=generator)[: arguments.photos]:
            clean = good.batch(index[None])
            damaged = sample_damage(1, generator, kinds=CAMERA, keep=0.85)(clean)
            with patch.object(tune, "leaving_cost", partial(leaving_cost, weight=weight)):
                row = {
                    "damaged": tuned(damaged, clean, arguments.strategy),
                    "undamaged": tuned(clean, clean, arguments.strategy),
                }
            rows.append({"before": ciede2000(damaged, clean), **row})
            print(f"{weight:g}: {len(rows)} of {arguments.photos}", end="\r", flush=True)
    facts = {"command": _pages.command("cost"), "machine": machine(), "weights": weights}
    _pages.record("cost", page, facts, write=arguments.write)


def tuned(photo: Tensor, reference: Tensor, strategy: str | None) -> dict[str, Any]:
    """What `enhance.tune` without `need` and `worth` does, wholly and slightly, and its need."""
    predictor = embedded("tone")
    assert predictor is not None
    result = enhance.tune(photo[0], strategy=strategy, guards=HARM)
    objective, operator = result.objective, result.operator
    rest = objective.space.defaults()
    best = objective.space.to_unit(result.settings) if result.verdict == "enhanced" else rest
    steps = {"wholly": best}
    for share in slight_share(objective, rest, best):
        steps["slightly"] = rest + share * (best - rest)
    row: dict[str, Any] = {"benefit": float(predictor(photo).benefit)}
    for name, point in steps.items():
        image = operator(photo, **objective.space.constant, **objective.space.describe(point))
        gain = objective.scores(point[None])[0] - objective.baseline
        row[name] = {
            "distance": ciede2000(image.clamp(0, 1), reference),
            "gain": float(gain.mean()),
            "change": float(colour_change(photo, image).mean()),
        }
    return row


def ended(row: Mapping[str, Any], need: Need, stays: float) -> float:
    """How far the photo ends from its reference with these limits; `stays` if left alone."""
    for step in (row["wholly"], row.get("slightly")):
        if step is None:
            continue
        weighed = need.weigh(row["benefit"], step["gain"])
        worth = Worth().limit_for(step["change"])
        if weighed >= need.limit_for(step["change"]) and step["gain"] >= worth:
            return float(step["distance"])
    return stays


def page(facts: _pages.Facts) -> str:
    """The tables of what was recorded, one a weight."""
    tables = [table(rows, float(weight)) for weight, rows in facts["weights"].items()]
    head = f"# What leaving a predictor's answer costs\n\n`{facts['command']}`"
    return "\n\n".join([head, *tables]) + "\n"


def table(rows: Sequence[Mapping[str, Any]], weight: float) -> str:
    """By what a unit of need counts, and what gain and need together must make."""
    before = np.array([row["before"] for row in rows])
    found = np.array([row["damaged"]["wholly"]["distance"] for row in rows])
    known = 1 - np.minimum(found, before).sum() / before.sum()
    lines = [
        f"Weight {weight:g}, {len(rows)} photos; the damaged copies are {before.mean():.2f} away. "
        f"Who knew which settings to take would remove {known:.1%}.",
        "",
        "| a unit of need counts | least | least of a slight step | distance left "
        "| share removed | closer | worst | undamaged moved by "
        f"| by more than {VISIBLE:g} | untouched |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for slight, (unit, least) in product(
        SLIGHT_LEASTS, [(u, x) for u, xs in LIMITS.items() for x in xs]
    ):
        need = Need(least=least, slight=slight, unit=unit)
        left = np.array([ended(row["damaged"], need, row["before"]) for row in rows])
        shift = np.array([ended(row["undamaged"], need, 0.0) for row in rows])
        lines.append(
            f"| {unit:g} | {least:g} | {slight:g} | {left.mean():.2f} "
            f"| {1 - left.sum() / before.sum():.1%} "
            f"| {(left < before - 1e-9).mean():.0%} | {(left - before).max():+.1f} "
            f"| {shift.mean():.2f} | {(shift > VISIBLE).mean():.0%} "
            f"| {(shift == 0).mean():.0%} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
