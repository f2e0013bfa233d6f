"""Worker processes that take one task at a time; the death of one costs its task only.

`concurrent.futures` gives up on all tasks when one process dies, and cannot tell which task it
died of. A photo that is too large for the memory must not take the rest of a folder with it.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any, Generic, TypeVar

Task = TypeVar("Task")
Outcome = TypeVar("Outcome")


@dataclass(frozen=True)
class Death:
    """What is left of a task whose worker died.

    Attributes:
        status: the worker's exit status, ``-N`` by signal N; None where it is not known.
    """

    status: int | None

    def __str__(self) -> str:
        if self.status == -getattr(signal, "SIGKILL", 9):
            return "the worker process was killed, perhaps because memory ran out"
        if self.status is None:
            return "the worker process died, perhaps because memory ran out"
        return f"the worker process died with status {self.status}"


def work_through(
    make: Callable[[], Callable[[Task], Outcome]], tasks: Iterable[Task], workers: int
) -> Iterator[tuple[Task, Outcome | Death]]:
    """Give tasks to `workers` processes and yield their outcomes as they come.

    Args:
        make: called once in each process, gives the function that does a task; it, the tasks
            and the outcomes travel between processes and so must be picklable.
        tasks: taken as workers become free.
        workers: how many processes, at least 1. They are spawned, as a fork of a process that has
            used torch may deadlock; a script that calls this needs ``if __name__ == "__main__"``.

    Raises:
        Exception: what `make` or a task raised in its process.
    """
    staff = _Staff(make, iter(tasks))
    try:
        for _ in range(workers):
            staff.hire()
        while staff.busy:
            for connection in wait(list(staff.busy)):
                assert isinstance(connection, Connection)
                task, outcome = staff.collect(connection)
                if isinstance(outcome, Exception):
                    raise outcome
                yield task, outcome
    finally:
        staff.dismiss()


class _Staff(Generic[Task]):
    def __init__(self, make: Callable[[], Callable[[Task], Any]], tasks: Iterator[Task]) -> None:
        self._make = make
        self._tasks = tasks
        self._context = multiprocessing.get_context("spawn")
        self.busy: dict[Connection, tuple[SpawnProcess, Task]] = {}
        self._idle: list[tuple[Connection, SpawnProcess]] = []

    def hire(self) -> None:
        """Start a worker on the next task, if there is one."""
        for task in self._tasks:
            ours, theirs = self._context.Pipe()
            process = self._context.Process(target=_serve, args=(self._make, theirs), daemon=True)
            process.start()
            theirs.close()
            self._give(ours, process, task)
            return

    def _give(self, connection: Connection, process: SpawnProcess, task: Task) -> None:
        with suppress(BrokenPipeError):  # of a worker that has just died; `collect` will find it
            connection.send(task)
        self.busy[connection] = process, task

    def collect(self, connection: Connection) -> tuple[Task, Any]:
        """Take an outcome, and give its worker, or the successor of a dead one, the next task."""
        process, task = self.busy.pop(connection)
        try:
            outcome = connection.recv()
        except (EOFError, OSError):
            process.join()
            connection.close()
            self.hire()
            return task, Death(process.exitcode or 0)
        if isinstance(outcome, Exception):
            self._idle.append((connection, process))
            return task, outcome
        for following in self._tasks:
            self._give(connection, process, following)
            return task, outcome
        self._idle.append((connection, process))
        return task, outcome

    def dismiss(self) -> None:
        """Let idle workers go, stop busy ones, and wait for both."""
        for _, (process, _) in self.busy.items():
            process.terminate()
        everyone = [(c, p) for c, (p, _) in self.busy.items()] + self._idle
        for connection, process in everyone:
            connection.close()  # an idle worker reads the end and leaves
            process.join()


def _serve(make: Callable[[], Callable[[Any], Any]], connection: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what an interrupt means
    try:
        work = make()
        while True:
            connection.send(work(connection.recv()))
    except (EOFError, BrokenPipeError):
        return  # dismissed, or the parent has gone
    except Exception as error:
        connection.send(error)
