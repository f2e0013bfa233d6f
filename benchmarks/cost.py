"""What the cost of leaving the input should weigh, on photos that no scorer was trained on.

    ENHANCE_DATA=folder python -m benchmarks.cost [--scorer NAME|PATH]

Good photos (test split of `unsplash_biq256`) are damaged in tone, and tuned over a coarse grid for
each weight of the cost. A weight is good when much of the damage is removed and undamaged photos
stay as they are. Distances are mean CIEDE2000 to the undamaged photo. Guards are not run.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from benchmarks._timing import machine, write_json
from benchmarks.scorers import ciede2000
from enhance.operators.base import Operator
from enhance.operators.registry import get
from enhance.tuning.cost import Cost, leaving_cost
from enhance.tuning.objective import Objective
from enhance.tuning.scoring import resolve_scorer
from enhance.tuning.space import Space
from enhance.tuning.views import whole_views
from scorers.training.damage import sample_damage
from scorers.training.photos import load_rated

FOLDER = Path(__file__).parent.parent / "docs" / "benchmarks"
WEIGHTS = (0.0, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2)
STEPS = 5
"""Values of each parameter in the grid."""
VISIBLE = 3.0
"""Mean CIEDE2000 from which an undamaged photo counts as changed."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scorer", help="name or path; default: the embedded one")
    parser.add_argument("--photos", type=int, default=24)
    parser.add_argument("--views", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--name", default="cost", help="of the files written to docs/benchmarks")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)

    operator = get("laplacian")
    judge = resolve_scorer(arguments.scorer, operator)
    shared = Path(os.environ["ENHANCE_DATA"])
    good = load_rated(shared / "data/unsplash_biq256/scores.csv", 256).part("test")
    generator = torch.Generator().manual_seed(0)
    rows: list[dict[str, list[float]]] = []
    for index in torch.randperm(len(good), generator=generator)[: arguments.photos]:
        clean = good.batch(index[None])
        damaged = sample_damage(1, generator)(clean)
        rows.append(
            {
                "before": [ciede2000(damaged, clean)],
                "after": distances(operator, judge, damaged, clean, arguments.views),
                "moved": distances(operator, judge, clean, clean, arguments.views),
            }
        )
        print(f"{len(rows)} of {arguments.photos}", end="\r", flush=True)
    table = render_table(rows)
    print(table)
    command = f"python -m benchmarks.cost --photos {arguments.photos}"
    results = {"command": command, "scorer": judge.name, "machine": machine(), "photos": rows}
    write_json(FOLDER / f"{arguments.name}.json", results)
    heading = f"# The cost of leaving the input\n\n`{command}`, scorer {judge.name}"
    (FOLDER / f"{arguments.name}.md").write_text(f"{heading}\n\n{table}\n")


def distances(
    operator: Operator, judge, photo: Tensor, reference: Tensor, count: int
) -> list[float]:
    """Distance to `reference` of the best setting, for each weight of the cost."""
    space = Space.of(operator)
    cost = leaving_cost(operator, space)
    assert cost is not None
    side = torch.linspace(0, 1, STEPS, dtype=torch.float64)
    points = torch.cartesian_prod(*[side] * len(space.names))
    points = torch.cat([space.defaults()[None], points])
    objective = Objective(operator, judge.score, whole_views(photo, count, judge.view_size), space)
    scores = objective.scores(points).mean(1)
    found = []
    for weight in WEIGHTS:
        best = points[(scores - Cost(space, cost.spec, weight)(points)).argmax()]
        found.append(ciede2000(operator(photo, **space.describe(best)), reference))
    return found


def render_table(rows: list[dict[str, list[float]]]) -> str:
    """Means over the photos for each weight."""
    before = np.array([row["before"] for row in rows])
    after, moved = (np.array([row[key] for row in rows]) for key in ("after", "moved"))
    lines = [
        f"{len(rows)} photos; distance of the damaged copies {before.mean():.2f}",
        "",
        "| weight | distance left | share removed | closer | undamaged moved by "
        f"| by more than {VISIBLE:g} |",
        "|---|---|---|---|---|---|",
    ]
    for column, weight in enumerate(WEIGHTS):
        left, shift = after[:, column], moved[:, column]
        removed = 1 - left.sum() / before.sum()
        lines.append(
            f"| {weight:g} | {left.mean():.2f} | {removed:.0%} "
            f"| {(left < before[:, 0]).mean():.0%} | {shift.mean():.2f} "
            f"| {(shift > VISIBLE).mean():.0%} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
