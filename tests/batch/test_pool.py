"""Worker processes: every task has an outcome, whatever becomes of its process.

The tasks are Python expressions, so that nothing but the standard library must be found there.
"""

from __future__ import annotations

import multiprocessing
from functools import partial

import pytest

from enhance.batch.pool import Death, work_through

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
