"""What a batch has done so far, one JSON line per photo, so that a later run goes on from there.

The first line says what was asked. Every photo that is done is appended and forced to disk after
its files are in place; a line that a kill cut short is dropped, and its photo done again. At the
end the lines are put in the order of the photos, so that the file does not tell in which order, by
how many workers or after how many interruptions they were made.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from enhance.atomic import write_bytes
from enhance.batch.plan import JOURNAL, Job
from enhance.batch.row import Row
from enhance.errors import ReadError, WriteError

NAME = JOURNAL
PART = ".*.part"
"""Pattern of the temporary files that a killed process leaves."""


class Journal:
    """The journal of one output folder, held by one batch at a time.

    Args:
        folder: made if need be; empty, or left by an earlier run of the same batch.
        asked: description of the batch; see `Request.describe`.

    Raises:
        WriteError: the folder cannot be made or written, holds other files, belongs to a
            batch that was asked for something else, or another process is at work in it.
        ReadError: the journal is damaged otherwise than at its end.
    """

    def __init__(self, folder: Path, asked: Mapping[str, Any]) -> None:
        self.path = folder / NAME
        self._header: dict[str, Any] = json.loads(json.dumps(asked))
        self._rows: dict[str, tuple[list[int], Row]] = {}
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise WriteError(f"cannot make the folder {folder}: {error.strerror}") from None
        if not self.path.exists():
            _check_empty(folder)
        try:  # whoever comes first makes it, and whoever locks it first writes it
            self._file = os.fdopen(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o666), "r+b")
        except OSError as error:
            raise WriteError(f"cannot write {self.path}: {error.strerror}") from None
        try:
            _lock(self._file, self.path)
            self._read()
            if not self._file.tell():
                _check_empty(folder)
                self._append(_line(self._header))
        except BaseException:
            with suppress(OSError):  # what could not be written cannot be on closing either
                self._file.close()
            raise
        remove_parts(folder)

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._file.close()
        except OSError as problem:  # what could not be written cannot be on closing either
            if error is None:
                raise WriteError(f"cannot write {self.path}: {problem.strerror}") from problem

    def row(self, job: Job) -> Row | None:
        """The row of a photo that is done: unchanged since, and its files still there."""
        fingerprint, row = self._rows.get(job.photo, (None, None))
        if fingerprint != list(job.fingerprint) or row is None or row.output != job.output:
            return None
        return row if job.target.is_file() and job.recipe.is_file() else None

    def add(self, job: Job, row: Row) -> None:
        """Note a row; those of failed photos are forgotten, so that a later run tries again."""
        if row.verdict == "failed":
            self._rows.pop(job.photo, None)
            return
        self._rows[job.photo] = list(job.fingerprint), row
        self._append(self._entry(job.photo))

    def finish(self, jobs: Iterable[Job]) -> None:
        """Put the rows in the order of `jobs`, and drop those of photos that are gone.

        Results of photos that are gone, or that changed and fail now, are left where they are:
        whoever empties a memory card between two runs still wants what the first one made.
        """
        kept = [job for job in jobs if job.photo in self._rows]
        lines = [_line(self._header), *(self._entry(job.photo) for job in kept)]
        write_bytes(self.path, b"".join(lines))

    def _append(self, line: bytes) -> None:
        """Write a line and force it to disk."""
        try:
            self._file.write(line)
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise WriteError(f"cannot write {self.path}: {error.strerror}") from error

    def _entry(self, photo: str) -> bytes:
        fingerprint, row = self._rows[photo]
        return _line({"fingerprint": fingerprint} | row.as_dict())

    def _read(self) -> None:
        whole = 0
        for number, line in enumerate(self._file, 1):
            if not line.endswith(b"\n"):
                break
            whole += len(line)
            try:
                entries = json.loads(line)
                if number == 1:
                    self._check(entries)
                else:
                    fingerprint = entries.pop("fingerprint")
                    self._rows[entries["photo"]] = fingerprint, Row.from_dict(entries)
            except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
                raise ReadError(f"cannot read {self.path}: line {number} is damaged") from error
        self._file.seek(whole)
        self._file.truncate()

    def _check(self, header: Mapping[str, Any]) -> None:
        for name in (*self._header, *header):
            before, now = header.get(name), self._header.get(name)
            if before != now:
                raise WriteError(
                    f"cannot go on in {self.path.parent}: it was begun with {name}={before!r}, "
                    f"got {now!r}; choose another folder"
                )


def remove_parts(folder: Path) -> None:
    """Remove what interrupted writes left in the folder and in those below it."""
    for path in folder.rglob(PART):
        path.unlink(missing_ok=True)


def _check_empty(folder: Path) -> None:
    others = sorted(
        path.name for path in folder.iterdir() if path.name != NAME and not path.match(PART)
    )
    if others:
        raise WriteError(
            f"cannot write to {folder}: it must be empty or hold an earlier run of the batch, "
            f"got {others[0]!r}"
        )


def _lock(file: IO[bytes], path: Path) -> None:
    try:
        import fcntl
    except ImportError:  # Windows
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        same = os.path.samestat(os.fstat(file.fileno()), path.stat())
    except OSError:
        same = False
    if not same:  # or it was replaced while this one opened it
        raise WriteError(f"cannot write to {path.parent}: another batch is at work there")


def _line(entries: Mapping[str, Any]) -> bytes:
    # ASCII: file names that are not UTF-8 survive as escaped surrogates
    return json.dumps(entries, allow_nan=False).encode() + b"\n"
