"""A shoot that should look alike: one setting for all photos, and a little freedom for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch

from enhance.batch.plan import Job
from enhance.batch.pool import Death, work_through
from enhance.batch.request import Request
from enhance.errors import EnhanceError, ParameterError
from enhance.imaging.files import read
from enhance.imaging.photo import Photo
from enhance.recipe import Recipe
from enhance.tuning.space import Space
from enhance.tuning.together import around, tune_together

NAME = "shared.json"


@dataclass(frozen=True)
class Shared:
    """How alike the photos are to look.

    Attributes:
        delta: how far a photo's own setting may be from the shared one, as a share of each
            parameter's range; 0 for one setting for all.
        sample: how many photos the shared setting is found on, evenly taken from the folder.
    """

    delta: float = 0.1
    sample: int = 16

    def __post_init__(self) -> None:
        if not 0 <= self.delta <= 1:
            raise ParameterError(f"delta must lie in [0, 1], got {self.delta:g}")
        if self.sample < 1:
            raise ParameterError(f"sample must be at least 1, got {self.sample}")


def share(shared: Shared, request: Request, jobs: Sequence[Job], output: Path) -> Request:
    """Find the shared setting, or take the one that an earlier run left, and bound the request.

    The setting is kept as a recipe in the output folder, ``shared.json``: photos that are added
    to the folder later are treated as those before, and `enhance.apply` can use it.

    Raises:
        ParameterError: an operator that is judged on native crops; a sample without a photo.
        RecipeError: what an earlier run left is no recipe.
    """
    path = output / NAME
    if path.exists():
        recipe = Recipe.load(path)
    else:
        recipe = _found(request, evenly(jobs, shared.sample))
        recipe.save(path)
    space = Space.of(request.operator(), request.fixed, request.bounds)
    return replace(request, bounds=around(space, recipe.settings, shared.delta))


def evenly(jobs: Sequence[Job], count: int) -> list[Job]:
    """At most `count` of the jobs, evenly spaced, the first among them."""
    if len(jobs) <= count:
        return list(jobs)
    return [jobs[index * len(jobs) // count] for index in range(count)]


def make_sharer(request: Request) -> Callable[[Sequence[Job]], Recipe]:
    """For a worker process: the function that finds the setting for a sample of photos."""
    torch.set_num_threads(1)  # as `make_worker`: the same result on any number of cores

    def find(sample: Sequence[Job]) -> Recipe:
        return tune_together(
            _readable(sample),
            request.operator(),
            request.scorer,
            request.strategy,
            crops=request.crops,
            seed=request.seed,
            fixed=request.fixed,
            bounds=request.bounds,
            guards=None if request.guards else [],
            start=request.start,
        )

    return find


def _found(request: Request, sample: Sequence[Job]) -> Recipe:
    ((_, outcome),) = work_through(partial(make_sharer, request), [sample], 1)
    if isinstance(outcome, Death):
        raise EnhanceError(f"cannot find the shared setting: {outcome}")
    return outcome


def _readable(sample: Sequence[Job]) -> Iterator[Photo]:
    for job in sample:
        with suppress(EnhanceError):  # it is named when its turn comes
            yield read(job.source)
