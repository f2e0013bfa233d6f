"""What every command says and how: errors in one line, several photos one by one."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from enhance.errors import EnhanceError
from scorers.errors import ScorerError


def one_line(message: object) -> str:
    """The message with every run of white space made one space."""
    return " ".join(str(message).split())


def complain(message: object) -> None:
    """Print one line on stderr, as Unix commands do: ``enhance: what is wrong``."""
    print(f"enhance: {one_line(message)}", file=sys.stderr)


def each(photos: Sequence[Path], work: Callable[[Path], None]) -> int:
    """Do `work` on every photo; name those that fail and go on.

    Returns:
        The exit status: 0 when all are done, 1 when some failed, 2 when all did.
    """
    failed = 0
    for photo in photos:
        try:
            work(photo)
        except (EnhanceError, ScorerError) as error:
            complain(error)
            failed += 1
    if not failed:
        return 0
    return 2 if failed == len(photos) else 1
