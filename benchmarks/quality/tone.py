"""Tone: distance to the photo as it should be, before and after."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import torch

from benchmarks._measures import VISIBLE, ciede2000, psnr
from benchmarks.quality.methods import Method
from benchmarks.quality.tasks import Task, warmed_up
from scorers.evaluation.figure import Figure, average, bootstrap, share


@dataclass(frozen=True)
class Row:
    """One method on one photo: CIEDE2000 and PSNR to the reference, before and after.

    Of a result that equals the reference, PSNR is infinite, and None where that was recorded.
    """

    photo: str
    method: str
    before: float
    after: float
    psnr: float | None
    untouched: bool
    seconds: float


def run(tasks: Iterable[Task], methods: Mapping[str, Method]) -> list[Row]:
    """Every method on every photo that has a reference."""
    rows = []
    for task in warmed_up(tasks, methods):
        assert task.reference is not None
        before = ciede2000(task.photo, task.reference)
        for name, method in methods.items():
            start = time.perf_counter()
            image = method(task)
            seconds = time.perf_counter() - start
            if image is None:
                continue
            after = ciede2000(image, task.reference)
            decibels = psnr(image, task.reference)
            same = torch.equal(image, task.photo)
            rows.append(Row(task.name, name, before, after, decibels, same, seconds))
            print(f"{task.name}: {name} {before:.2f} -> {after:.2f}, {seconds:.1f} s", flush=True)
    return rows


def _removed(before: np.ndarray, after: np.ndarray) -> float:
    return float(1 - after.sum() / before.sum())


def _seconds(rows: list[Row]) -> float:
    return float(np.median([row.seconds for row in rows]))


def fivek_figures(rows: list[Row]) -> dict[str, Figure | float]:
    """How close one method comes to the retoucher."""
    decibels = [r.psnr for r in rows if r.psnr is not None]  # the retoucher's own have none
    before, after = (np.array([getattr(r, key) for r in rows]) for key in ("before", "after"))
    return {
        "distance to expert C": average(after),
        "PSNR, dB": average(decibels) if len(decibels) == len(rows) else math.inf,
        "closer than input": share(after < before),
        "worst: farther by": float((after - before).max()),
        "untouched": share([r.untouched for r in rows]),
        "median seconds": _seconds(rows),
    }


def recovery_figures(rows: list[Row]) -> dict[str, Figure | float]:
    """How much of the damage one method removes, and what it does to good photos."""
    damaged = [r for r in rows if r.photo.endswith(" damaged")]
    good = [r for r in rows if r.photo.endswith(" undamaged")]
    before, after = (np.array([getattr(r, key) for r in damaged]) for key in ("before", "after"))
    moved = np.array([r.after for r in good])
    return {
        "share of the damage removed": bootstrap(_removed, before, after),
        "distance left": average(after),
        "closer than damaged": share(after < before),
        "undamaged moved by": average(moved),
        f"undamaged moved > {VISIBLE:g}": share(moved > VISIBLE),
        "median seconds": _seconds(rows),
    }
