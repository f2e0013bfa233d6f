"""Worker processes: every task has an outcome, whatever becomes of its process.

The tasks are Python expressions, so that nothing but the standard library must be found there.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from enhance.batch.pool import Death, work_through
from enhance.errors import EnhanceError

EVALUATE = partial(partial, eval)
"""Makes, in its process, the function that evaluates an expression."""


def test_every_task_has_its_outcome_though_workers_die() -> None:
    dying = {
        "__import__('os')._exit(3)": 3,
        "__import__('os').kill(__import__('os').getpid(), 9)": -9,
    }
    tasks = ["1 + 1", *dying, "2 + 2", "3 + 3"]
    outcomes = dict(work_through(EVALUATE, tasks, workers=2))
    assert outcomes == {
        "1 + 1": 2,
        "2 + 2": 4,
        "3 + 3": 6,
        **{task: Death(status) for task, status in dying.items()},
    }
    assert "memory" in str(Death(-9))
    assert str(Death(3)).endswith("died with status 3")
    assert not multiprocessing.active_children()


def test_an_error_ends_the_work() -> None:
    with pytest.raises(ZeroDivisionError):
        list(work_through(EVALUATE, ["1 / 0", "1", "2"], workers=1))
    assert not multiprocessing.active_children()


def test_a_caller_who_stops_leaves_no_process() -> None:
    outcomes = work_through(EVALUATE, ["1", "__import__('time').sleep(60)"], workers=2)
    assert next(outcomes) == ("1", 1)
    outcomes.close()
    assert not multiprocessing.active_children()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_worker_does_not_outlive_its_parent(how: signal.Signals, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import os, time\n"
        "from enhance.batch.pool import work_through\n"
        "def make():\n"
        "    return lambda task: (print(os.getpid(), flush=True), time.sleep(600))\n"
        "if __name__ == '__main__':\n"
        "    list(work_through(make, [1], 1))\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, env=environment
    ) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        parent.send_signal(how)
        try:
            parent.communicate(timeout=30)  # the worker holds the pipe for as long as it lives
        except subprocess.TimeoutExpired:
            os.kill(worker, signal.SIGKILL)
            raise


def die() -> None:
    os._exit(1)


def test_workers_that_cannot_begin_are_not_tried_on_every_task() -> None:
    with pytest.raises(EnhanceError, match=r"status 1, before it took a task; .*__main__"):
        list(work_through(die, ["1", "2", "3"], workers=2))  # type: ignore[arg-type]
    assert not multiprocessing.active_children()


class Odd(Exception):
    """Is pickled without complaint, and cannot be read again."""

    def __init__(self, left: int, right: int) -> None:
        super().__init__(f"{left} is not {right}")


def test_an_error_that_cannot_travel_keeps_what_it_says() -> None:
    raising = f"(_ for _ in ()).throw(__import__({__name__!r}, fromlist=['Odd']).Odd(1, 2))"
    with pytest.raises(EnhanceError, match="Odd: 1 is not 2"):
        list(work_through(EVALUATE, [raising], workers=1))
