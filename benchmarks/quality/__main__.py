"""Run the parts asked for, print their tables, and write them to docs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from benchmarks._photos import photo_folder
from benchmarks._timing import machine, write_json
from benchmarks.quality import denoising, lowlight, tasks, tone
from benchmarks.quality.methods import tone_methods
from scorers.evaluation.figure import Figure

FOLDER = Path(__file__).parents[2] / "docs" / "benchmarks"
PARTS = {
    "fivek": "Towards a retoucher: FiveK",
    "recovery": "Distort and recover",
    "lowlight": "Badly lit photos: guards broken",
    "kodak": "White noise: Kodak24",
    "polyu": "Real noise: PolyU",
}
PHOTOS = {"recovery": 32}
"""How many photos a part takes unless told; all of the others'."""


def main() -> None:
    """Measure, print, and with ``--write`` record in docs."""
    arguments = _arguments()
    torch.set_num_threads(arguments.threads)
    shared = photo_folder()
    sections, results = [], {}
    for part in arguments.only or PARTS:
        rows, table = measure(part, shared, arguments)
        sections.append(f"## {PARTS[part]}\n\n{table}")
        results[part] = [asdict(row) for row in rows]
        print(f"\n{sections[-1]}\n", flush=True)
    if arguments.write:
        command = "python -m benchmarks.quality " + " ".join(sys.argv[1:])
        facts = {"command": command, "machine": machine(), "parts": results}
        write_json(FOLDER / f"{arguments.name}.json", facts)
        where = f"{machine()['processor']}, {arguments.threads} thread(s)"
        head = (
            f"# Quality\n\n`{command}`, {where}. Means over the photos with 95 % bootstrap "
            "intervals; distances are mean CIEDE2000. Hindsight is chosen with the reference at "
            "hand. Every photo's own figures are in the JSON file."
        )
        text = "\n\n".join([head, *sections]) + "\n"
        (FOLDER / f"{arguments.name}.md").write_text(text)


def measure(part: str, shared: Path, arguments: argparse.Namespace) -> tuple[Sequence[Any], str]:
    """Rows of one part, and its table."""
    count = arguments.photos or PHOTOS.get(part)
    side = arguments.side
    if part in ("kodak", "polyu"):
        given = {"kodak": tasks.kodak, "polyu": tasks.polyu}[part](shared, count, side)
        figures: Callable[[list[Any]], dict[str, Figure]] = {
            "kodak": denoising.kodak_figures,
            "polyu": denoising.polyu_figures,
        }[part]
        methods = chosen(denoising.choosers(shared), arguments.methods)
        rows: Sequence[Any] = denoising.run(given, methods)
    elif part == "lowlight":
        methods = chosen(tone_methods(shared), arguments.methods)
        rows, figures = lowlight.run(tasks.low_light(shared, count), methods), lowlight.figures
    else:
        given = {"fivek": tasks.fivek, "recovery": tasks.recovery}[part](shared, count)
        methods = chosen(tone_methods(shared), arguments.methods)
        rows = tone.run(given, methods)
        figures = {"fivek": tone.fivek_figures, "recovery": tone.recovery_figures}[part]
    return rows, render_table(rows, figures)


def chosen(methods: Mapping[str, Any], wanted: Iterable[str] | None) -> dict[str, Any]:
    """The methods whose name holds one of the words; all for None."""
    if wanted is None:
        return dict(methods)
    return {n: m for n, m in methods.items() if any(word in n for word in wanted)}


def render_table(rows: Sequence[Any], figures: Callable[[list[Any]], dict[str, Figure]]) -> str:
    """A Markdown table: one method a line, one figure with its interval a column."""
    table = {
        method: figures([row for row in rows if row.method == method])
        for method in dict.fromkeys(row.method for row in rows)
    }
    columns = list(next(iter(table.values())))
    lines = [f"| method | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    for method, measured in table.items():
        cells = [_cell(measured[column]) for column in columns]
        lines.append(f"| {method} | {' | '.join(cells)} |")
    count = len({row.photo for row in rows})
    return "\n".join([*lines, "", f"{count} photos."])


def _cell(figure: Figure) -> str:
    return f"{figure.value:.2f} [{figure.low:.2f}, {figure.high:.2f}]"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality")
    parser.add_argument("--only", nargs="+", choices=PARTS, help="parts to run; default: all")
    parser.add_argument("--photos", type=int, help="at most so many photos in each part")
    parser.add_argument(
        "--methods", nargs="+", metavar="WORD", help="methods whose name holds one of these"
    )
    parser.add_argument("--side", type=int, help="noise: central squares of so many px; else whole")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--write", action="store_true", help="record in docs/benchmarks")
    parser.add_argument("--name", default="quality", help="of the files written")
    return parser.parse_args()


if __name__ == "__main__":
    main()
