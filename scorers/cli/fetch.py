"""`scorers fetch`: download a published scorer once; it works offline afterwards."""

from __future__ import annotations

import sys
from typing import Annotated

import typer


def fetch(
    names: Annotated[
        list[str], typer.Argument(metavar="NAME...", help="Published scorers; see `list`.")
    ],
    timeout: Annotated[float, typer.Option(help="Seconds without a byte before giving up.")] = 30.0,
) -> None:
    """Download published scorers, check their sha256 and convert them into the cache."""
    from tqdm import tqdm

    from scorers.fetch import fetch as fetch_one

    for name in names:
        with tqdm(
            desc=name, unit="B", unit_scale=True, leave=False, disable=not sys.stderr.isatty()
        ) as bar:

            def show(received: int, expected: int | None, bar: tqdm = bar) -> None:
                bar.total = expected
                bar.update(received - bar.n)

            path = fetch_one(name, timeout=timeout, progress=show)
        print(f"{name}: {path}")
