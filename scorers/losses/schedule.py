"""How a loss' weight changes in the course of training."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from scorers.errors import InputError

Schedule = Callable[[int], float]
"""From the number of training steps done to the weight of the next."""


@dataclass(frozen=True)
class Ramp:
    """A weight that is 0, then grows evenly, then stays.

    A scorer says little about the output of a network that has learned nothing yet: let the
    fidelity loss come first.

    >>> ramp = Ramp(0.01, start=100, steps=200)
    >>> ramp(100), ramp(200), ramp(300), ramp(1000)
    (0.0, 0.005, 0.01, 0.01)

    Attributes:
        weight: reached at the end, 0 or more.
        start: steps at 0.
        steps: steps of growth; 0 jumps.

    Raises:
        InputError: a weight that is negative or not finite, or negative steps.
    """

    weight: float
    start: int = 0
    steps: int = 0

    def __post_init__(self) -> None:
        check_weight(self.weight)
        if self.start < 0 or self.steps < 0:
            raise InputError(
                f"start and steps must not be negative, got start={self.start}, steps={self.steps}"
            )

    def __call__(self, step: int) -> float:
        """The weight of step `step`, counted from 0."""
        if step < self.start:
            return 0.0
        if self.steps == 0:
            return self.weight
        return self.weight * min((step - self.start) / self.steps, 1.0)


def check_weight(weight: float) -> float:
    """The weight of a loss, as it is.

    Raises:
        InputError: it is negative, which would maximise the loss, or not finite.
    """
    if not 0 <= weight < math.inf:  # false for NaN, too
        raise InputError(
            f"`0 <= weight < inf` must hold, but got weight={weight:g}: a loss is a distance from "
            "good looks, to be minimised"
        )
    return weight


def as_schedule(weight: float | Schedule) -> Schedule:
    """A number as a schedule that never changes."""
    return weight if callable(weight) else Ramp(float(weight))
