"""`scorers audit`: is this scorer fit to be a loss against this damage?"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scorers.cli.console import complain
from scorers.errors import InputError, MissingExtraError, unknown_name

if TYPE_CHECKING:
    from torch import Tensor

    from scorers.evaluation.audit import Judged
    from scorers.evaluation.degradations import Pair
    from scorers.explain.wrong import Explained
    from scorers.scorer import Scorer

_Unreadable = Callable[[object], None]

_PACKAGED = ("astronaut", "chelsea", "coffee", "rocket")  # photos of scikit-image's


def audit(
    kinds: Annotated[
        list[str] | None,
        typer.Argument(metavar="[DAMAGE]...", help="blur, noise, jpeg, haze, moire; all of them."),
    ] = None,
    synthesise: Annotated[
        bool, typer.Option("--synthesise", help="Make pairs by damaging photos.")
    ] = False,
    pairs: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Holds a folder `better`, and one a kind of damage with equal file names.",
        ),
    ] = None,
    photos: Annotated[Path | None, typer.Option(metavar="FOLDER", help="What to damage.")] = None,
    scorer: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME|PATH", help="May be given several times; all that are here."),
    ] = None,
    native: Annotated[
        bool,
        typer.Option("--native", help="Judge squares of the photo as it is, as NIMALoss does."),
    ] = False,
    count: Annotated[
        int, typer.Option(help="Photos per damage at most, two or more; 0 for all.")
    ] = 0,
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for the figures.")] = Path(
        "audited"
    ),
    explain: Annotated[
        int, typer.Option(help="Wrong pairs to attribute per scorer and damage; needs captum.")
    ] = 3,
    method: Annotated[str, typer.Option(help="Of attribution; see `explain`.")] = (
        "integrated-gradients"
    ),
    seed: Annotated[int, typer.Option(help="Of damage and bootstrap.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> int:
    """Ask scorers about pairs of known order, and say whether each may be a loss.

    Prints pair accuracy, how far scores lie apart, and whether the gradient at the worse photo
    leads to the better one, with 95 % intervals over pairs, exact for shares and by bootstrap for
    the rest; writes attributions of wrong pairs, with the share that lies on the border.
    """
    from scorers.evaluation.audit import Audit, judge_pair
    from scorers.evaluation.degradations import DEGRADATIONS
    from scorers.evaluation.report import as_json as to_json
    from scorers.explain.attribution import METHODS
    from scorers.explain.wrong import explain_pair

    if synthesise == (pairs is not None) or (kinds and not synthesise):
        raise InputError("give either --pairs FOLDER, or --synthesise with kinds of damage")
    if photos and pairs:
        raise InputError("--photos names what --synthesise damages; --pairs has its own photos")
    if method not in METHODS:
        raise unknown_name("attribution method", method, METHODS)
    if count < 0 or count == 1:
        raise InputError(f"count must be 0 for all photos, or 2 at least, got {count}")
    judges = _judges(scorer, native)
    failed: set[str] = set()

    def unreadable(reason: object) -> None:
        if str(reason) not in failed:  # each kind of damage reads the photos anew
            complain(reason)
        failed.add(str(reason))

    sources = (
        _collected(pairs, count, unreadable)
        if pairs
        else _synthetic(kinds or list(DEGRADATIONS), photos, count, seed, unreadable)
    )
    explain = _explicable(explain)
    report: dict[str, dict[str, Any]] = {}
    for damage, source in sources.items():
        judged: dict[str, list[Judged]] = {name: [] for name in judges}
        explained: dict[str, list[Explained]] = {name: [] for name in judges}
        for pair in source:
            for name, judge in judges.items():
                answer = judge_pair(judge, pair)
                judged[name].append(answer)
                if answer.wrong and len(explained[name]) < explain:
                    explained[name].append(explain_pair(judge, pair, method))
        seen = len(next(iter(judged.values())))
        if seen < 2:
            raise InputError(f"{damage}: figures need two readable pairs at least, got {seen}")
        found = {name: Audit(answers, seed) for name, answers in judged.items()}
        figures = {name: one.rows() for name, one in found.items()}
        for name, cases in explained.items():
            if cases:
                figures[name] |= _border(cases, out / f"{damage}-{name}.png")
        report[damage] = {
            "figures": figures,
            "wrong": {name: one.wrong for name, one in found.items()},
            "sentences": [one.sentence(name, damage) for name, one in found.items()],
        }
        if not as_json:
            print(_section(damage, report[damage]), flush=True)
    if as_json:
        print(to_json(report))
    return 1 if failed else 0


def _judges(names: list[str] | None, native: bool) -> dict[str, Scorer]:
    """Scorers by short name; those on this machine where none are named."""
    from scorers import zoo
    from scorers.scorer import Scorer

    if not names:
        names = zoo.list_scorers()
        for absent in sorted(set(zoo.PUBLISHED) - set(names)):
            complain(f"left out {absent}, which is not on this machine: scorers fetch {absent}")
    judges: dict[str, Scorer] = {}
    for name in names:
        judge = zoo.load(name)
        if native:
            shown = replace(judge.card.preprocess, view="native")
            judge = Scorer(judge.network, replace(judge.card, preprocess=shown))
        short = judge.card.name
        judges[name if short in judges else short] = judge
    return judges


def _collected(folder: Path, count: int, unreadable: _Unreadable) -> dict[str, Iterator[Pair]]:
    """Pairs of files, by the name of the folder that holds the worse ones.

    Raises:
        InputError: there is no `better`, or nothing beside it.
    """
    better = folder / "better"
    others = sorted(path for path in folder.glob("*") if path.is_dir() and path != better)
    if not better.is_dir() or not others:
        raise InputError(f"{folder} must hold a folder `better` and one of worse photos at least")
    return {worse.name: _read(better, worse, count, unreadable) for worse in others}


def _read(better: Path, worse: Path, count: int, unreadable: _Unreadable) -> Iterator[Pair]:
    from scorers.evaluation.degradations import Pair
    from scorers.evaluation.pairs import pairs
    from scorers.photos.decode import read_photo

    for good, bad in pairs(better, worse)[: count or None]:
        try:
            pair = Pair(good.stem, read_photo(good), read_photo(bad))
        except InputError as error:
            unreadable(error)
        else:
            yield pair


def _synthetic(
    kinds: list[str], folder: Path | None, count: int, seed: int, unreadable: _Unreadable
) -> dict[str, Iterator[Pair]]:
    from scorers.evaluation.degradations import synthesise

    return {kind: synthesise(kind, _photos(folder, count, unreadable), seed) for kind in kinds}


def _photos(
    folder: Path | None, count: int, unreadable: _Unreadable
) -> Iterator[tuple[str, Tensor]]:
    """Photos of a folder; else Kodak's under ENHANCE_DATA, else scikit-image's."""
    import numpy as np
    import torch

    from scorers.evaluation.pairs import photos_in
    from scorers.photos.decode import read_photo

    kodak = Path(os.environ.get("ENHANCE_DATA", "")) / "data" / "kodak24"
    if folder is None and kodak.is_dir():
        folder = kodak
    if folder is not None:
        for path in photos_in(folder)[: count or None]:
            try:
                photo = read_photo(path)
            except InputError as error:
                unreadable(error)
            else:
                yield path.stem, photo
        return
    try:
        from skimage import data
    except ImportError as error:
        raise MissingExtraError(
            "name a folder with --photos, or use scikit-image's photos: pip install scikit-image"
        ) from error
    for name in _PACKAGED[: count or None]:
        pixels = torch.from_numpy(np.array(getattr(data, name)()))
        yield name, pixels.permute(2, 0, 1)[None].float() / 255


def _explicable(wanted: int) -> int:
    """How many pairs to attribute: none without captum, which is said once."""
    if wanted and find_spec("captum") is None:
        complain("without attributions, which need captum: pip install enhance-tune[explain]")
        return 0
    return wanted


def _border(cases: list[Explained], path: Path) -> dict[str, str]:
    """Write the attributions of wrong pairs, and say how much of them lies on the border."""
    from scorers.explain import uniform_share
    from scorers.explain.figure import save_page
    from scorers.explain.wrong import wrong_sheet

    path.parent.mkdir(parents=True, exist_ok=True)
    save_page(wrong_sheet(cases), path)
    share = sum(case.border for case in cases) / len(cases)
    alike = uniform_share(*cases[0].better_heat.shape)
    return {"on the border, wrong pairs": f"{share:.3f} ({alike:.3f} alike)", "figure": str(path)}


def _section(damage: str, found: Mapping[str, Any]) -> str:
    from scorers.evaluation.report import as_table

    lines = [as_table(found["figures"], damage), ""]
    for name, wrong in found["wrong"].items():
        if wrong:
            lines.append(f"{name} is wrong on: {', '.join(wrong)}")
    return "\n".join([*lines, *found["sentences"], ""])
