"""What is asked of every photo of a batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from enhance.operators.base import Operator
from enhance.operators.resolve import members, resolve_operator
from enhance.recipe import installed_versions
from enhance.tuning import strategies
from enhance.tuning.integers import check_seed
from enhance.tuning.scoring import Judge, resolve_scorer
from enhance.tuning.start import starting_space
from enhance.tuning.strategies.instant import check_predictor
from enhance.tuning.views import check_crops


@dataclass(frozen=True)
class Request:
    """The options of `enhance.tune` that a batch passes on, by name: a worker process has no
    access to objects of its parent.

    Attributes:
        operators: names, applied in turn; none for the default operator.
        scorer: a name or the path of a weight file; None for the default that fits the operator.
        strategy: None for the fastest that is good enough.
        crops: views per photo; None for the operator's own number.
        seed: of the views and the search, the same for every photo.
        fixed: parameters that keep a value.
        bounds: narrower bounds of searched parameters.
        guards: False gives the raw maximum of the scorer.
        start: settings to start from, such as a preset's; None for the predictor's answer.
        device: where every worker computes, such as ``"cuda"``; None for the CPU.

    >>> Request(operators=("turbo",), bounds={"sigma_s": (2, 20)}).operator().name
    'turbo'
    """

    operators: tuple[str, ...] = ()
    scorer: str | None = None
    strategy: str | None = None
    crops: int | None = None
    seed: int = 0
    fixed: Mapping[str, float] = field(default_factory=dict)
    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    guards: bool = True
    start: Mapping[str, float] | None = None
    device: str | None = None

    def operator(self) -> Operator[Any]:
        """A new instance of the operator, or of the chain."""
        return resolve_operator(self.operators or None)

    def own_operators(self) -> tuple[type[Operator[Any]], ...]:
        """Classes of the operators that are not of this package, to be registered elsewhere."""
        classes = (type(member) for member in members(self.operator()))
        return tuple(c for c in classes if not c.__module__.startswith("enhance."))

    def judge(self, operator: Operator[Any]) -> Judge:
        """The scorer, loaded."""
        return resolve_scorer(self.scorer, operator, self.device)

    def check(self) -> Judge:
        """Find out, before any photo is read, whether the request can be met.

        Returns:
            The scorer, for what a journal must know of it.

        Raises:
            UnknownNameError, ParameterError, ReadError: as `enhance.tune`.
        """
        check_seed(self.seed)
        operator = self.operator()
        starting_space(operator, self.fixed, self.bounds, self.start)
        if self.crops is not None:
            check_crops(self.crops)
        if self.strategy is not None:
            strategies.get(self.strategy)
        if self.strategy == "instant" and self.start is None:
            check_predictor(operator.name)
        return self.judge(operator)

    def describe(self, judge: Judge) -> dict[str, Any]:
        """All that decides the results, as JSON: two batches of one description agree."""
        described = asdict(self) | {
            "operators": list(self.operators),
            "fixed": dict(sorted(self.fixed.items())),
            "bounds": {name: list(pair) for name, pair in sorted(self.bounds.items())},
            "start": None if self.start is None else dict(sorted(self.start.items())),
            "scorer": judge.name,
            "scorer_sha256": judge.sha256,
        }
        return described | {"versions": installed_versions()}
