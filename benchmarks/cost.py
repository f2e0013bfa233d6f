"""What leaving a setting should cost, and the gain that is worth it, chosen on validation photos.

    ENHANCE_DATA=folder python -m benchmarks.cost [--scorer NAME|PATH]

Good photos (validation split of `unsplash_biq256`) are damaged as undeveloped photos are, and tuned
over settings drawn around the predictor's answer and over the whole space, for each weight of the
cost of leaving that answer. A weight is good when much of the damage is removed and undamaged
photos stay as they are; so is the least gain, and the gain per unit of change, below which a photo
is left untouched. Distances are mean CIEDE2000 to the undamaged photo. No other guard is run.
"""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks._timing import machine, write_json
from benchmarks.scorers import ciede2000
from enhance.operators.base import Operator
from enhance.operators.registry import get
from enhance.tuning.cost import ANSWER_COST, leaving_cost
from enhance.tuning.guards.score import Worth, colour_change
from enhance.tuning.objective import Objective
from enhance.tuning.predictor import predict
from enhance.tuning.scoring import resolve_scorer
from enhance.tuning.space import Space
from enhance.tuning.views import whole_views
from scorers.training.damage import CAMERA, sample_damage
from scorers.training.photos import load_rated

FOLDER = Path(__file__).parent.parent / "docs" / "benchmarks"
WEIGHTS = (0.0, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8)
GAINS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8)
RATES = (0.0, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06)
DRAWN = 120
"""Settings tried for each photo, half of them near the predictor's answer."""
NEAR = 0.08
"""Standard deviation of those, as a share of each parameter's range."""
VISIBLE = 3.0
"""Mean CIEDE2000 from which an undamaged photo counts as changed."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scorer", help="name or path; default: the embedded one")
    parser.add_argument("--operator", default="tone")
    parser.add_argument("--photos", type=int, default=32)
    parser.add_argument("--views", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--name", default="cost", help="of the files written to docs/benchmarks")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)

    operator = get(arguments.operator)
    judge = resolve_scorer(arguments.scorer, operator)
    shared = Path(os.environ["ENHANCE_DATA"])
    good = load_rated(shared / "data/unsplash_biq256/scores.csv", 256).part("validation")
    generator = torch.Generator().manual_seed(0)
    rows: list[dict[str, Any]] = []
    for index in torch.randperm(len(good), generator=generator)[: arguments.photos]:
        clean = good.batch(index[None])
        damaged = sample_damage(1, generator, kinds=CAMERA, keep=0.85)(clean)
        rows.append(
            {
                "before": ciede2000(damaged, clean),
                "damaged": choices(operator, judge, damaged, clean, arguments.views),
                "undamaged": choices(operator, judge, clean, clean, arguments.views),
            }
        )
        print(f"{len(rows)} of {arguments.photos}", end="\r", flush=True)
    text = tables(rows)
    print(text)
    command = f"python -m benchmarks.cost --operator {operator.name} --photos {arguments.photos}"
    results = {"command": command, "scorer": judge.name, "machine": machine(), "photos": rows}
    write_json(FOLDER / f"{arguments.name}.json", results)
    heading = f"# The cost of leaving a setting\n\n`{command}`, scorer {judge.name}"
    (FOLDER / f"{arguments.name}.md").write_text(f"{heading}\n\n{text}\n")


def choices(
    operator: Operator[Any], judge: Any, photo: Tensor, reference: Tensor, count: int
) -> list[dict[str, float]]:
    """For each weight of the cost: how far the best setting lies from `reference`, and its gain."""
    space = Space.of(operator)
    hint = predict(operator, space, photo)
    centre = space.defaults() if hint is None else hint
    cost = leaving_cost(operator, space, space.describe(centre))
    assert cost is not None
    generator = torch.Generator().manual_seed(1)
    near = centre + NEAR * torch.randn(DRAWN // 2, len(centre), generator=generator)
    anywhere = torch.rand(DRAWN // 2, len(centre), generator=generator)
    points = torch.cat([space.defaults()[None], centre[None], near.clamp(0, 1), anywhere]).double()
    objective = Objective(operator, judge.score, whole_views(photo, count, judge.view_size), space)
    scores = objective.scores(points).mean(1)
    found = []
    for weight in WEIGHTS:
        best = int((scores - replace(cost, weight=weight)(points)).argmax())
        rendered = operator(photo, **space.describe(points[best]))
        gain = float(scores[best] - objective.baseline.mean())
        change = float(colour_change(photo, rendered))
        distance = ciede2000(rendered, reference)
        found.append({"distance": distance, "gain": gain, "change": change})
    return found


def tables(rows: Sequence[Mapping[str, Any]]) -> str:
    """By weight, whatever the gain; by least gain and by rate, at the weight in use."""
    column, anything = WEIGHTS.index(ANSWER_COST), Worth(least=-math.inf, rate=0)
    parts = {
        "weight": [(weight, i, anything) for i, weight in enumerate(WEIGHTS)],
        "least gain": [(gain, column, Worth(least=gain)) for gain in GAINS],
        "gain per unit of change": [(rate, column, Worth(rate=rate)) for rate in RATES],
    }
    return "\n\n".join(_table(rows, name, lines) for name, lines in parts.items())


def _table(
    rows: Sequence[Mapping[str, Any]], name: str, lines: Sequence[tuple[float, int, Worth]]
) -> str:
    before = np.array([row["before"] for row in rows])
    text = [
        f"{len(rows)} photos; distance of the damaged copies {before.mean():.2f}",
        "",
        f"| {name} | distance left | share removed | closer | worst | undamaged moved by "
        f"| by more than {VISIBLE:g} |",
        "|---|---|---|---|---|---|---|",
    ]
    for label, column, worth in lines:
        left, shift = (
            np.array(
                [
                    found["distance"]
                    if found["gain"] >= worth.limit(found["change"])
                    else (row["before"] if kind == "damaged" else 0.0)
                    for row in rows
                    for found in [row[kind][column]]
                ]
            )
            for kind in ("damaged", "undamaged")
        )
        text.append(
            f"| {label:g} | {left.mean():.2f} | {1 - left.sum() / before.sum():.0%} "
            f"| {(left < before).mean():.0%} | {(left - before).max():+.1f} "
            f"| {shift.mean():.2f} | {(shift > VISIBLE).mean():.0%} |"
        )
    return "\n".join(text)


if __name__ == "__main__":
    main()
