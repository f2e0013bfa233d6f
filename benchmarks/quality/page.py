"""The page of what was recorded: tables of figures, made of every photo's own row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from benchmarks._pages import Facts
from benchmarks.quality import denoising, lowlight, tone
from benchmarks.quality.tasks import base
from scorers.evaluation.figure import Figure

Figures = Callable[[list[Any]], dict[str, Figure | float]]


class Part(NamedTuple):
    """One table: its heading, what a row is, and how rows become figures."""

    title: str
    row: type[Any]
    figures: Figures


PARTS = {
    "fivek": Part("Towards a retoucher: FiveK", tone.Row, tone.fivek_figures),
    "recovery": Part("Distort and recover", tone.Row, tone.recovery_figures),
    "lowlight": Part("Badly lit photos: guards broken", lowlight.Row, lowlight.figures),
    "kodak": Part("White noise: Kodak24", denoising.Row, denoising.kodak_figures),
    "polyu": Part("Real noise: PolyU", denoising.Row, denoising.polyu_figures),
}
HEAD = (
    "Means over the photos with 95 % intervals: exact for shares of independent photos, by "
    "bootstrap for the rest, versions of one photo or scene together. Worst values and medians "
    "have none. Distances are mean CIEDE2000. Hindsight is chosen with the reference at hand. "
    "Every photo's own figures are in the JSON file."
)


def page(facts: Facts) -> str:
    """Everything that one command measured."""
    known = facts["machine"]
    where = f"{known['processor']}, {known['threads']} thread(s)"
    head = f"# Quality\n\n`{facts['command']}`, {where}. {HEAD}"
    sections = [section(part, rows) for part, rows in facts["parts"].items()]
    return "\n\n".join([head, *sections]) + "\n"


def section(part: str, rows: Sequence[dict[str, Any]]) -> str:
    """One table under its heading."""
    title, kind, figures = PARTS[part]
    table = render_table([kind(**row) for row in rows], figures)
    return f"## {title}\n\n{table}\n\n{_counted(part, {row['photo'] for row in rows})}"


def render_table(rows: Sequence[Any], figures: Figures) -> str:
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
    return "\n".join(lines)


def _cell(figure: Figure | float) -> str:
    if isinstance(figure, Figure):
        return f"{figure.value:.2f} [{figure.low:.2f}, {figure.high:.2f}]"
    return f"{figure:.3f}" if 0.0005 <= abs(figure) < 0.1 else f"{figure:.2f}"


def _counted(part: str, names: set[str]) -> str:
    """How many photos, whatever was made of each."""
    photos = {base(name) for name in names}
    if part == "polyu":
        return f"{len(names)} photos of {len(photos)} scenes."
    versions = len(names) // len(photos)
    return f"{len(photos)} photos{f', {versions} versions of each' if versions > 1 else ''}."
