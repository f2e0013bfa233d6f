"""Tone: distance to the photo as it should be, before and after."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import torch

from benchmarks.denoising import psnr
from benchmarks.quality.methods import Method
from benchmarks.quality.tasks import Task
from benchmarks.scorers import ciede2000
from scorers.evaluation.figure import Figure, bootstrap

VISIBLE = 3.0
"""Mean CIEDE2000 from which an undamaged photo counts as changed."""


@dataclass(frozen=True)
class Row:
    """One method on one photo: CIEDE2000 and PSNR to the reference, before and after."""

    photo: str
    method: str
    before: float
    after: float
    psnr: float
    untouched: bool
    seconds: float


def run(tasks: Iterable[Task], methods: Mapping[str, Method]) -> list[Row]:
    """Every method on every photo that has a reference."""
    rows = []
    for task in tasks:
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


def _mean(values: np.ndarray) -> float:
    return float(values.mean())


def _removed(before: np.ndarray, after: np.ndarray) -> float:
    return float(1 - after.sum() / before.sum())


def fivek_figures(rows: list[Row]) -> dict[str, Figure]:
    """How close one method comes to the retoucher."""
    before, after = (np.array([getattr(r, key) for r in rows]) for key in ("before", "after"))
    return {
        "distance to expert C": bootstrap(_mean, after),
        "PSNR, dB": bootstrap(_mean, [r.psnr for r in rows]),
        "closer than input": bootstrap(_mean, (after < before).astype(float)),
        "worst: farther by": bootstrap(lambda d: float(d.max()), after - before),
        "untouched": bootstrap(_mean, [float(r.untouched) for r in rows]),
        "seconds": bootstrap(_mean, [r.seconds for r in rows]),
    }


def recovery_figures(rows: list[Row]) -> dict[str, Figure]:
    """How much of the damage one method removes, and what it does to good photos."""
    damaged = [r for r in rows if r.photo.endswith(" damaged")]
    good = [r for r in rows if r.photo.endswith(" undamaged")]
    before, after = (np.array([getattr(r, key) for r in damaged]) for key in ("before", "after"))
    moved = np.array([r.after for r in good])
    return {
        "share of the damage removed": bootstrap(_removed, before, after),
        "distance left": bootstrap(_mean, after),
        "closer than damaged": bootstrap(_mean, (after < before).astype(float)),
        "undamaged moved by": bootstrap(_mean, moved),
        f"undamaged moved > {VISIBLE:g}": bootstrap(_mean, (moved > VISIBLE).astype(float)),
        "seconds": bootstrap(_mean, [r.seconds for r in rows]),
    }
