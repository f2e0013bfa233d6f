"""What every command says when something is wrong."""

from __future__ import annotations

import sys


def complain(message: object) -> None:
    """Print one line on stderr, as Unix commands do: ``scorers: what is wrong``."""
    if sys.stderr is not None:  # closed, by `2>&-`
        print(f"scorers: {' '.join(str(message).split())}", file=sys.stderr)
