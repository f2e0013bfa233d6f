"""What leaving a setting should cost, and the gain that is worth it, chosen on validation photos.

    ENHANCE_DATA=folder python -m benchmarks.cost [--scorer NAME|PATH]

Good photos (validation split of `unsplash_biq256`) are damaged as undeveloped photos are, and tuned
over settings drawn around the predictor's answer and over the whole space, for each weight of the
cost of leaving that answer. A weight is good when much of the damage is removed and undamaged
photos stay as they are; so is the least gain per unit of change below which a photo is left
untouched. Distances are mean CIEDE2000 to the undamaged photo. No other guard is run.
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
from enhance.tuning.cost import LEAVING_COST, leaving_cost
from enhance.tuning.guards.score import colour_change
from enhance.tuning.objective import Objective
from enhance.tuning.predictor import predict
from enhance.tuning.scoring import resolve_scorer
from enhance.tuning.space import Space
from enhance.tuning.views import whole_views
from scorers.training.damage import CAMERA, sample_damage
from scorers.training.photos import load_rated

FOLDER = Path(__file__).parent.parent / "docs" / "benchmarks"
WEIGHTS = (0.0, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8)
RATES = (0.0, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.1, 0.12, 0.15)
DRAWN = 160
"""Settings tried for each photo, half of them near the predictor's answer."""
NEAR = 0.08
"""Standard deviation of those, as a share of each parameter's range."""
VISIBLE = 3.0
"""Mean CIEDE2000 from which an undamaged photo counts as changed."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scorer", help="name or path; default: the embedded one")
    parser.add_argument("--operator", default="tone")
    parser.add_argument("--photos", type=int, default=24)
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
    text = f"{weights_table(rows)}\n\n{worth_table(rows)}"
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
        worth = gain / max(change, 1.0)
        found.append({"distance": ciede2000(rendered, reference), "gain": gain, "worth": worth})
    return found


def weights_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Means over the photos for each weight; whatever the gain."""
    return _table(rows, "weight", [(w, i, -math.inf) for i, w in enumerate(WEIGHTS)])


def worth_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Means over the photos for each least gain per unit of change, at the weight in use."""
    column = WEIGHTS.index(LEAVING_COST)
    return _table(rows, "least gain per unit of change", [(r, column, r) for r in RATES])


def _table(
    rows: Sequence[Mapping[str, Any]], name: str, lines: Sequence[tuple[float, int, float]]
) -> str:
    before = np.array([row["before"] for row in rows])
    text = [
        f"{len(rows)} photos; distance of the damaged copies {before.mean():.2f}",
        "",
        f"| {name} | distance left | share removed | closer | worst | undamaged moved by "
        f"| by more than {VISIBLE:g} |",
        "|---|---|---|---|---|---|---|",
    ]
    for label, column, least in lines:
        left, shift = (
            np.array(
                [
                    row[kind][column]["distance"]
                    if row[kind][column]["worth"] > least
                    else (row["before"] if kind == "damaged" else 0.0)
                    for row in rows
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
