"""Run the parts asked for, print their tables, and write them to docs."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from benchmarks import _pages
from benchmarks._photos import photo_folder
from benchmarks._timing import machine
from benchmarks.quality import denoising, lowlight, tasks, tone
from benchmarks.quality.methods import tone_methods
from benchmarks.quality.page import PARTS, page

NAME = "quality"
PHOTOS = {"recovery": 32}
"""How many photos a part takes unless told; all of the others'."""


def main() -> None:
    """Measure, print, and with ``--write`` record in docs."""
    arguments = _arguments()
    if arguments.render:
        _pages.render(arguments.render, page)
        return
    torch.set_num_threads(arguments.threads)
    shared = photo_folder()
    parts = {part: measure(part, shared, arguments) for part in arguments.only or PARTS}
    facts = {"command": _pages.command("quality"), "machine": machine(), "parts": parts}
    _pages.record(arguments.name, page, facts, write=arguments.write)


def measure(part: str, shared: Path, arguments: argparse.Namespace) -> Sequence[Any]:
    """Rows of one part."""
    count = arguments.photos or PHOTOS.get(part)
    side = arguments.side
    if part in ("kodak", "polyu"):
        given = {"kodak": tasks.kodak, "polyu": tasks.polyu}[part](shared, count, side)
        return denoising.run(given, chosen(denoising.choosers(shared), arguments.methods))
    methods = chosen(tone_methods(shared), arguments.methods)
    if part == "lowlight":
        return lowlight.run(tasks.low_light(shared, count), methods)
    given = {"fivek": tasks.fivek, "recovery": tasks.recovery}[part](shared, count)
    return tone.run(given, methods)


def chosen(methods: Mapping[str, Any], wanted: Iterable[str] | None) -> dict[str, Any]:
    """The methods whose name holds one of the words; all for None."""
    if wanted is None:
        return dict(methods)
    return {n: m for n, m in methods.items() if any(word in n for word in wanted)}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality")
    parser.add_argument("--only", nargs="+", choices=PARTS, help="parts to run; default: all")
    parser.add_argument("--photos", type=int, help="at most so many photos in each part")
    parser.add_argument(
        "--methods", nargs="+", metavar="WORD", help="methods whose name holds one of these"
    )
    parser.add_argument("--side", type=int, help="noise: central squares of so many px; else whole")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--name", default=NAME, help="of the files written")
    _pages.add_options(parser, NAME)
    return _pages.parse(parser)


if __name__ == "__main__":
    main()
