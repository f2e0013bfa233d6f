"""What is asked of a tuning, for one photo or several: checked first, then searched, then told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from enhance.atomic import check_writable
from enhance.errors import ParameterError
from enhance.imaging.photo import Photo
from enhance.operators.base import Operator
from enhance.operators.resolve import OperatorLike, members, resolve_operator
from enhance.recipe import Recipe
from enhance.tuning import strategies
from enhance.tuning.guards import Guard, resolve_guards
from enhance.tuning.integers import check_seed
from enhance.tuning.objective import Objective
from enhance.tuning.predictor import predict
from enhance.tuning.scoring import Judge, find_device
from enhance.tuning.search import Search
from enhance.tuning.space import Space
from enhance.tuning.start import Start, start_of, starting_space
from enhance.tuning.verdict import Decision, untouched_settings
from enhance.tuning.views import check_crops

FEW_VIEWS = 8
"""With no more views than these, scoring them all costs no more than racing settings on a few."""


@dataclass(frozen=True)
class Problem:
    """Everything about a tuning that does not depend on the photo.

    Attributes:
        operator: what is tuned.
        space: what is searched, before the photo has answered anything.
        start: settings to start from; None where a predictor is asked.
        named: parameters that the caller gave a value or a start.
        guards: what the winner must pass.
        strategy: the one that is asked for; None for the fastest that is good enough.
        seed: of views and search.
        device: where to compute; None for where the scorer is.
        storage: where Optuna keeps its study; None for nowhere.
    """

    operator: Operator[Any]
    space: Space
    start: Mapping[str, float] | None
    named: frozenset[str]
    guards: Sequence[Guard]
    strategy: str | None
    seed: int
    device: torch.device | None
    storage: str | None

    @classmethod
    def of(
        cls,
        operator: OperatorLike | None,
        strategy: str | None,
        *,
        crops: int | None,
        seed: int,
        fixed: Mapping[str, float] | None,
        bounds: Mapping[str, tuple[float, float]] | None,
        guards: str | Guard | Iterable[str | Guard] | None,
        start: Start | None,
        device: str | torch.device | None,
        storage: str | PathLike[str] | None,
    ) -> Problem:
        """Check all that can be checked before a photo is read; arguments as of `enhance.tune`.

        Raises:
            UnknownNameError, ParameterError, WriteError: as `enhance.tune`.
        """
        operator, start = start_of(operator, start)
        chosen = resolve_operator(operator)
        if not chosen.parameters_spec:
            raise ParameterError(f"{chosen.name} has no parameter that could be tuned")
        space, point = starting_space(chosen, fixed, bounds, start)
        if crops is not None:
            check_crops(crops)
        if strategy is not None:
            strategies.get(strategy)
        checks = resolve_guards(guards)
        return cls(
            operator=chosen,
            space=space,
            start=point,
            named=frozenset({*(fixed or {}), *(start or {})}),
            guards=checks,
            strategy=strategy,
            seed=check_seed(seed),
            device=None if device is None else find_device(device),
            storage=None if storage is None else _check_storage(storage, strategy),
        )

    @property
    def guarded(self) -> bool:
        """Whether anything may refuse the scorer's maximum; else leaving the input is free too."""
        return bool(self.guards)

    def hint(self, space: Space, pixels: Tensor) -> Tensor | None:
        """The point ``(D,)`` to start at: the caller's, else a predictor's, else None."""
        if self.start is not None:
            return space.to_unit(self.start)
        return predict(self.operator, space, pixels)

    def strategy_for(self, objective: Objective) -> str:
        """Name of the strategy: the one asked for, else the fastest that is good enough."""
        if self.strategy is not None:
            return self.strategy
        if not objective.space.names:
            return "grid"
        if self.storage is not None:
            return "bayesian"
        if len(objective.space.names) == 1 and len(objective) > FEW_VIEWS:
            return "race"
        return "gradient" if objective.differentiable else "bayesian"

    def search(self, objective: Objective, strategy: str, progress: bool) -> Search:
        """Run a strategy, with a bar on stderr if `progress`."""
        search = strategies.get(strategy)
        if not progress:
            return search(objective, seed=self.seed, storage=self.storage)
        from tqdm import tqdm

        with tqdm(desc=strategy, unit="step") as bar:

            def show(done: int, total: int) -> None:
                bar.total = total
                bar.update(done - bar.n)

            return search(objective, seed=self.seed, progress=show, storage=self.storage)

    def settings(self, decision: Decision, kept: Mapping[str, float]) -> dict[str, float]:
        """Settings to hand back: what was given, what was found, and answers of the photo `kept`.

        Those of an untouched photo change nothing; they are empty where no setting does.
        """
        space = decision.objective.space
        if decision.verdict == "untouched":
            return untouched_settings(self.operator, self.named | {*space.names})
        given = {name: value for name, value in self.space.constant.items() if name in self.named}
        return {**given, **space.describe(decision.point), **kept}

    def recipe(
        self, decision: Decision, settings: Mapping[str, float], judge: Judge, strategy: str
    ) -> Recipe:
        """What was decided, as it is kept."""
        baseline = float(decision.objective.baseline.mean())
        enhanced = decision.verdict == "enhanced"
        gain = decision.gain.mean if enhanced else 0.0
        return Recipe(
            operators=tuple(member.name for member in members(self.operator)),
            settings=settings,
            verdict=decision.verdict,
            reason=decision.reason,
            strategy=strategy,
            seed=self.seed,
            scorer=judge.name,
            scorer_sha256=judge.sha256,
            score=baseline + gain,
            baseline=baseline,
            gain=gain,
            interval=(decision.gain.low, decision.gain.high) if enhanced else (0.0, 0.0),
        )


def pixels_to_search(photo: Photo, device: torch.device) -> Tensor:
    """A photo's pixels ``(1, 3, H, W)`` on a device, as a tensor that gradients may flow from."""
    pixels = photo.pixels.to(device)
    return pixels.clone() if pixels.is_inference() else pixels


def _check_storage(storage: str | PathLike[str], strategy: str | None) -> str:
    if strategy not in (None, "bayesian", "hybrid"):
        raise ParameterError(f"storage is used by bayesian and hybrid only, got {strategy!r}")
    if not isinstance(storage, (str, PathLike)):
        raise ParameterError(f"storage must be a URL or a path, got {storage!r}")
    storage = fspath(storage)
    if "://" not in storage:
        check_writable(Path(storage))
    return storage
