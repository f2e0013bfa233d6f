"""Badly lit photos, without reference: which guards a result breaks."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from benchmarks.quality.methods import Method
from benchmarks.quality.tasks import Task, warmed_up
from enhance.tuning.gain import Gain
from enhance.tuning.guards import Evidence, default_guards
from scorers.evaluation.figure import Figure, average, share

OF_THE_SCORE = ("need", "worth", "interval", "jitter", "witness")
"""Guards that look at a score, which most methods do not have."""


@dataclass(frozen=True)
class Row:
    """One method on one photo: the guards that its result breaks."""

    photo: str
    method: str
    broken: tuple[str, ...]
    lighter: float
    seconds: float


def run(tasks: Iterable[Task], methods: Mapping[str, Method]) -> list[Row]:
    """Every method on every photo."""
    rows = []
    for task in warmed_up(tasks, methods):
        for name, method in methods.items():
            start = time.perf_counter()
            image = method(task)
            seconds = time.perf_counter() - start
            if image is None:
                continue
            lighter = float(image.mean() - task.photo.mean())
            rows.append(Row(task.name, name, broken(task.photo, image), lighter, seconds))
            print(f"{task.name}: {name} breaks {rows[-1].broken}, {seconds:.1f} s", flush=True)
    return rows


def broken(before: Tensor, after: Tensor) -> tuple[str, ...]:
    """Names of the guards that this result would not have passed, at the photo's own size."""
    evidence = Evidence(before, after, Gain(1, 1, 1), lambda x: x.new_zeros(len(x)))
    guards = [guard for guard in default_guards() if guard.name not in OF_THE_SCORE]
    with torch.no_grad():
        return tuple(guard.name for guard in guards if not guard.check(evidence).passed)


def figures(rows: list[Row]) -> dict[str, Figure | float]:
    """Share of the photos on which one method breaks each guard, and any."""
    names = [g.name for g in default_guards() if g.name not in OF_THE_SCORE]
    shares = {f"breaks {name}": share([name in r.broken for r in rows]) for name in names}
    return {
        "breaks any guard": share([bool(r.broken) for r in rows]),
        **shares,
        "mean level raised by": average([r.lighter for r in rows]),
        "median seconds": float(np.median([r.seconds for r in rows])),
    }
