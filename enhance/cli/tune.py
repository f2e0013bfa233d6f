"""`enhance tune`: find the settings for one photo."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from enhance.cli.console import describe
from enhance.cli.options import (
    AsJson,
    Bound,
    Crops,
    Device,
    Fix,
    Guards,
    Operators,
    Preset,
    ScorerName,
    Seed,
    Storage,
    Strategy,
    read_bounds,
    read_values,
)
from enhance.cli.outputs import check_apart, read_for

if TYPE_CHECKING:
    from enhance import TuneResult


def tune(
    photo: Annotated[Path, typer.Argument(metavar="PHOTO", help="The photo to tune for.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Where the result goes.")
    ] = None,
    operator: Operators = None,
    strategy: Strategy = None,
    scorer: ScorerName = None,
    crops: Crops = None,
    seed: Seed = 0,
    fix: Fix = None,
    bound: Bound = None,
    guards: Guards = True,
    preset: Preset = None,
    device: Device = None,
    storage: Storage = None,
    recipe: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Save the settings, to `enhance apply`.")
    ] = None,
    compare: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Save a before/after picture.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Save a page of HTML that shows it all.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Find the settings that make a photo look its best, and say whether that is an improvement."""
    import enhance
    from enhance.presets import load_preset

    start = None if preset is None else load_preset(preset)
    if report is not None:
        from enhance.report.page import check_page

        check_page(report)
    outputs = {"--output": output, "--recipe": recipe, "--compare": compare, "--report": report}
    kept = None if storage is None or "://" in storage else Path(storage)
    check_apart([photo, None if scorer is None else Path(scorer)], {**outputs, "--storage": kept})
    _check_targets(photo, pictures=(output, compare), texts=(recipe, report))
    given = photo if output is None else read_for(photo, output)
    started = time.perf_counter()
    result = enhance.tune(
        given,
        operator=operator or None,
        scorer=scorer,
        strategy=strategy,
        crops=crops,
        seed=seed,
        fixed=read_values(fix or [], "--fix"),
        bounds=read_bounds(bound or [], "--bound"),
        guards=None if guards else [],
        start=start,
        device=device,
        storage=storage,
        progress=sys.stderr is not None and sys.stderr.isatty(),
    )
    seconds = time.perf_counter() - started
    written = [path for path in outputs.values() if path is not None]
    if output is not None:
        result.save(output)
    if recipe is not None:
        result.recipe.save(recipe)
    if compare is not None:
        from enhance.comparison import save_before_after

        save_before_after(result.photo.pixels, result.pixels, compare)
    if report is not None:
        from enhance.report.photo import save_report

        save_report(result, report)
    if as_json:
        print(json.dumps(_as_dict(photo, result, seconds, written), indent=2))
    else:
        print(f"{photo}: {describe(result, seconds)}")
        for path in written:
            print(f"  wrote {path}")


def _check_targets(
    photo: Path, pictures: Iterable[Path | None], texts: Iterable[Path | None]
) -> None:
    from enhance.atomic import check_writable
    from enhance.imaging.files import check_target

    for path in filter(None, pictures):
        check_target(path, source=photo)
    for path in filter(None, texts):
        check_writable(path)


def _as_dict(
    photo: Path, result: TuneResult, seconds: float, written: list[Path]
) -> dict[str, Any]:
    return {
        "photo": str(photo),
        "verdict": result.verdict,
        "reason": result.reason,
        "settings": dict(result.settings),
        "score": result.score,
        "baseline": result.baseline,
        "gain": result.gain,
        "interval": list(result.interval),
        "strategy": result.strategy,
        "seconds": round(seconds, 3),
        "written": [str(path) for path in written],
    }
