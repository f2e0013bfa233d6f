"""`enhance prefer`: left or right, until the settings are one's own."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from enhance.cli.options import Bound, Fix, Operators, Seed, read_bounds, read_values
from enhance.cli.outputs import check_apart, read_for
from enhance.errors import ParameterError

if TYPE_CHECKING:
    from enhance.imaging.photo import Photo
    from enhance.preference.session import Session

ROUNDS = 20


def prefer(
    photo: Annotated[Path, typer.Argument(metavar="PHOTO", help="The photo to choose for.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Where the result goes.")
    ] = None,
    recipe: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Save the settings, to `enhance apply`.")
    ] = None,
    operator: Operators = None,
    fix: Fix = None,
    bound: Bound = None,
    seed: Seed = 0,
    picture: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Where the two are shown, side by side; a file that is there is replaced. "
            "By default PHOTO.choice.png in this folder, removed when all is asked.",
        ),
    ] = None,
    session: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Keep the choices; go on if it is there, with the options that it began with "
            "or none.",
        ),
    ] = None,
    rounds: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="How many choices to ask for.", show_default=str(ROUNDS)
        ),
    ] = None,
    choices: Annotated[
        str | None,
        typer.Option(metavar="LIST", help="Do not ask; take these: left,right,same,..."),
    ] = None,
) -> None:
    """Choose between two versions of a photo, again and again: the settings follow.

    Keep the picture open in a viewer that shows changes. An answer may be shortened to its first
    letter; `undo` takes the last one back, `done` stops. With --choices, the picture shows what
    to choose between next, and --session lets the next call go on there.
    """
    from enhance.atomic import check_writable
    from enhance.imaging.files import check_target

    # a name of the command's own, which no two photos of a folder share
    shown_at = Path(f"{photo.name}.choice.png") if picture is None else picture
    outputs = {"--output": output, "--recipe": recipe, "--picture": shown_at, "--session": session}
    check_apart([photo], outputs)
    for path in filter(None, (output, shown_at)):
        check_target(path, source=photo)
    for path in filter(None, (recipe, session)):
        check_writable(path)
    if choices is not None and rounds is not None:
        raise ParameterError("give --rounds, to be asked, or --choices, not both")
    if choices is None and sys.stdin is None:  # closed, by `<&-`
        raise ParameterError("there is no standard input to answer on: give --choices")
    given = None if choices is None else [_answer(word) for word in choices.split(",") if word]
    shown = photo if output is None else read_for(photo, output)
    asking = _open(shown, operator, fix, bound, seed, session)
    if given is None:
        try:
            for word in _asked(asking, shown_at, rounds or ROUNDS):
                asking.undo() if word == "undo" else asking.choose(word)  # type: ignore[arg-type]
                _keep(asking, session)
        finally:  # an interruption leaves the session, not the picture
            if picture is None:
                shown_at.unlink(missing_ok=True)
    else:
        for word in given:
            asking.choose(word)  # type: ignore[arg-type]
        _show(asking, shown_at)
        _keep(asking, session)
    _finish(asking, photo, output, recipe)


def _open(
    photo: Path | Photo,
    operator: list[str] | None,
    fix: list[str] | None,
    bound: list[str] | None,
    seed: int,
    session: Path | None,
) -> Session:
    import enhance

    fixed, bounds = read_values(fix or [], "--fix"), read_bounds(bound or [], "--bound")
    if session is not None and session.exists():
        asking = enhance.prefer(photo, resume=session)
        _check_same(asking, session, operator or [], fixed, bounds, seed)
        return asking
    return enhance.prefer(photo, operator or None, fixed=fixed, bounds=bounds, seed=seed)


def _check_same(
    asking: Session,
    session: Path,
    operator: list[str],
    fixed: Mapping[str, float],
    bounds: Mapping[str, tuple[float, float]],
    seed: int,
) -> None:
    """Find out whether what is asked for is what the session began with; nothing is, too."""
    from enhance.operators.resolve import members

    held: list[tuple[str, object, object]] = []
    if operator:
        names = [member.name for member in members(asking.operator)]
        held.append(("--operator", names, operator))
    if seed:
        held.append(("--seed", asking.seed, seed))
    for name, value in fixed.items():
        held.append((f"--fix {name}", asking.space.constant.get(name), value))
    for name, pair in bounds.items():
        parameter = asking.space.varying.get(name)
        within = None if parameter is None else (parameter.low, parameter.high)
        held.append((f"--bound {name}", within, pair))
    for option, before, now in held:
        if before != now:
            raise ParameterError(
                f"{option} must be what {session} began with, {before}, or be left out, got {now}"
            )


def _asked(asking: Session, picture: Path, rounds: int) -> Iterator[str]:
    """What the person at the terminal answers, until they are done."""
    begun = len(asking.choices)
    while len(asking.choices) < begun + rounds:
        _show(asking, picture)
        number = len(asking.choices) - begun + 1
        prompt = f"{picture}, {number} of {rounds}: left, right, same, undo or done? "
        print(prompt, end="", flush=True)
        line = sys.stdin.readline()
        if not line:
            print()
            return
        try:
            word = _answer(line, "undo", "done")
        except ParameterError as error:
            print(error)
            continue
        if word == "done":
            return
        yield word
        begun = min(begun, len(asking.choices))  # choices of an earlier run may be taken back


def _answer(text: str, *more: str) -> str:
    """The answer that a word or its beginning stands for."""
    from enhance.preference.taste import Answer

    known = (*get_args(Answer), *more)
    word = text.strip().lower()
    for name in known:
        if word and name.startswith(word):
            return str(name)
    raise ParameterError(f"a choice must be one of {', '.join(known)}, got {word!r}")


def _show(asking: Session, picture: Path) -> None:
    from enhance.comparison import save_before_after

    pair = asking.pair()
    save_before_after(pair.left.pixels, pair.right.pixels, picture, labels=("left", "right"))


def _keep(asking: Session, path: Path | None) -> None:
    if path is not None:
        asking.save(path)


def _finish(asking: Session, photo: Path, output: Path | None, recipe: Path | None) -> None:
    import enhance

    found = asking.result()
    print(f"{photo}: {found.reason}, about {asking.doubt:.1f} CIE76 from the ideal")
    for name, value in asking.settings.items():
        print(f"  {name:<12} {value:8.3f}")
    if output is not None:
        enhance.apply(photo, found, output=output)
        print(f"  wrote {output}")
    if recipe is not None:
        found.save(recipe)
        print(f"  wrote {recipe}")
