"""A batch from beginning to end."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal, get_args

from enhance.batch.journal import Journal, remove_parts
from enhance.batch.plan import Job, plan
from enhance.batch.pool import Death, check_main, work_through
from enhance.batch.progress import Progress
from enhance.batch.request import Request
from enhance.batch.row import Row
from enhance.batch.shared import Shared, share
from enhance.batch.worker import Outcome, make_worker
from enhance.errors import ParameterError, unknown_name, warn
from enhance.tuning.integers import check_whole
from enhance.tuning.together import check_together

Engine = Literal["local", "ray"]
"""Where the workers are: processes of this machine, or actors of Ray."""


@dataclass(frozen=True)
class BatchResult:
    """What became of a folder.

    Attributes:
        rows: one for each photo, by name.
        resumed: how many of them were done by an earlier run.
    """

    rows: Sequence[Row]
    resumed: int

    def count(self, verdict: str) -> int:
        """How many photos have this verdict: enhanced, untouched or failed."""
        return sum(row.verdict == verdict for row in self.rows)

    def summary(self) -> str:
        """The result in one line.

        >>> BatchResult([Row.failed("a.jpg", "cannot read a.jpg: empty file")], 0).summary()
        '1 photo: 0 enhanced, 0 untouched, 1 failed'
        """
        counted = ", ".join(f"{self.count(v)} {v}" for v in ("enhanced", "untouched", "failed"))
        text = f"{len(self.rows)} photo{'s' * (len(self.rows) != 1)}: {counted}"
        gains = [row.gain for row in self.rows if row.verdict == "enhanced" and row.gain]
        if gains:
            text += f"; mean gain of the enhanced {sum(gains) / len(gains):+.3f}"
        return text + f" ({self.resumed} done before)" * (self.resumed > 0)


def run_batch(
    folder: str | os.PathLike[str],
    output: str | os.PathLike[str],
    request: Request | None = None,
    *,
    workers: int | None = None,
    engine: Engine = "local",
    address: str | None = None,
    shared: Shared | None = None,
    progress: bool = False,
    on_failed: Callable[[Row], None] | None = None,
    on_warning: Callable[[Row, str], None] | None = None,
) -> BatchResult:
    """Tune every photo in a folder and its sub-folders, over worker processes.

    Each result is written to the same place in `output`, with its recipe beside it (``a.jpg`` and
    ``a.jpg.json``), and noted in ``output/batch.jsonl``. Run again after an interruption of any
    kind, photos that are done and unchanged are not done again, and files and rows are those of a
    run without interruption, whatever the number of workers. A photo that fails is a row with the
    error, and is tried again by the next run. A result that an earlier run made of a photo which
    now fails, or is gone, stays in the folder, and is in no row.

    Workers import the script that calls this, so there it must stand under
    ``if __name__ == "__main__":``.

    Args:
        folder: of the photos; they are only read. Folders in it that hold the results of a batch
            are left out.
        output: made if need be; empty, or left by an earlier run of the same batch.
        request: what to do with each photo; None for the defaults of `enhance.tune`.
        workers: how many processes, of one thread each; None for one per core (of the cluster,
            with Ray). Each needs the memory that `enhance.tune` needs for one photo.
        engine: ``"local"`` for processes of this machine, ``"ray"`` for actors of Ray. Files and
            rows are the same, but that errors name the files by their whole paths.
        address: of a Ray cluster, as `enhance.batch.ray_pool.work_through_ray` takes it; None for
            Ray on this machine.
        shared: let all photos look alike: one setting is found for a sample of them together, and
            each photo's own is near it; None for photos that have nothing to do with each other.
        progress: show a bar with counts on stderr.
        on_failed: called with the row of each photo that fails, as it does.
        on_warning: called with the row of a photo and what a worker warned of, line by line, such
            as metadata that was left out; None for warnings of Python.

    Raises:
        ReadError: no such folder, or no photo in it.
        WriteError: `output` cannot be written, holds other files, or a batch with other options.
        UnknownNameError, ParameterError: a request that cannot be met; ReadError also for a
            scorer that cannot be read.
        MissingExtraError: the engine ray without Ray.
        EnhanceError: no worker can be started, or this is one that imports its script.

    >>> if __name__ == "__main__":
    ...     result = run_batch("photos", "out", Request(("laplacian",)))  # doctest: +SKIP
    """
    check_main()
    request = request or Request()
    _check_engine(engine, address, workers)
    if shared is not None and not isinstance(shared, Shared):
        raise ParameterError(f"shared must be a Shared or None, got {shared!r}")
    source, target = Path(folder), Path(output)
    if engine == "ray":  # whose workers have a working folder of their own
        source, target = source.absolute(), target.absolute()
        request = _anywhere(request)
    jobs = plan(source, target)
    if shared is not None:
        check_together(request.operator())
    asked = {"folder": os.path.realpath(source)} | request.describe(request.check())
    asked["shared"] = None if shared is None else asdict(shared)
    with Journal(target, asked) as journal:
        rows = {job.photo: row for job in jobs if (row := journal.row(job)) is not None}
        resumed = len(rows)
        if shared is not None:
            request = share(shared, request, jobs, target, begun=bool(rows))
        left = [job for job in jobs if job.photo not in rows]
        try:
            with Progress(len(jobs), rows.values(), progress) as bar:
                for job, outcome in _outcomes(request, left, workers, engine, address):
                    row, warnings = _row(job, outcome)
                    journal.add(job, row)
                    rows[job.photo] = row
                    bar.add(row)
                    for message in warnings:
                        warn(message) if on_warning is None else on_warning(row, message)
                    if row.verdict == "failed" and on_failed is not None:
                        on_failed(row)
        finally:
            remove_parts(target)
        journal.finish(jobs)
    return BatchResult([rows[job.photo] for job in jobs], resumed)


def _check_engine(engine: str, address: str | None, workers: int | None) -> None:
    if engine not in get_args(Engine):
        raise unknown_name("engine", engine, get_args(Engine))
    if engine == "ray":
        from enhance.batch.ray_pool import check_address

        check_address(address)
    elif address is not None:
        raise ParameterError(f"an address goes with the engine ray only, got {address!r}")
    if workers is not None and check_whole("workers", workers) < 1:
        raise ParameterError(f"workers must be at least 1, got {workers}")


def _outcomes(
    request: Request,
    jobs: Sequence[Job],
    workers: int | None,
    engine: Engine,
    address: str | None,
) -> Iterator[tuple[Job, Outcome | Death]]:
    if engine == "local" or not jobs:
        count = available_cores() if workers is None else workers
        return work_through(partial(make_worker, request), jobs, min(count, len(jobs)))
    from enhance.batch.ray_pool import work_through_ray

    # an actor does not import the script that called, which may have registered operators
    make = partial(make_worker, request, request.own_operators())
    return work_through_ray(make, jobs, workers, address)


def _anywhere(request: Request) -> Request:
    """The same request for a process with another working folder."""
    scorer = request.scorer
    if scorer is not None and (os.sep in scorer or Path(scorer).suffix) and os.path.isfile(scorer):
        return replace(request, scorer=os.path.abspath(scorer))
    return request  # its scorer has a name


def available_cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _row(job: Job, outcome: Outcome | Death) -> tuple[Row, Sequence[str]]:
    if isinstance(outcome, Death):
        return Row.failed(job.photo, f"cannot enhance {job.source}: {outcome}"), ()
    return outcome.row, outcome.warnings
