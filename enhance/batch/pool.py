"""Worker processes that take one task at a time; the death of one costs its task only.

`concurrent.futures` gives up on all tasks when one process dies, and cannot tell which task it
died of. A photo that is too large for the memory must not take the rest of a folder with it.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any, Generic, TypeVar

from enhance.errors import EnhanceError

Task = TypeVar("Task")
Outcome = TypeVar("Outcome")

GUARD = 'a script must start workers under `if __name__ == "__main__":`, as each imports it again'


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


def check_main() -> None:
    """Find out, before any work, whether this process is a worker that only imports its script.

    Raises:
        EnhanceError: it is; the script starts workers wherever it is imported.
    """
    # what multiprocessing itself asks, but only once there are files in the output folder
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        raise EnhanceError(GUARD)


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
        EnhanceError: a worker died before any had come so far as to take a task: the others would
            die of the same.
        Exception: what `make` or a task raised in its process.
    """
    staff = _Staff(make, iter(tasks))
    try:
        for _ in range(workers):
            staff.hire()
        while staff.busy:
            for connection in wait(list(staff.busy)):
                assert isinstance(connection, Connection)
                for task, outcome in staff.collect(connection):
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
        self._begun = False

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

    def collect(self, connection: Connection) -> Iterator[tuple[Task, Any]]:
        """Take what a worker says, and give it, or the successor of a dead one, the next task.

        Returns:
            The task and its outcome; nothing where the worker only says that it has begun.
        """
        process, task = self.busy.pop(connection)
        try:
            outcome = connection.recv()
        except (EOFError, OSError):
            process.join()
            connection.close()
            death = Death(process.exitcode or 0)
            if not self._begun:
                hint = "a later run tries again"
                if death.status == 1:  # an error on importing the script, or that very one
                    hint = f"see what it printed; {GUARD}"
                raise EnhanceError(f"{death}, before it took a task; {hint}") from None
            self.hire()
            yield task, death
            return
        if isinstance(outcome, Ready):
            self._begun = True
            self.busy[connection] = process, task
            return
        if isinstance(outcome, Exception):
            self._idle.append((connection, process))
            yield task, outcome
            return
        for following in self._tasks:
            self._give(connection, process, following)
            break
        else:
            self._idle.append((connection, process))
        yield task, outcome

    def dismiss(self) -> None:
        """Let idle workers go, stop busy ones, and wait for both."""
        for _, (process, _) in self.busy.items():
            process.terminate()
        everyone = [(c, p) for c, (p, _) in self.busy.items()] + self._idle
        for connection, process in everyone:
            connection.close()  # an idle worker reads the end and leaves
            process.join()


class Ready:
    """What a worker says when it has made its function and is to take tasks."""


def portable(error: Exception) -> Exception:
    """The error itself if it bears the way to another process, else its type and text as one.

    An exception whose constructor takes other arguments than it hands on is pickled without
    complaint and cannot be read again.

    >>> class Odd(Exception):
    ...     def __init__(self, left, right):
    ...         super().__init__(f"{left} is not {right}")
    >>> portable(Odd(1, 2))
    EnhanceError('Odd: 1 is not 2')
    """
    try:
        again = pickle.loads(pickle.dumps(error))
    except Exception:
        again = None
    if type(again) is type(error) and str(again) == str(error):
        return error
    return EnhanceError(f"{type(error).__name__}: {error}")


def _serve(make: Callable[[], Callable[[Any], Any]], connection: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what an interrupt means
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        work = make()
        connection.send(Ready())
        while True:
            connection.send(work(connection.recv()))
    except (EOFError, BrokenPipeError):
        return  # dismissed, or the parent has gone
    except Exception as error:
        connection.send(portable(error))


def _end_with_parent() -> None:
    """Leave at once when the parent has gone, in whatever way.

    Else the task would be finished first, and its result written over that of a later run.
    """
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)
