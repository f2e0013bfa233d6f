"""A small maximiser for smooth functions on the unit cube: trust region, SR1, many starts at once.

Evaluations are dear (a scorer judges every view, forward and backward) and dimensions few, so
every evaluation is a candidate, no line search is run, and the model is maximised exactly enough
in NumPy. SR1 learns negative and positive curvature alike; the cube and the trust region are
both boxes, so the model's maximum over them is found coordinate by coordinate. Working in the box
rather than through a sigmoid reaches an optimum on a bound in finitely many steps.

References: Nocedal & Wright, *Numerical Optimization*, 2nd ed., algorithm 6.2 (SR1 trust region).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from enhance.tuning.search import Search, silent

Array = npt.NDArray[np.float64]
ValuesAndGradients = Callable[[Tensor], tuple[Tensor, Tensor]]

STEPS = 8
_FIRST_RADIUS = 0.25
_LEAST_RADIUS = 2e-3
_LEAST_SECOND_RADIUS = 0.1
LEAST_GAIN = 1e-3
"""Predicted gain of a step, in units of the score, below which a start is given up."""


@dataclass
class Ascent:
    """Where one start has got to: value, gradient and curvature at its best point so far."""

    point: Array
    value: float
    gradient: Array
    curvature: Array
    radius: float = _FIRST_RADIUS

    def propose(self) -> tuple[Array, float]:
        """The step that the model likes best within the trust region, and its predicted gain."""
        step = _maximise_model(
            self.gradient,
            self.curvature,
            np.maximum(-self.radius, -self.point),
            np.minimum(self.radius, 1 - self.point),
        )
        return step, float(self.gradient @ step + 0.5 * step @ self.curvature @ step)

    def learn(self, step: Array, predicted: float, value: float, gradient: Array) -> None:
        """Take the outcome of a step into the model; stand on it if it is better."""
        error = gradient - self.gradient - self.curvature @ step
        scale = float(error @ step)
        if abs(scale) > 1e-8 * float(np.linalg.norm(error) * np.linalg.norm(step)):
            self.curvature = self.curvature + np.outer(error, error) / scale
        ratio = (value - self.value) / predicted
        if value > self.value:
            self.point, self.value, self.gradient = self.point + step, value, gradient
        if ratio > 0.75:
            self.radius = min(2 * self.radius, 1.0)
        elif ratio < 0.25:
            self.radius = 0.35 * float(np.abs(step).max())


@dataclass(frozen=True)
class Climb(Search):
    """A search that also knows the model around its best point, for a further climb to begin with.

    Attributes:
        model: the ascent that got highest.
    """

    model: Ascent = field(kw_only=True)


def climb(
    function: ValuesAndGradients,
    starts: Tensor,
    *,
    steps: int = STEPS,
    least_gain: float = LEAST_GAIN,
    model: Ascent | None = None,
    progress: Callable[[int, int], None] = silent,
) -> Climb:
    """Maximise a function on the unit cube from every start, all in one batch.

    Args:
        function: ``(K, D) -> (K,), (K, D)``: values and gradients.
        starts: ``(S, D)`` in the unit cube.
        steps: evaluations after the first one, per start, at most.
        least_gain: a start is given up when its next step promises less.
        model: of a similar function, such as the same score on fewer views; its curvature
            and trust radius are begun with.

    Returns:
        Every point evaluated.

    >>> peak = torch.tensor([0.3, 1.4], dtype=torch.float64)  # outside: the bound is best
    >>> bowl = lambda p: (-((p - peak) ** 2).sum(1), -2 * (p - peak))
    >>> climb(bowl, torch.full((1, 2), 0.5, dtype=torch.float64)).point.round(decimals=3)
    tensor([0.3000, 1.0000], dtype=torch.float64)
    """
    starts = starts.double()
    values, gradients = function(starts)
    tried, found = [starts], [values]
    runs = [
        Ascent(
            point,
            float(value),
            gradient,
            _first_curvature(gradient) if model is None else model.curvature,
            _FIRST_RADIUS if model is None else max(model.radius, _LEAST_SECOND_RADIUS),
        )
        for point, value, gradient in zip(starts.numpy(), values, gradients.numpy(), strict=True)
    ]
    progress(1, steps + 1)
    for count in range(steps):
        proposals = [(run, *run.propose()) for run in runs if run.radius >= _LEAST_RADIUS]
        active = [proposal for proposal in proposals if proposal[2] > least_gain]
        if not active:
            break
        points = torch.from_numpy(np.stack([run.point + step for run, step, _ in active]))
        values, gradients = function(points)
        for (run, step, predicted), value, gradient in zip(active, values, gradients, strict=True):
            run.learn(step, predicted, float(value), gradient.numpy())
        tried.append(points)
        found.append(values)
        progress(count + 2, steps + 1)
    best = max(runs, key=lambda run: run.value)
    return Climb(torch.cat(tried), torch.cat(found), model=best)


def _first_curvature(gradient: Array) -> Array:
    # the model's first maximum then lies one trust radius along the gradient
    steepness = max(float(np.linalg.norm(gradient)), 1e-12)
    return np.asarray(-np.eye(len(gradient)) * steepness / _FIRST_RADIUS)


def _maximise_model(gradient: Array, curvature: Array, low: Array, high: Array) -> Array:
    """Maximise ``g.p + p.H.p / 2`` over a box, by exact coordinate steps from several corners."""
    best, best_value = np.zeros_like(gradient), 0.0
    uphill = np.where(gradient > 0, high, low)
    for start in (np.zeros_like(gradient), uphill, uphill / 2):
        step = start.copy()
        for _ in range(40):
            before = step.copy()
            for i in range(len(step)):
                slope = gradient[i] + curvature[i] @ step - curvature[i, i] * step[i]
                step[i] = _maximise_parabola(slope, curvature[i, i], low[i], high[i])
            if np.allclose(step, before, rtol=0, atol=1e-9):
                break
        value = float(gradient @ step + 0.5 * step @ curvature @ step)
        if value > best_value:
            best, best_value = step, value
    return best


def _maximise_parabola(slope: float, curvature: float, low: float, high: float) -> float:
    ends = (low, high)
    if curvature < 0:
        return float(min(max(-slope / curvature, low), high))
    return float(max(ends, key=lambda p: slope * p + 0.5 * curvature * p * p))
