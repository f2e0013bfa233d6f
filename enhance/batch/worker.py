"""One photo of a batch, from file to file."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from enhance.atomic import check_writable, write_bytes
from enhance.batch.plan import Job
from enhance.batch.request import Request
from enhance.batch.row import Row
from enhance.errors import EnhanceError
from enhance.imaging.files import check_holds, check_target, read
from enhance.operators.base import Operator
from enhance.operators.registry import register
from enhance.tuning.result import TuneResult
from enhance.tuning.tune import tune


@dataclass(frozen=True)
class Outcome:
    """What a worker hands back of a photo: its row, and what was warned of on the way."""

    row: Row
    warnings: tuple[str, ...] = ()


def make_worker(
    request: Request, operators: Sequence[type[Operator[Any]]] = ()
) -> Callable[[Job], Outcome]:
    """Load what all photos need, and return the function that does one of them.

    To be called once in a process of its own: torch is held to one thread, so that results do
    not depend on the number of cores and processes do not fight for them.

    Args:
        request: what to do with each photo.
        operators: classes to register first, where the process does not import the script that
            registered them; see `Request.own_operators`.
    """
    for operator_class in operators:
        register(operator_class)
    torch.set_num_threads(1)
    operator = request.operator()
    scorer = request.judge(operator).score

    def work(job: Job) -> Outcome:
        with warnings.catch_warnings(record=True) as warned:
            row = attempt(job)
        return Outcome(row, tuple(dict.fromkeys(str(warning.message) for warning in warned)))

    def attempt(job: Job) -> Row:
        try:
            prepare(job)
            photo = read(job.source)
            check_holds(photo, job.target)
            result = tune(
                photo,
                operator,
                scorer,
                request.strategy,
                crops=request.crops,
                seed=request.seed,
                fixed=request.fixed,
                bounds=request.bounds,
                guards=None if request.guards else [],
                start=request.start,
                device=request.device,
            )
            save(result, job)
        except EnhanceError as error:
            return Row.failed(job.photo, str(error))
        except OSError as error:
            reason = error.strerror or type(error).__name__
            return Row.failed(job.photo, f"cannot write {job.target}: {reason}")
        except Exception as error:  # a fault of ours must not cost the rest of the folder
            return Row.failed(job.photo, f"{type(error).__name__}: {error} (a fault in enhance)")
        return Row.done(job.photo, job.output, result.recipe)

    return work


def prepare(job: Job) -> None:
    """Make the folder of a result, and find out before the work whether both files can be made."""
    job.target.parent.mkdir(parents=True, exist_ok=True)
    check_target(job.target, source=job.source)
    check_writable(job.recipe)


def save(result: TuneResult, job: Job) -> None:
    """Write photo and recipe, each whole or not at all, and no photo without its recipe.

    A photo that stays untouched is copied byte for byte, where its format can be written: encoding
    it again could only lose.
    """
    if result.verdict == "untouched" and job.output == job.photo:
        write_bytes(job.target, job.source.read_bytes())
    else:
        result.save(job.target)
    try:
        result.recipe.save(job.recipe)
    except BaseException:  # a result without its recipe would pass for one that is done
        job.target.unlink(missing_ok=True)
        raise
