"""The workers of a batch on Ray: actors that hold the model, on this machine or on a cluster.

Actors and not Ray Data: the journal wants every photo when it is done rather than when its block
is, and the death of a worker must cost the photo that it worked on and no other.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, Generic, TypeVar

from enhance.batch.pool import Death, portable
from enhance.errors import EnhanceError, MissingExtraError, ParameterError

Task = TypeVar("Task")
Outcome = TypeVar("Outcome")

STARTS = 3
"""How often Ray is started on this machine: it waits 30 s for itself, too few on a busy one."""


class Worker(Generic[Task, Outcome]):
    """What an actor runs: makes the working function once, at its first task."""

    def __init__(self, make: Callable[[], Callable[[Task], Outcome]]) -> None:
        self._make = make
        self._work: Callable[[Task], Outcome] | None = None

    def do(self, task: Task) -> Outcome:
        """Do one task."""
        try:
            if self._work is None:  # not on construction, where Ray would hide what went wrong
                self._work = self._make()
            return self._work(task)
        except Exception as error:
            raise portable(error) from None


def check_ray() -> Any:
    """The `ray` package.

    Raises:
        MissingExtraError: it is not installed.
    """
    # no statistics are sent from here, and no environment is changed for lack of a GPU
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ImportError as error:
        raise MissingExtraError(
            "the engine ray needs Ray: pip install 'enhance-tune[ray]'"
        ) from error
    return ray


def check_address(address: str | None) -> None:
    """Find out, before any work, whether there is a choice of the cluster.

    Raises:
        ParameterError: an address where Ray runs in this process already, and so on its cluster.
        MissingExtraError: Ray is not installed.
    """
    if check_ray().is_initialized() and address is not None:
        raise ParameterError(
            f"address must be left out where Ray already runs in this process, got {address!r}"
        )


def work_through_ray(
    make: Callable[[], Callable[[Task], Outcome]],
    tasks: Iterable[Task],
    workers: int | None,
    address: str | None = None,
) -> Iterator[tuple[Task, Outcome | Death]]:
    """As `enhance.batch.pool.work_through`, with Ray actors in place of processes.

    Args:
        make: called once in each actor, gives the function that does a task; pickled by Ray.
        tasks: given to actors as they become free.
        workers: how many actors, each with one core; at most one per core of the cluster, and
            exactly that for None.
        address: of a cluster, as `ray.init` takes it (``"auto"``, ``"host:6379"``, or from outside
            ``"ray://host:10001"``, which needs ``ray[client]``); None starts Ray on this machine
            for as long as the tasks last, unless it runs in this process already, whose cluster is
            then used. Workers on other machines need this package, the photos and the output
            folder at the same places.

    Raises:
        ParameterError: an address where Ray runs in this process already.
        EnhanceError: the cluster cannot be reached, or can give no worker.
        Exception: what `make` or a task raised.
    """
    check_address(address)
    ray = check_ray()
    ours = not ray.is_initialized()
    if ours:
        _start(ray, workers, address)
    try:
        cores = max(1, int(ray.cluster_resources().get("CPU", 1)))
        yield from _through(ray, make, iter(tasks), min(workers or cores, cores))
    finally:
        if ours:
            ray.shutdown()


def _start(ray: Any, workers: int | None, address: str | None) -> None:
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": "error"}
    if address is None:
        options |= {"num_cpus": workers, "include_dashboard": False}
    for left in reversed(range(STARTS if address is None else 1)):
        try:
            ray.init(address=address or "local", **options)
            return
        except Exception as error:  # of this very type where a start took longer than Ray waits
            ray.shutdown()
            if left and type(error) is Exception:
                continue
            reason = " ".join(str(error).split())
            place = address or "this machine"
            raise EnhanceError(f"cannot reach Ray at {place}: {reason}") from error


def _through(
    ray: Any,
    make: Callable[[], Callable[[Task], Outcome]],
    tasks: Iterator[Task],
    workers: int,
) -> Iterator[tuple[Task, Outcome | Death]]:
    actor_of = ray.remote(num_cpus=1)(Worker)
    # of several kinds, as memory may run out on the word of Ray's own watchman or of the kernel,
    # or with the whole machine
    deaths = (
        ray.exceptions.RayActorError,
        ray.exceptions.OutOfMemoryError,
        ray.exceptions.NodeDiedError,
        ray.exceptions.WorkerCrashedError,
    )
    busy: dict[Any, tuple[Any, Task]] = {}
    for task in islice(tasks, workers):
        actor = actor_of.remote(make)
        busy[actor.do.remote(task)] = actor, task
    while busy:
        (done,), _ = ray.wait(list(busy), num_returns=1)
        actor, task = busy.pop(done)
        outcome: Outcome | Death
        try:
            outcome = ray.get(done)
        except ray.exceptions.RayTaskError as error:
            raise error.cause from error
        except deaths:
            outcome = Death(None)
        except ray.exceptions.RayError as error:
            raise EnhanceError(f"Ray cannot go on: {' '.join(str(error).split())}") from error
        for following in islice(tasks, 1):
            if isinstance(outcome, Death):
                actor = actor_of.remote(make)
            busy[actor.do.remote(following)] = actor, following
        yield task, outcome
