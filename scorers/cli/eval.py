"""`scorers eval`: agreement with people, pairs, and what moves a score that should not."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scorers.cli.console import complain
from scorers.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from scorers.ratings.tables import RatingTable
    from scorers.scorer import Scorer

_PARTS = ("all", "train", "validation", "test")


def evaluate(
    tables: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[TABLE]...", help="Rating tables of the kinds `train` reads."),
    ] = None,
    scorer: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME|PATH", help="What to evaluate; may be given several times."),
    ] = None,
    photos: Annotated[
        list[Path] | None,
        typer.Option(help="Where the photos of each table lie, in the order of the tables."),
    ] = None,
    kind: Annotated[str | None, typer.Option(help="Of the tables; told from the files.")] = None,
    scale: Annotated[
        tuple[float, float] | None, typer.Option(help="Ends of plain tables' scale.")
    ] = None,
    part: Annotated[
        str,
        typer.Option(
            help="all, train, validation or test: the split `train` uses with the same --test-list."
        ),
    ] = "all",
    test_list: Annotated[
        list[Path] | None,
        typer.Option(
            help="File with the names or ids of the published test split of each table, in the "
            "order of the tables."
        ),
    ] = None,
    cut: Annotated[
        float | None, typer.Option(help="Rating above which a photo is good; 5 on AVA's scale.")
    ] = None,
    pairs: Annotated[
        tuple[Path, Path] | None,
        typer.Option(metavar="BETTER WORSE", help="Two folders with equal file names."),
    ] = None,
    sensitivity: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Photos to shift, resize and compress.")
    ] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda or cuda:N.")] = "cpu",
    seed: Annotated[int, typer.Option(help="Of the bootstrap.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> int:
    """Print how far scorers can be trusted, each figure with its 95 % interval.

    With several scorers and tables it is the cross-dataset matrix of NIMA's Tables III and IV.
    """
    from tqdm import tqdm

    from scorers import zoo
    from scorers.evaluation.matrix import cross
    from scorers.evaluation.pairs import folder_pairs
    from scorers.evaluation.report import as_json as to_json
    from scorers.training.distributed import find_device

    if not (tables or pairs or sensitivity):
        raise InputError("name a table, or --pairs, or --sensitivity")
    if part not in _PARTS:
        raise InputError(f"part must be one of {', '.join(_PARTS)}, got {part!r}")
    if cut is not None and not tables:
        raise InputError("--cut lies on a rating table's scale: name a table")
    if cut is not None and not math.isfinite(cut):
        raise InputError(f"cut must be finite, got {cut}")
    if test_list and part == "all":
        raise InputError("a test list tells parts apart: name one with --part, such as --part test")
    where = find_device(device)
    judges: dict[str, Scorer] = {}
    for name in scorer or [zoo.DEFAULT]:
        short = Path(name).stem
        judges[name if short in judges else short] = zoo.load(name).to(where)
    rated, failed = _read(tables or [], photos or [], kind, scale, part, test_list or [])
    if part == "test":
        _warn_of_learned(judges, rated)
    report: dict[str, Any] = {}

    def report_bad(reason: str) -> None:
        nonlocal failed
        failed += 1
        complain(reason)

    if rated:
        total = len(judges) * sum(map(len, rated))
        with tqdm(total=total, unit="photo", leave=False, disable=not sys.stderr.isatty()) as bar:
            cells = cross(judges, rated, cut=cut, seed=seed, tick=bar.update)
        report["agreement"] = {
            table.name: {
                "photos": len(table),
                "spread": table.spread,
                "note": table.note,
                "scorers": {name: cells[name, table.name] for name in judges},
            }
            for table in rated
        }
    if pairs:
        report["pairs"] = {
            name: folder_pairs(_scoring(judge), *pairs, seed=seed, unreadable=report_bad)
            for name, judge in judges.items()
        }
    if sensitivity:
        report["sensitivity"] = {
            name: _sensitivity(judge, sensitivity, seed, report_bad)
            for name, judge in judges.items()
        }
    print(to_json(report) if as_json else _page(report))
    return 1 if failed else 0


def _read(
    paths: list[Path],
    photos: list[Path],
    kind: str | None,
    scale: tuple[float, float] | None,
    part: str,
    test_lists: list[Path],
) -> tuple[list[RatingTable], int]:
    """The tables with their unreadable photos left out and named, and how many those are."""
    from dataclasses import replace
    from itertools import zip_longest

    from scorers.ratings.readers import read_names, read_table
    from scorers.training.views import readable

    for option, given in (("photos", photos), ("a test list", test_lists)):
        if given and len(given) != len(paths):
            raise InputError(f"give {option} once for each table or not at all, got {len(given)}")
    read: list[RatingTable] = []
    failed = 0
    for path, folder, listed in zip_longest(paths, photos, test_lists):
        table = read_table(path, photos=folder, kind=kind, scale=scale)
        if listed:
            table = table.with_test_list(read_names(listed))
        if part != "all":
            table = table.part(part)  # type: ignore[arg-type]
        rows, skipped = readable(table, 224)
        for photo in skipped:
            complain(photo.reason)
        failed += len(skipped)
        table = table.take(rows)
        if len(table) < 3:
            raise InputError(f"{path}: figures need 3 photos at least, got {len(table)}")
        if any(table.name == other.name for other in read):
            table = replace(table, name=str(path))
        read.append(table)
    return read, failed


def _warn_of_learned(judges: Mapping[str, Scorer], rated: list[RatingTable]) -> None:
    """Say which figures of a test split are none, since the scorer was trained on another."""
    from scorers.ratings.overlap import found_in

    for name, judge in judges.items():
        for table in rated:
            known = found_in(table.names, judge.card.learned_from)
            if known:
                complain(
                    f"{name} was trained on photos of this test split of {table.name}, such as "
                    f"{known[0]}: give the --test-list it was trained with"
                )


def _scoring(judge: Scorer) -> Callable[[Tensor], Tensor]:
    """Scores of photos on the CPU, wherever the scorer is."""
    return lambda image: judge(image.to(judge.buckets.device)).cpu()


def _sensitivity(
    judge: Scorer, folder: Path, seed: int, unreadable: Callable[[str], None]
) -> Mapping[str, object]:
    from scorers.evaluation.pairs import photos_in
    from scorers.evaluation.robustness import jpeg_change, resize_spread, shift_spread
    from scorers.photos.decode import read_photo

    photos = []
    for path in photos_in(folder):
        try:
            photos.append(read_photo(path))
        except InputError as error:
            unreadable(str(error))
    if len(photos) < 2:
        raise InputError(f"{folder} must hold two readable photos at least")
    score = _scoring(judge)
    return {
        "spread over one-pixel shifts": shift_spread(photos, score, seed=seed),
        "spread over resize methods": resize_spread(photos, score, judge.view_size, seed),
        "change by JPEG at quality 70": jpeg_change(photos, score, seed=seed),
    }


def _page(report: Mapping[str, Any]) -> str:
    from scorers.evaluation.report import as_table

    blocks = []
    for name, found in report.get("agreement", {}).items():
        head = f"{name}, {found['photos']} photos"
        if found["note"]:
            head += f" ({found['note']})"
        if found["spread"] == "model":
            head += "; only means are known, so nothing is said of the spread of opinions"
        blocks.append(head + "\n" + as_table(found["scorers"], "figure"))
    blocks += [as_table(report[kind], kind) for kind in ("pairs", "sensitivity") if kind in report]
    return "\n\n".join(blocks)
