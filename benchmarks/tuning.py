"""How fast, and how close to the grid's best, each search strategy is on the same photos.

    python -m benchmarks.tuning --photo chelsea
    python -m benchmarks.tuning --folder $ENHANCE_DATA/data/kodak24 --scorer nima-aesthetic

Each strategy runs through `enhance.tune`: drawing and analysing the views, the search, the
guards. All maximise the same objective on the same views. `gain` is the best objective value
found, less that of the untouched photo, which costs what leaving the predictor's answer does. The
search alone is timed once more: the predictor's look
at the photo, analysing the views, scoring them untouched, and the strategy, without the guards.
For the grid, where the rest is less than a hundredth, the whole is taken.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

import enhance
from benchmarks import _pages
from benchmarks._timing import machine
from enhance.tuning import strategies
from enhance.tuning.objective import Objective
from enhance.tuning.predictor import predict

THREADS = 2
NAME = "tuning"
FIGURES = ("seconds", "score", "gain", "speed", "search_seconds", "search_speed")
SUFFIXES = {".jpg", ".jpeg", ".png", ".tif", ".webp"}


@dataclass(frozen=True)
class Run:
    """One strategy on one photo.

    `share` and both speeds are relative to the grid's; a grid that gains nothing has no share.
    """

    photo: str
    strategy: str
    seconds: float
    search_seconds: float
    score: float
    gain: float
    share: float | None
    speed: float
    search_speed: float
    settings: dict[str, float]
    verdict: str


def main() -> None:
    """Measure, print, and with ``--write`` record in docs/benchmarks."""
    arguments = _arguments()
    if arguments.render:
        _pages.render(arguments.render, page)
        return
    torch.set_num_threads(arguments.threads)
    photos = _photos(arguments)
    warm_up = next(iter(photos.values()))
    for strategy in arguments.strategy:
        if strategy != "grid":  # it loads nothing that the others do not, and takes long
            enhance.tune(warm_up, arguments.operator, arguments.scorer, strategy, crops=2)
    runs = [
        run
        for name, photo in photos.items()
        for run in compare(
            name, photo, arguments.operator, arguments.scorer, arguments.raw, arguments.strategy
        )
    ]
    facts = {"command": _pages.command("tuning"), "machine": machine(), "runs": runs}
    _pages.record(arguments.name, page, facts, write=arguments.write)


def page(facts: _pages.Facts) -> str:
    """The page of what was recorded."""
    known = facts["machine"]
    where = f"{known['processor']}, {known['threads']} thread(s)"
    table = render_table([Run(**run) for run in facts["runs"]])
    return f"# Search strategies\n\n`{facts['command']}`, {where}\n\n{table}\n"


def compare(
    name: str, photo: Any, operator: str, scorer: str | None, raw: bool, names: list[str]
) -> list[Run]:
    """Run each strategy on one photo, the grid first, as the others are compared with it."""
    runs: list[Run] = []
    for strategy in ["grid", *(s for s in names if s != "grid")]:
        start = time.perf_counter()
        result = enhance.tune(photo, operator, scorer, strategy, guards=[] if raw else None)
        seconds = time.perf_counter() - start
        alone = seconds if strategy == "grid" else search_seconds(result)
        best = max(entry["value"] for entry in result.history)
        gain = best - untouched(result)
        grid = runs[0] if runs else None
        reachable = grid.gain if grid else gain
        run = Run(
            photo=name,
            strategy=strategy,
            seconds=seconds,
            search_seconds=alone,
            score=best,
            gain=gain,
            share=gain / reachable if reachable > 0 else None,
            speed=grid.seconds / seconds if grid else 1.0,
            search_speed=grid.seconds / alone if grid else 1.0,
            settings=dict(result.candidate),
            verdict=result.verdict,
        )
        runs.append(run)
        print(f"{name}: {strategy} {seconds:.2f} s, gain {gain:.4f}", flush=True)
    return runs


def untouched(result: enhance.TuneResult) -> float:
    """The objective's value of the photo as it is.

    That is less than `result.baseline`, a score alone, where leaving a predictor's answer costs.
    """
    objective = result.objective
    return float(objective.values(objective.space.defaults()[None]))


def search_seconds(result: enhance.TuneResult) -> float:
    """What the search of a result takes alone, done once more with nothing known."""
    known = result.objective
    start = time.perf_counter()
    hint = None if known.hint is None else predict(known.operator, known.space, result.photo.pixels)
    fresh = Objective(known.operator, known.scorer, known.views, known.space, known.cost, hint)
    strategies.get(result.strategy)(fresh, seed=result.recipe.seed or 0)
    return time.perf_counter() - start


def render_table(runs: list[Run]) -> str:
    """A Markdown table: every run of one photo, or medians over several."""
    names = list(dict.fromkeys(run.strategy for run in runs))
    photos = len({run.photo for run in runs})
    lines = [
        "| strategy | seconds | best value | gain | share of the grid's gain | times faster "
        "| search alone, seconds | times faster |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for strategy in names:
        own = [run for run in runs if run.strategy == strategy]
        seconds, score, gain, speed, alone, alone_speed = (
            statistics.median(getattr(run, field) for run in own) for field in FIGURES
        )
        shares = [run.share for run in own if run.share is not None]
        share = f"{statistics.median(shares):.1%}" if shares else "–"
        lowest = f" (lowest {min(shares):.1%})" if len(shares) > 1 else ""
        lines.append(
            f"| {strategy} | {seconds:.2f} | {score:.4f} | {gain:.4f} "
            f"| {share}{lowest} | {speed:.1f} | {alone:.2f} | {alone_speed:.1f} |"
        )
    if photos > 1:
        lines += ["", f"Medians over {photos} photos."]
    return "\n".join(lines)


def _photos(arguments: argparse.Namespace) -> dict[str, Any]:
    if arguments.folder is not None:
        folder = arguments.folder
        if not folder.is_dir():
            sys.exit(f"no folder of photos at {folder}")
        paths = sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES)
        if not paths:
            sys.exit(f"no photos in {folder}")
        return {path.name: path for path in paths[: arguments.limit]}
    from skimage import data

    return {name: getattr(data, name)() for name in arguments.photo}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--photo", nargs="+", default=["chelsea"], help="photos that scikit-image packages"
    )
    parser.add_argument("--folder", type=Path, help="a folder of photos instead")
    parser.add_argument("--limit", type=int, help="at most so many photos of the folder")
    parser.add_argument("--operator", default="laplacian")
    parser.add_argument("--scorer", help="name or path; default: the embedded one")
    parser.add_argument("--strategy", nargs="+", default=strategies.list_strategies())
    parser.add_argument(
        "--raw", action="store_true", help="no cost of leaving the input, no guards"
    )
    parser.add_argument("--threads", type=int, default=THREADS)
    parser.add_argument("--name", default=NAME, help="of the files written")
    _pages.add_options(parser, NAME)
    return _pages.parse(parser)


if __name__ == "__main__":
    main()
