"""What every benchmark does with its figures: print them, and with ``--write`` record them.

Recorded are the figures, the command and the machine as JSON, and a page that is made of that file
and of what the code says is in use: ``--render`` makes the page anew without measuring again.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from scorers.evaluation.report import as_json

FOLDER = Path(__file__).parent.parent / "docs" / "benchmarks"
"""Where pages and figures are recorded."""
ELSEWHERE = {"guards": "../guards.md", "witnesses": "../denoising_witnesses.md"}
"""Pages that stand outside that folder, by their name."""
Facts = Mapping[str, Any]
"""What a JSON file holds: ``command``, ``machine``, and the figures."""
Page = Callable[[Facts], str]


def add_options(parser: argparse.ArgumentParser, name: str) -> None:
    """``--write`` and ``--render``, which every benchmark has."""
    parser.add_argument(
        "--write", action="store_true", help="record figures and page in docs/benchmarks"
    )
    parser.add_argument(
        "--render",
        nargs="?",
        const=name,
        metavar="NAME",
        help="measure nothing: make the page of this name anew from its figures",
    )


def parse(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """The arguments given; a quick trial is no record.

    Raises:
        SystemExit: an option that there is not, or ``--quick`` with ``--write``.
    """
    arguments = parser.parse_args()
    if arguments.write and getattr(arguments, "quick", False):
        parser.error("--quick is a trial: it must not be recorded with --write")
    return arguments


def command(module: str, given: Sequence[str] | None = None) -> str:
    """The command that runs now, with photos named by way of ``$ENHANCE_DATA``.

    >>> command("tuning", ["--photo", "chelsea"])
    'python -m benchmarks.tuning --photo chelsea'
    """
    words = sys.argv[1:] if given is None else given
    return " ".join([f"python -m benchmarks.{module}", *map(_named, words)])


def _named(word: str) -> str:
    data = os.environ.get("ENHANCE_DATA")
    if data and Path(word).is_absolute() and Path(word).is_relative_to(data):
        return f"$ENHANCE_DATA/{shlex.quote(str(Path(word).relative_to(data)))}"
    return shlex.quote(word)


def record(name: str, page: Page, facts: Facts, *, write: bool, folder: Path = FOLDER) -> None:
    """Print the page of these facts; write both where asked to, and say where.

    The facts go first: what took hours to measure is not lost with a page that cannot be made.
    """
    data = as_json(facts, indent=2) + "\n"
    if write:
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder / f"{name}.json", data)
    text = page(json.loads(data))
    print(text)
    if write:
        _write(_page(name, folder), text)
    else:
        print(f"nothing written: --write records it in {folder}", file=sys.stderr)


def _write(path: Path, content: str) -> None:
    path.write_text(content, encoding="utf-8")
    print(f"wrote {path}", file=sys.stderr)


def render(name: str, page: Page, *, folder: Path = FOLDER) -> None:
    """Write the page of recorded facts anew.

    Raises:
        SystemExit: with a line on stderr, where none are recorded under this name.
    """
    path = folder / f"{name}.json"
    if not path.is_file():
        raise SystemExit(f"cannot render {name}: no such file as {path}")
    _write(_page(name, folder), page(json.loads(path.read_text(encoding="utf-8"))))


def _page(name: str, folder: Path) -> Path:
    return (folder / ELSEWHERE.get(name, f"{name}.md")).resolve()
