"""What every command says and how: errors in one line, several photos one by one."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from enhance.errors import EnhanceError, WriteError

if TYPE_CHECKING:
    from enhance import TuneResult


def one_line(message: object) -> str:
    """The message with every run of white space made one space."""
    return " ".join(str(message).split())


def complain(message: object) -> None:
    """Print one line on stderr, as Unix commands do: ``enhance: what is wrong``."""
    if sys.stderr is not None:  # closed, by `2>&-`
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
        except BrokenPipeError:  # the reader has gone: nothing to do for the others either
            raise
        except (EnhanceError, OSError) as error:
            complain(error)
            failed += 1
    if not failed:
        return 0
    return 2 if failed == len(photos) else 1


def describe(result: TuneResult, seconds: float) -> str:
    """What tuning found, in a few lines."""
    low, high = result.interval
    lines = [f"{result.verdict}: {result.reason}"]
    lines += [f"  {name:<12} {value:8.3f}" for name, value in result.settings.items()]
    lines.append(
        f"  score {result.baseline:.3f} -> {result.score:.3f}, gain {result.gain:+.3f} "
        f"(95 % interval {low:+.3f} to {high:+.3f})"
    )
    lines.append(f"  {result.strategy}, {seconds:.1f} s")
    return "\n".join(lines)


def make_folder(folder: Path) -> None:
    """Make a folder and its parents unless it is there.

    Raises:
        WriteError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f"cannot make the folder {folder}: {error.strerror}") from None
