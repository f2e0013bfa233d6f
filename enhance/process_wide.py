"""What belongs to a whole process, such as warning filters, changed while anybody needs it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType


class ProcessWide:
    """A context that several threads may be in: the first one changes things, the last restores.

    Args:
        change: makes the changes, and tells the stack how to take them back.

    >>> changes = []
    >>> def change(stack):
    ...     changes.append("made")
    ...     stack.callback(changes.append, "taken back")
    >>> here = ProcessWide(change)
    >>> with here, here:
    ...     changes.append("used")
    >>> changes
    ['made', 'used', 'taken back']
    """

    def __init__(self, change: Callable[[ExitStack], object]) -> None:
        self._change = change
        self._lock = threading.Lock()
        self._users = 0
        self._restore = ExitStack()

    def __enter__(self) -> None:
        with self._lock:
            if self._users == 0:
                self._change(self._restore)
            self._users += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._lock:
            self._users -= 1
            if self._users == 0:
                self._restore.close()
