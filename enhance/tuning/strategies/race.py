"""Settings race over a growing number of views: who is surely behind drops out.

Settings far from the best are told apart from it on a few views, so that only close ones are
looked at on many. Meant for few parameters and many views, such as the width of a denoiser on 50
native crops; needs no gradient. For one parameter the top of a parabola through the best and its
neighbours is tried at the end; for several, ever smaller boxes around the best are raced in.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from enhance.tuning.objective import Objective
from enhance.tuning.search import Search, evenly_spread, silent

FIELD = 9
"""Settings that start, where one parameter varies."""
PER_DIMENSION = 8
ROUNDS = 4
"""Of ever smaller boxes, where several vary."""
FIRST_VIEWS = 6
STANDARD_ERRORS = 2.5
"""Standard errors of the paired difference by which a setting must be behind."""


def search(
    objective: Objective,
    *,
    seed: int = 0,
    progress: Callable[[int, int], None] = silent,
    storage: str | None = None,
) -> Search:
    """Race, refine around the winner, and compare the finalists on all views.

    Returns:
        Every setting. The value of a round's winner is that on all views; one that dropped out
        is as far below it as it was behind on the views that it was seen on.
    """
    dimensions = len(objective.space.names)
    if dimensions == 0:
        points = objective.space.defaults()[None]
        progress(1, 1)
        return Search(points, objective.values(points))
    count = PER_DIMENSION * dimensions
    field = _even() if dimensions == 1 else evenly_spread(dimensions, count, seed)
    known = [objective.space.defaults()[None]]
    known += [] if objective.hint is None else [objective.hint[None]]
    points, box, rounds = torch.cat([field, *known]), 0.5, 2 if dimensions == 1 else ROUNDS
    tried, values = [], []
    for turn in range(rounds):
        behind = _race(objective, points)
        best = points[behind.argmax()]
        tried.append(points)
        values.append(behind + objective.values(best[None]))
        progress(turn + 1, rounds)
        if turn + 1 == rounds:
            break
        if dimensions == 1:
            points = torch.cat([best[None], _around_top(field[:, 0], behind[: len(field)])])
        else:
            box /= 2
            drawn = best + (2 * evenly_spread(dimensions, count, seed + turn + 1) - 1) * box
            points = torch.cat([best[None], drawn.clamp(0, 1)])
    return Search(torch.cat(tried), torch.cat(values))


def _race(objective: Objective, points: Tensor) -> Tensor:
    """How far each point is behind the best ``(K,)``: 0 for it, negative for the others."""
    total = len(objective)
    costs = torch.zeros(len(points), dtype=torch.float64)
    if objective.cost is not None:
        with torch.no_grad():
            costs = objective.cost(points)
    running = torch.arange(len(points))
    standing = torch.full((len(points),), -torch.inf, dtype=torch.float64)
    scores = torch.zeros(len(points), 0, dtype=torch.float64)
    start, stop = 0, min(FIRST_VIEWS, total)
    while True:
        scores = torch.cat([scores, objective.part(start, stop).scores(points[running])], 1)
        values = scores - costs[running, None]
        best = int(values.mean(1).argmax())
        difference = values - values[best]
        standing[running] = difference.mean(1)
        if stop == total:
            objective.learn(points[running], scores)
        error = difference.std(1) / stop**0.5 if stop > 1 else torch.zeros(len(running))
        close = difference.mean(1) >= -STANDARD_ERRORS * error
        close[best] = True
        if stop == total or int(close.sum()) == 1:
            break
        running, scores = running[close], scores[close]
        start, stop = stop, min(2 * stop, total)
    # a setting that dropped out early was behind the best of that moment
    winner = int(running[best])
    standing.clamp_(max=-1e-9)[winner] = 0.0
    return standing


def _around_top(units: Tensor, behind: Tensor) -> Tensor:
    """The top ``(3, 1)`` of the parabola through the best unit and its neighbours, and beside."""
    middle = min(max(int(behind.argmax()), 1), len(units) - 2)
    left, centre, right = behind[middle - 1 : middle + 2].tolist()
    bend = left - 2 * centre + right
    shift = 0.5 * (left - right) / bend if bend < 0 else 0.0
    step = float(units[1] - units[0])
    top = float(units[middle]) + step * min(max(shift, -1.0), 1.0)
    around = [top - step / 4, top, top + step / 4]
    return torch.tensor(around, dtype=units.dtype).clamp(0, 1)[:, None]


def _even() -> Tensor:
    return torch.linspace(0, 1, FIELD, dtype=torch.float64)[:, None]
