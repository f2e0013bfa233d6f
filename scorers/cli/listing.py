"""`scorers list`: which scorers there are, and their cards."""

from __future__ import annotations

from typing import Annotated

import typer


def list_scorers(
    cards: Annotated[bool, typer.Option("--cards", help="Print whole model cards.")] = False,
) -> None:
    """Name the scorers that load right now, and the published ones that can be fetched."""
    from scorers import zoo
    from scorers.weights_file import read_weights

    ready = {name: read_weights(zoo.find(name))[1] for name in zoo.list_scorers()}
    absent = {name: e.card for name, e in zoo.PUBLISHED.items() if name not in ready}
    for name, card in {**ready, **absent}.items():
        if cards:
            print(card.to_markdown())
        else:
            state = "ready" if name in ready else f"not fetched; run: scorers fetch {name}"
            print(f"{name:<18} {card.summary} [{card.licence or 'licence not stated'}] ({state})")
