"""`enhance batch`: every photo of a folder, each with settings of its own."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from enhance.cli.console import complain, make_folder
from enhance.cli.options import (
    Bound,
    Crops,
    Device,
    Fix,
    Guards,
    Operators,
    Preset,
    ScorerName,
    Seed,
    Strategy,
    read_bounds,
    read_values,
)
from enhance.cli.outputs import check_apart, inside
from enhance.errors import ParameterError, WriteError


def batch(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Of the photos; sub-folders are included.")
    ],
    output: Annotated[
        Path,
        typer.Option(
            "-o",
            "--output",
            metavar="FOLDER",
            help="Where the results go: empty, or left by an earlier run, which is gone on with.",
        ),
    ],
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
    shared: Annotated[
        bool,
        typer.Option(
            "--shared", help="A shoot that should look alike: one setting, found for all together."
        ),
    ] = False,
    delta: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            help="With --shared, how far a photo's own setting may be from it, of each "
            "parameter's range; by default 0.1.",
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="How many processes; by default one per core."),
    ] = None,
    engine: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="local: processes here; ray: actors of Ray, same result."
        ),
    ] = "local",
    address: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Of a Ray cluster: HOST:6379 on a machine of it, ray://HOST:10001 from outside "
            "(needs ray[client]); by default Ray is run here.",
        ),
    ] = None,
    table: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Save the results as .csv, .json or .parquet."),
    ] = None,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Save a contact sheet, as a page of HTML.")
    ] = None,
) -> int:
    """Tune every photo of a folder; each result has its recipe beside it.

    Interrupted, even by a kill, the same command goes on where it stopped. A photo that cannot be
    read is named on stderr and left out.
    """
    from enhance.atomic import check_writable
    from enhance.batch import Request, Shared, run_batch, write_table
    from enhance.batch.shared import NAME
    from enhance.batch.table import check_table
    from enhance.presets import load_preset

    if delta is not None and not shared:
        raise ParameterError("--delta goes with --shared only")
    if table is not None:
        check_table(table)
    if report is not None:
        from enhance.report.page import check_page

        check_page(report)
    for path in filter(None, (table, report)):
        if not inside(path, output):  # which is yet to be made
            check_writable(path)
    if table is not None and table.suffix.lower() == ".json" and inside(table, output):
        check_apart([], {"--shared": output / NAME, "--table": table})
        _check_no_recipe(table, output)
    look = None if preset is None else load_preset(preset)
    progress = sys.stderr is not None and sys.stderr.isatty()
    tell = _complain_above_bar if progress else complain
    result = run_batch(
        folder,
        output,
        Request(
            operators=tuple(operator or (look.operators if look else ())),
            scorer=scorer,
            strategy=strategy,
            crops=crops,
            seed=seed,
            fixed=read_values(fix or [], "--fix"),
            bounds=read_bounds(bound or [], "--bound"),
            guards=guards,
            start=None if look is None else look.settings,
            device=device,
        ),
        workers=workers,
        engine=engine,  # type: ignore[arg-type]  # an unknown one is named there
        address=address,
        shared=(Shared() if delta is None else Shared(delta)) if shared else None,
        progress=progress,
        on_failed=lambda row: tell(row.reason),
        on_warning=lambda row, message: tell(message),
    )
    print(result.summary())
    for path in filter(None, (table, report)):
        if inside(path, output):
            make_folder(path.parent)
    if table is not None:
        write_table(result.rows, table)
        print(f"  wrote {table}")
    if report is not None:
        from enhance.report.sheet import save_sheet

        save_sheet(result.rows, folder, output, report)
        print(f"  wrote {report}")
    failed = result.count("failed")
    return 0 if not failed else 2 if failed == len(result.rows) else 1


def _check_no_recipe(table: Path, output: Path) -> None:
    """Keep a table out of the place that a recipe has or, with one more photo, would have."""
    from enhance.batch.plan import RECIPE
    from enhance.imaging.formats import FORMAT_OF

    photo = Path(os.path.relpath(os.path.realpath(table), os.path.realpath(output)))
    photo = photo.with_name(photo.name[: -len(RECIPE)])
    if photo.suffix.lower() in FORMAT_OF:
        raise WriteError(f"cannot write {table}: both the recipe of {photo} and --table name it")


def _complain_above_bar(message: str) -> None:
    from tqdm import tqdm

    with tqdm.external_write_mode(file=sys.stderr):
        complain(message)
