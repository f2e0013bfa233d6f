"""`scorers list`: which scorers there are, and their cards."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scorers.cli.console import complain
from scorers.errors import WeightsError


def list_scorers(
    cards: Annotated[bool, typer.Option("--cards", help="Print whole model cards.")] = False,
    pages: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write each card there as a page.")
    ] = None,
) -> None:
    """Name the scorers that load right now, and the published ones that can be fetched."""
    from scorers import zoo

    ready = {}
    for name in zoo.list_scorers():
        try:
            ready[name] = zoo.load(name).card  # which for an embedded one says what was measured
        except WeightsError as error:  # one damaged file must not hide the others
            complain(error)
    # a fetched file is converted on this machine; the published card holds everywhere
    known = ready | {name: entry.card for name, entry in zoo.PUBLISHED.items()}
    for name, card in known.items():
        if pages:
            pages.mkdir(parents=True, exist_ok=True)
            (pages / f"{name}.md").write_text(card.to_markdown(), encoding="utf-8")
        elif cards:
            print(card.to_markdown())
        else:
            state = "ready" if name in ready else f"not fetched; run: scorers fetch {name}"
            print(f"{name:<18} {card.summary} [{card.licence or 'licence not stated'}] ({state})")
