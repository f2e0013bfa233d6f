"""The live summary of a batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from types import TracebackType
from typing import Any

from enhance.batch.row import Row


class Progress:
    """A bar on stderr that counts verdicts; silent unless shown.

    Args:
        total: how many photos there are.
        done: rows of an earlier run.
        shown: False makes it do nothing.
    """

    def __init__(self, total: int, done: Iterable[Row], shown: bool) -> None:
        self._counts = Counter(row.verdict for row in done)
        self._bar: Any = None
        if shown:
            from tqdm import tqdm

            self._bar = tqdm(total=total, initial=self._counts.total(), unit="photo")
            self._bar.set_postfix(self._counts)

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.close()

    def add(self, row: Row) -> None:
        """Count one more."""
        self._counts[row.verdict] += 1
        if self._bar is not None:
            self._bar.set_postfix(self._counts, refresh=False)
            self._bar.update()
