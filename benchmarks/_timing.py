"""Timing that every benchmark shares: warm-up, rounds over all contestants, median and spread."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from enhance.operators.compiled import usable


@dataclass(frozen=True)
class Timing:
    """Seconds of one contestant: median and interquartile range over `runs` runs."""

    median: float
    iqr: float
    runs: int


def measure(
    contestants: Mapping[str, Callable[[], object]], *, rounds: int, warm_up: int = 1
) -> dict[str, Timing]:
    """Time each contestant once a round, in turn, so that a busy moment hits all of them alike."""
    for _ in range(warm_up):
        for run in contestants.values():
            run()
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, run in contestants.items():
            _finish()
            start = time.perf_counter()
            run()
            _finish()
            seconds[name].append(time.perf_counter() - start)
    return {name: _summary(values) for name, values in seconds.items()}


def _finish() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def _summary(seconds: Sequence[float]) -> Timing:
    if len(seconds) < 2:
        return Timing(seconds[0], 0.0, len(seconds))
    low, median, high = statistics.quantiles(seconds, n=4, method="inclusive")
    return Timing(median, high - low, len(seconds))


def machine() -> dict[str, object]:
    """What the figures depend on: processor, threads, versions."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "loops": loops(),
        "load": os.getloadavg()[0],
    }


def loops() -> str:
    """How operators' loops run here, for a heading."""
    return "compiled by Numba" if usable(torch.zeros(1)) else "torch's, without Numba"


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
