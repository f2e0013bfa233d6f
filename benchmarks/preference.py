"""How many choices it takes to find a person's settings: ``python -m benchmarks.preference``.

A simulated person has settings of their own, hidden from the session, and of two versions prefers
the one that looks nearer to them; some of the answers are wrong. ``--write`` records it in
``docs/benchmarks/preference.json`` and ``.md``; ``--quick`` takes one photo and one person.
"""

from __future__ import annotations

import argparse
import statistics
from typing import Any

import torch
from torch import Tensor

from benchmarks import _pages
from benchmarks._measures import ciede2000
from benchmarks._timing import machine
from enhance import prefer
from enhance.operators.rendering import render_full
from enhance.operators.resolve import resolve_operator
from enhance.preference.taste import SPREAD
from enhance.preview import preview
from enhance.tuning.space import Space

PHOTOS = ("coffee", "chelsea")
OPERATORS = ("laplacian", "tone")
SLIPS = (0.0, 0.1)
COUNTS = (0, 5, 10, 15, 20)
PEOPLE = 2
SIDE = 192  # longest side of the photos, in px


def photo(name: str) -> Tensor:
    """A photo ``(1, 3, H, W)`` that scikit-image ships, made small."""
    from skimage import data

    pixels = torch.from_numpy(getattr(data, name)()[..., :3].copy())
    return preview(pixels.permute(2, 0, 1)[None].float() / 255, native=False, side=SIDE)


def hidden_settings(space: Space, person: int) -> dict[str, float]:
    """What a person likes: as far from the default as the session supposes people to be."""
    generator = torch.Generator().manual_seed(person)
    away = SPREAD * torch.randn(len(space.names), generator=generator, dtype=torch.float64)
    return space.describe((space.defaults() + away).clamp(0, 1))


def distances(name: str, operator: str, person: int, slips: float) -> list[float]:
    """Mean CIEDE2000 from the session's settings to the person's, after each of `COUNTS`."""
    pixels, chosen = photo(name), resolve_operator(operator)
    ideal = render_full(chosen, pixels, hidden_settings(Space.of(chosen), person))
    generator = torch.Generator().manual_seed(person)
    session = prefer(pixels, operator, start={}, seed=person)
    found = []
    for count in range(COUNTS[-1] + 1):
        if count in COUNTS:
            found.append(ciede2000(render_full(chosen, pixels, session.settings), ideal))
        pair = session.pair()
        nearer = ciede2000(pair.left.pixels, ideal) < ciede2000(pair.right.pixels, ideal)
        wrong = bool(torch.rand((), generator=generator) < slips)
        session.choose("left" if nearer != wrong else "right")
    return found


def report(results: list[dict[str, Any]]) -> str:
    """A Markdown table: medians over photos and people."""
    lines = [
        "| operator | wrong answers | " + " | ".join(f"{n} choices" for n in COUNTS) + " |",
        "|---|---|" + "---|" * len(COUNTS),
    ]
    groups: dict[tuple[str, float], list[list[float]]] = {}
    for row in results:
        groups.setdefault((row["operator"], row["slips"]), []).append(row["distances"])
    for (operator, slips), rows in groups.items():
        medians = [statistics.median(column) for column in zip(*rows, strict=True)]
        lines.append(
            f"| {operator} | {slips:.0%} | " + " | ".join(f"{m:.1f}" for m in medians) + " |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure, print, and with ``--write`` record in docs/benchmarks."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="one photo, one person")
    _pages.add_options(parser, "preference")
    arguments = _pages.parse(parser)
    if arguments.render:
        _pages.render(arguments.render, page)
        return
    results = [
        {
            "photo": name,
            "operator": operator,
            "person": person,
            "slips": slips,
            "distances": distances(name, operator, person, slips),
        }
        for operator in OPERATORS
        for slips in SLIPS
        for name in (PHOTOS[:1] if arguments.quick else PHOTOS)
        for person in range(1 if arguments.quick else PEOPLE)
    ]
    facts = {"command": _pages.command("preference"), "machine": machine(), "choices": COUNTS}
    _pages.record("preference", page, facts | {"results": results}, write=arguments.write)


def page(facts: _pages.Facts) -> str:
    """The page of what was recorded."""
    results = facts["results"]
    photos, people = (len({row[key] for row in results}) for key in ("photo", "person"))
    return (
        f"# Left or right: how many choices\n\n`{facts['command']}`: of two versions, "
        "a simulated person prefers the one that looks nearer (mean CIEDE2000) to settings of "
        f"their own, drawn {SPREAD:g} of each parameter's range about the default, and is wrong "
        "in so many of the answers. Median CIEDE2000 between what the session found and what the "
        f"person likes, over {photos} photos and {people} people each. Figures are in "
        f"`preference.json`.\n\n{report(results)}\n"
    )


if __name__ == "__main__":
    main()
