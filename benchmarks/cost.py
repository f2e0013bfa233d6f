"""What leaving a predictor's answer should cost, the gain that is worth it, and the need.

    ENHANCE_DATA=folder python -m benchmarks.cost [--weights .8 1.6 3.2]

Good photos (validation split of `unsplash_biq256`) are damaged as undeveloped photos are, and
tuned, damaged and undamaged, by `enhance.tune` for each weight of the cost of leaving the
predictor's answer; guards `need` and `worth` are applied afterwards, for each pair of limits. They
are good when damaged photos come closer and undamaged ones stay as they are. Distances are mean
CIEDE2000 to the undamaged photo. A weight takes about four minutes on two cores.
"""

from __future__ import annotations

import argparse
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
from enhance.tuning.guards.score import Worth, colour_change
from enhance.tuning.predictor import embedded
from scorers.training.damage import CAMERA, sample_damage
from scorers.training.photos import load_rated

FOLDER = Path(__file__).parent.parent / "docs" / "benchmarks"
WEIGHTS = (0.4, LEAVING_COST, 1.6)
GAINS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
NEEDS = (0.0, 2.0, 3.0, 4.0)
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


def tuned(photo: Tensor, reference: Tensor, strategy: str | None) -> dict[str, float]:
    """How far `enhance.tune` without `need` and `worth` ends from `reference`; what they see."""
    predictor = embedded("tone")
    assert predictor is not None
    result = enhance.tune(photo[0], strategy=strategy, guards=default_guards())
    image = result.image[None].clamp(0, 1)
    return {
        "distance": ciede2000(image, reference),
        "gain": result.gain,
        "change": float(colour_change(photo, image)),
        "benefit": float(predictor(photo).benefit),
    }


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
    """By least need and least gain, at the rate in use."""
    before = np.array([row["before"] for row in rows])
    lines = [
        f"Weight {weight:g}, {len(rows)} photos; the damaged copies are {before.mean():.2f} away",
        "",
        "| least need | least gain | distance left | share removed | closer | worst "
        f"| undamaged moved by | by more than {VISIBLE:g} |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for need, least in product(NEEDS, GAINS):
        worth = Worth(least)
        left, shift = (
            np.array(
                [
                    row[kind]["distance"]
                    if row[kind]["gain"] >= worth.limit(row[kind]["change"])
                    and row[kind]["benefit"] >= need
                    else untouched
                    for row, untouched in zip(rows, stays, strict=True)
                ]
            )
            for kind, stays in (("damaged", before), ("undamaged", 0 * before))
        )
        lines.append(
            f"| {need:g} | {least:g} | {left.mean():.2f} | {1 - left.sum() / before.sum():.0%} "
            f"| {(left < before - 1e-9).mean():.0%} | {(left - before).max():+.1f} "
            f"| {shift.mean():.2f} | {(shift > VISIBLE).mean():.0%} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
