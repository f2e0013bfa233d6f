"""What guards look at, and what they answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from enhance.tuning.gain import Gain


@dataclass(frozen=True)
class Evidence:
    """What guards look at.

    Attributes:
        before, after: ``(V, 3, h, w)``: the untouched and the enhanced views.
        gain: paired gain of the score, with its interval.
        scorer: the scorer, for guards that ask it more.
        witness: another scorer, which was not maximised; None where there is none.
    """

    before: Tensor
    after: Tensor
    gain: Gain
    scorer: Callable[[Tensor], Tensor]
    witness: Callable[[Tensor], Tensor] | None = None


@dataclass(frozen=True)
class GuardReport:
    """What one guard found. `finding` says it in words."""

    name: str
    value: float
    limit: float
    passed: bool
    finding: str


class Guard(Protocol):
    """Measures one kind of harm."""

    @property
    def name(self) -> str:
        """How results and ``guards=[...]`` call it."""
        ...

    def check(self, evidence: Evidence) -> GuardReport:
        """Measure, and compare with the limit."""
        ...
