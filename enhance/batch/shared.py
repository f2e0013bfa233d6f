"""A shoot that should look alike: one setting for all photos, and a little freedom for each."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from numbers import Real
from pathlib import Path

import torch

from enhance.batch.plan import Job
from enhance.batch.pool import Death, work_through
from enhance.batch.request import Request
from enhance.errors import EnhanceError, EnhanceWarning, ParameterError, ReadError, WriteError
from enhance.imaging.files import read
from enhance.imaging.photo import Photo
from enhance.operators.resolve import members
from enhance.recipe import Recipe
from enhance.tuning.integers import check_whole
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
        if not isinstance(self.delta, Real) or not 0 <= self.delta <= 1:
            raise ParameterError(f"delta must lie in [0, 1], got {self.delta!r}")
        object.__setattr__(self, "delta", float(self.delta))
        object.__setattr__(self, "sample", check_whole("sample", self.sample))
        if self.sample < 1:
            raise ParameterError(f"sample must be at least 1, got {self.sample}")


def share(
    shared: Shared, request: Request, jobs: Sequence[Job], output: Path, *, begun: bool
) -> Request:
    """Find the shared setting, or take the one that an earlier run left, and bound the request.

    The setting is kept as a recipe in the output folder, ``shared.json``: photos that are added
    to the folder later are treated as those before, and `enhance.apply` can use it.

    Args:
        begun: whether photos of the folder were tuned around a shared setting before.

    Raises:
        ParameterError: an operator that is judged on native crops.
        ReadError: no photo of the sample can be read.
        RecipeError: what an earlier run left is no recipe.
        WriteError: it is gone, or of other operators.
    """
    path = output / NAME
    if path.exists():
        recipe = Recipe.load(path)
        asked = tuple(member.name for member in members(request.operator()))
        if recipe.operators != asked:
            raise WriteError(
                f"cannot go on in {output}: {NAME} must be of {', '.join(asked)}, "
                f"got {', '.join(recipe.operators)}"
            )
    elif begun:
        raise WriteError(
            f"cannot go on in {output}: its photos were tuned around {NAME}, which is gone; "
            "choose another folder"
        )
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
        errors: list[EnhanceError] = []
        photos = _readable(sample, errors)
        first = next(photos, None)
        if first is None:
            raise ReadError(
                f"cannot find the shared setting: of the {len(sample)} photos that it is sought "
                f"on none can be read; {errors[0]}"
            )
        return tune_together(
            chain([first], photos),
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


def _readable(sample: Sequence[Job], errors: list[EnhanceError]) -> Iterator[Photo]:
    for job in sample:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", EnhanceWarning)  # given when its turn comes
                photo = read(job.source)
        except EnhanceError as error:  # named when its turn comes
            errors.append(error)
        else:
            yield photo
