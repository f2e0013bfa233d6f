"""One photo of a batch, from file to file."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable

import torch

from enhance.atomic import write_bytes
from enhance.batch.plan import Job
from enhance.batch.request import Request
from enhance.batch.row import Row
from enhance.errors import EnhanceError
from enhance.imaging.files import check_holds, check_target, read
from enhance.tuning.result import TuneResult
from enhance.tuning.tune import tune


def make_worker(request: Request) -> Callable[[Job], Row]:
    """Load what all photos need, and return the function that does one of them.

    To be called once in a process of its own: torch is held to one thread, so that results do
    not depend on the number of cores and processes do not fight for them.
    """
    torch.set_num_threads(1)
    operator = request.operator()
    scorer = request.judge(operator).score

    def work(job: Job) -> Row:
        with warnings.catch_warnings():
            warnings.showwarning = lambda message, *where: _tell(message)
            return attempt(job)

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


def _tell(message: Warning | str) -> None:
    """One line on stderr, as the command says everything."""
    print(f"enhance: {' '.join(str(message).split())}", file=sys.stderr, flush=True)


def prepare(job: Job) -> None:
    """Make the folder of a result, and find out before the work whether it can be written."""
    job.target.parent.mkdir(parents=True, exist_ok=True)
    check_target(job.target, source=job.source)


def save(result: TuneResult, job: Job) -> None:
    """Write photo and recipe, each whole or not at all.

    A photo that stays untouched is copied byte for byte, where its format can be written: encoding
    it again could only lose.
    """
    if result.verdict == "untouched" and job.output == job.photo:
        write_bytes(job.target, job.source.read_bytes())
    else:
        result.save(job.target)
    result.recipe.save(job.recipe)
