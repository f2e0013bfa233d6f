"""What guards look at, and what they answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol

import torch
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
        prior: gain that is expected before any scorer is asked; see `enhance.tuning.prior`.
        baseline: scores ``(V,)`` of the untouched views; None where they are not known.
        tone: whether the embedded tone scorer judged an operator that may leave the photo as it
            is; see `enhance.tuning.verdict.in_tone_points`.
        memory: what was found out about the untouched views, shared by all settings of a photo.
    """

    before: Tensor
    after: Tensor
    gain: Gain
    scorer: Callable[[Tensor], Tensor]
    witness: Callable[[Tensor], Tensor] | None = None
    prior: float = 0.0
    baseline: Tensor | None = None
    tone: bool = False
    memory: dict[str, Tensor] = field(default_factory=dict)

    def once(self, what: str, find: Callable[[], Tensor]) -> Tensor:
        """What does not depend on the setting: found out for the first one, and remembered.

        >>> image = torch.zeros(1, 3, 2, 2)
        >>> evidence = Evidence(image, image, Gain(0, 0, 0), lambda x: x.mean((1, 2, 3)))
        >>> for value in (0.25, 0.75):
        ...     print(float(evidence.once("level", lambda: torch.tensor(value))))
        0.25
        0.25
        """
        if what not in self.memory:
            with torch.no_grad():
                self.memory[what] = find()
        return self.memory[what]

    @property
    def believed(self) -> float:
        """The gain together with what was known before."""
        return self.gain.mean + self.prior

    @property
    def told(self) -> str:
        """The gain in words."""
        known = f", with {self.prior:g} for the noise that was read," if self.prior else ""
        return f"the gain {self.gain.mean:.3f}{known}"


@dataclass(frozen=True)
class GuardReport:
    """What one guard found.

    Attributes:
        name: of the guard.
        value: what was measured; None where the guard abstained.
        limit: what it was compared with, from above or below as `finding` says; None likewise.
        passed: whether it lets the setting through; a guard that abstains does.
        finding: all of it in words.
    """

    name: str
    value: float | None
    limit: float | None
    passed: bool
    finding: str

    @classmethod
    def abstained(cls, name: str, why: str) -> GuardReport:
        """The report of a guard that does not apply here.

        >>> GuardReport.abstained("witness", "no second scorer was asked").status
        'abstained'
        """
        return cls(name, None, None, True, why)

    @property
    def status(self) -> Literal["passed", "failed", "abstained"]:
        """In one word."""
        if self.value is None:
            return "abstained"
        return "passed" if self.passed else "failed"


class Guard(Protocol):
    """Measures one kind of harm.

    A guard that asks whether the photo gains, not how much harm is done, says so with a class
    attribute ``asks = "gain"``: where it refuses, smaller steps are not offered, which would only
    hide from it what it doubts.
    """

    @property
    def name(self) -> str:
        """How results and ``guards=[...]`` call it."""
        ...

    def check(self, evidence: Evidence) -> GuardReport:
        """Measure, and compare with the limit."""
        ...
