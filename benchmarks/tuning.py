"""How fast, and how close to the grid's best, each search strategy is on the same photos.

    python -m benchmarks.tuning --photo coffee
    python -m benchmarks.tuning --folder kodak24 --scorer nima-aesthetic

Each strategy runs through `enhance.tune`: drawing and analysing the views, the search, the
guards. All maximise the same objective on the same views. `gain` is the best objective value
found, less that of the untouched photo. The search alone is timed once more: the predictor's look
at the photo, analysing the views, scoring them untouched, and the strategy, without the guards.
For the grid, where the rest is less than a hundredth, the whole is taken.
"""

from __future__ import annotations

import argparse
import statistics
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

import enhance
from benchmarks._timing import machine, write_json
from enhance.tuning import strategies
from enhance.tuning.objective import Objective
from enhance.tuning.predictor import predict

FOLDER = Path(__file__).parent.parent / "docs" / "benchmarks"
THREADS = 2
NAME = "tuning"
FIGURES = ("seconds", "score", "gain", "share", "speed", "search_seconds", "search_speed")
SUFFIXES = {".jpg", ".jpeg", ".png", ".tif", ".webp"}


@dataclass(frozen=True)
class Run:
    """One strategy on one photo. `share` and both speeds are relative to the grid's."""

    photo: str
    strategy: str
    seconds: float
    search_seconds: float
    score: float
    gain: float
    share: float
    speed: float
    search_speed: float
    settings: dict[str, float]
    verdict: str


def main() -> None:
    arguments = _arguments()
    torch.set_num_threads(arguments.threads)
    photos = _photos(arguments)
    warm_up = next(iter(photos.values()))
    enhance.tune(warm_up, arguments.operator, arguments.scorer, "gradient", crops=2)
    runs = [
        run
        for name, photo in photos.items()
        for run in compare(
            name, photo, arguments.operator, arguments.scorer, arguments.raw, arguments.strategy
        )
    ]
    table = render_table(runs)
    print(table)
    heading = f"`{_command(arguments)}`, {machine()['processor']}, {arguments.threads} thread(s)"
    stem = FOLDER / arguments.name
    write_json(
        stem.with_suffix(".json"),
        {"command": _command(arguments), "machine": machine(), "runs": [asdict(r) for r in runs]},
    )
    stem.with_suffix(".md").write_text(f"# Search strategies\n\n{heading}\n\n{table}\n")


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
        gain = max(entry["value"] for entry in result.history) - result.baseline
        grid = runs[0] if runs else None
        run = Run(
            photo=name,
            strategy=strategy,
            seconds=seconds,
            search_seconds=alone,
            score=result.baseline + gain,
            gain=gain,
            share=gain / grid.gain if grid and grid.gain > 0 else 1.0,
            speed=grid.seconds / seconds if grid else 1.0,
            search_speed=grid.seconds / alone if grid else 1.0,
            settings=dict(result.candidate),
            verdict=result.verdict,
        )
        runs.append(run)
        print(f"{name}: {strategy} {seconds:.2f} s, gain {gain:.4f}", flush=True)
    return runs


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
        seconds, score, gain, share, speed, alone, alone_speed = (
            statistics.median(getattr(run, field) for run in own) for field in FIGURES
        )
        lowest = f" (lowest {min(run.share for run in own):.1%})" if photos > 1 else ""
        lines.append(
            f"| {strategy} | {seconds:.2f} | {score:.4f} | {gain:.4f} "
            f"| {share:.1%}{lowest} | {speed:.1f} | {alone:.2f} | {alone_speed:.1f} |"
        )
    if photos > 1:
        lines += ["", f"Medians over {photos} photos."]
    return "\n".join(lines)


def _photos(arguments: argparse.Namespace) -> dict[str, Any]:
    if arguments.folder is not None:
        paths = sorted(p for p in arguments.folder.iterdir() if p.suffix.lower() in SUFFIXES)
        return {path.name: path for path in paths[: arguments.limit]}
    from skimage import data

    return {name: getattr(data, name)() for name in arguments.photo}


def _command(arguments: argparse.Namespace) -> str:
    what = f"--folder {arguments.folder.name}" if arguments.folder else ""
    what = what or "--photo " + " ".join(arguments.photo)
    options = f" --operator {arguments.operator}" if arguments.operator != "laplacian" else ""
    options += f" --scorer {Path(arguments.scorer).name}" if arguments.scorer else ""
    options += " --raw" if arguments.raw else ""
    if arguments.limit is not None:
        options += f" --limit {arguments.limit}"
    if arguments.strategy != strategies.list_strategies():
        options += f" --strategy {' '.join(arguments.strategy)}"
    if arguments.threads != THREADS:
        options += f" --threads {arguments.threads}"
    if arguments.name != NAME:
        options += f" --name {arguments.name}"
    return f"python -m benchmarks.tuning {what}{options}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--photo", nargs="+", default=["coffee"], help="photos that scikit-image packages"
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
    parser.add_argument("--name", default=NAME, help="of the files written to docs/benchmarks")
    return parser.parse_args()


if __name__ == "__main__":
    main()
