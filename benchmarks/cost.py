"""What leaving a predictor's answer should cost, the gain that is worth it, and the need.

    ENHANCE_DATA=folder python -m benchmarks.cost [--weights .8 1.6 3.2]

Good photos (validation split of `unsplash_biq256`) are damaged as undeveloped photos are, and
tuned, damaged and undamaged, by `enhance.tune` for each weight of the cost of leaving the
predictor's answer; guards `need` and `worth` are applied afterwards, for each set of limits, and
where they refuse, a slight step the same way is what is left. They are good when damaged photos
come closer and undamaged ones stay as they are. Distances are mean CIEDE2000 to the undamaged
photo. A weight takes about ten minutes on one core.
"""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor

import enhance
from benchmarks._timing import machine, write_json
from benchmarks.scorers import ciede2000
from enhance.tuning import tune
from enhance.tuning.cost import LEAVING_COST, leaving_cost
from enhance.tuning.guards import default_guards
from enhance.tuning.guards.score import SLIGHT, Worth, colour_change
from enhance.tuning.predictor import embedded
from enhance.tuning.verdict import slight_share
from scorers.training.damage import CAMERA, sample_damage
from scorers.training.photos import load_rated

FOLDER = Path(__file__).parent.parent / "docs" / "benchmarks"
WEIGHTS = (0.4, LEAVING_COST, 1.6)
GAINS = (0.0, 0.2, 0.3, 0.4, 0.5)
NEEDS = (0.0, 2.0, 3.0, 4.0, 5.0)
SLIGHT_NEEDS = (math.inf, 2.0, 1.0, 0.0)  # of a slight step; none is made at infinity
VISIBLE = 3.0
"""Mean CIEDE2000 from which an undamaged photo counts as changed."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=64)
    parser.add_argument("--weights", type=float, nargs="+", default=WEIGHTS)
    parser.add_argument("--strategy", help="of the search; default: what `enhance.tune` takes")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    shared = Path(os.environ["ENHANCE_DATA"])
    good = load_rated(shared / "data/unsplash_biq256/scores.csv", 256).part("validation")
    weights: dict[float, list[dict[str, Any]]] = {}
    for weight in arguments.weights:
        generator = torch.Generator().manual_seed(0)
        rows = weights.setdefault(weight, [])
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
    shown = " ".join(f"{weight:g}" for weight in weights)
    command = f"python -m benchmarks.cost --photos {arguments.photos} --weights {shown}"
    command += f" --strategy {arguments.strategy}" if arguments.strategy else ""
    record(weights, command)


def tuned(photo: Tensor, reference: Tensor, strategy: str | None) -> dict[str, Any]:
    """What `enhance.tune` without `need` and `worth` does, wholly and slightly, and its need."""
    predictor = embedded("tone")
    assert predictor is not None
    result = enhance.tune(photo[0], strategy=strategy, guards=default_guards())
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


def chosen(row: Mapping[str, Any], need: float, worth: Worth, slight: float) -> float | None:
    """How far the photo ends from its reference with these limits; None if it is left alone."""
    for name, least in (("wholly", need), ("slightly", slight)):
        step = row.get(name)
        asked = need if step and step["change"] > SLIGHT else least
        if step and row["benefit"] >= asked and step["gain"] >= worth.limit(step["change"]):
            return float(step["distance"])
    return None


def record(weights: Mapping[float, Sequence[Mapping[str, Any]]], command: str) -> None:
    """Print the tables, and write them to docs/benchmarks."""
    text = "\n\n".join(table(rows, weight) for weight, rows in weights.items())
    print(text)
    photos = {f"{weight:g}": rows for weight, rows in weights.items()}
    write_json(FOLDER / "cost.json", {"command": command, "machine": machine(), "weights": photos})
    (FOLDER / "cost.md").write_text(
        f"# What leaving a predictor's answer costs\n\n`{command}`\n\n{text}\n"
    )


def table(rows: Sequence[Mapping[str, Any]], weight: float) -> str:
    """By the needs and the least gain, at the rate in use."""
    before = np.array([row["before"] for row in rows])
    lines = [
        f"Weight {weight:g}, {len(rows)} photos; the damaged copies are {before.mean():.2f} away",
        "",
        "| least need | least gain | need of a slight step | distance left | share removed "
        f"| closer | worst | undamaged moved by | by more than {VISIBLE:g} | undamaged untouched |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for slight, need, least in product(SLIGHT_NEEDS, NEEDS, GAINS):
        limits = (need, Worth(least), slight)

        def ended(row: Mapping[str, Any], stays: float) -> float:
            end = chosen(row, *limits)  # noqa: B023
            return stays if end is None else end

        left = np.array([ended(row["damaged"], row["before"]) for row in rows])
        shift = np.array([ended(row["undamaged"], 0.0) for row in rows])
        lines.append(
            f"| {need:g} | {least:g} | {slight:g} | {left.mean():.2f} "
            f"| {1 - left.sum() / before.sum():.0%} "
            f"| {(left < before - 1e-9).mean():.0%} | {(left - before).max():+.1f} "
            f"| {shift.mean():.2f} | {(shift > VISIBLE).mean():.0%} "
            f"| {(shift == 0).mean():.0%} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
