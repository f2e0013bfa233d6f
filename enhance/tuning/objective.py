"""The one number that every strategy maximises.

``value(point) = mean over views of score(render(view, point)) - cost(point)``

Views are analysed once; points are rendered and scored in chunks whose memory is bounded. The
scorer is any callable ``(B, 3, H, W) in [0, 1] -> (B,)``, higher better.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from enhance.errors import ParameterError
from enhance.operators.base import Operator
from enhance.tuning.cost import CostFunction
from enhance.tuning.scoring import translated_errors
from enhance.tuning.space import Space
from enhance.tuning.views import Views

ScoreFunction = Callable[[Tensor], Tensor]

_CHUNK_PIXELS = 8 * 224 * 224
"""Pixels rendered and scored at once. On a CPU larger batches leave the cache and are slower per
image; with a gradient they stay within 1.5 GB, as MobileNet keeps 50 MB per 224x224 image."""


LARGEST_SCORE = 1e30
"""Squares of it, of which intervals are made, are still numbers."""


@dataclass(frozen=True)
class _Batch:
    views: Views
    layers: Any


class Objective:
    """Scores points of a space on fixed views of one photo.

    Args:
        operator: renders the views.
        scorer: judges them; its answer is checked to be one finite number per image.
        views: what is judged.
        space: maps points ``(K, D)`` of the unit cube to settings.
        cost: what a point costs, in units of the score; None for nothing.
        hint: a point ``(D,)`` worth starting from, such as a predictor's answer; None for none.

    Attributes:
        baseline: scores ``(V,)`` of the untouched views.
        scored: how many images the scorer has judged so far.
    """

    def __init__(
        self,
        operator: Operator[Any],
        scorer: ScoreFunction,
        views: Views,
        space: Space,
        cost: CostFunction | None = None,
        hint: Tensor | None = None,
    ) -> None:
        self.operator = operator
        self.scorer = scorer
        self.views = views
        self.space = space
        self.cost = cost
        self.hint = hint
        self.scored = 0
        self._known: dict[tuple[float, ...], Tensor] = {}
        self._analyse_each = any(p.stage == "analyse" for p in space.varying.values())
        window = views.windows[0, 0].numel()
        per_batch = max(1, _CHUNK_PIXELS // window)
        self._points_at_once = max(1, per_batch // min(per_batch, len(views.windows)))
        with torch.no_grad():
            self._batches = [
                _Batch(part, None if self._analyse_each else self._analyse(part))
                for part in views.batches(per_batch)
            ]
            self.baseline = (
                torch.cat([self._score_in_chunks(batch.views.images) for batch in self._batches])
                .double()
                .cpu()
            )

        if self._default_changes_nothing():
            self._known[tuple(space.describe(space.defaults()).values())] = self.baseline

    def _default_changes_nothing(self) -> bool:
        """Whether the default point is the untouched photo, hence scored already."""
        identity = self.operator.identity
        if identity is None:
            return False
        settings = {**self.space.constant, **self.space.describe(self.space.defaults())}
        return settings == {**self.operator.defaults(), **identity}

    def __len__(self) -> int:
        return len(self.views)

    def __repr__(self) -> str:
        names = ", ".join(self.space.names)
        return f"<Objective of {self.operator.name}({names}) on {len(self)} views>"

    @property
    def differentiable(self) -> bool:
        """Whether finite gradients flow from the score to the parameters; tried on one view."""
        if not (self.operator.differentiable and self.space.smooth and self.space.names):
            return False
        one = self.part(0, 1)
        one.cost = None
        try:
            _, gradients = one.values_and_gradients(self.space.defaults()[None])
        except (ParameterError, RuntimeError):  # such as numpy() on a tensor that requires grad
            return False
        return bool(torch.isfinite(gradients).all())

    def first(self, count: int) -> Objective:
        """The same objective on the first `count` views only: coarser, and that much cheaper."""
        views = self.views.first(count)
        return Objective(self.operator, self.scorer, views, self.space, self.cost, self.hint)

    def part(self, start: int, stop: int) -> Objective:
        """The same objective on views `start` to `stop` only, with nothing scored anew.

        Unlike `first`, it shares what was analysed: views that share a window with others are
        rendered with them, which costs more per setting and nothing before.
        """
        part = copy.copy(self)
        part.views = self.views.part(start, stop)
        part.baseline = self.baseline[start:stop]
        part._known = {key: row[start:stop] for key, row in self._known.items()}
        part._batches, before = [], 0
        for batch in self._batches:
            after = before + len(batch.views)
            inside = max(start, before) - before, min(stop, after) - before
            if inside[0] < inside[1]:
                part._batches.append(_Batch(batch.views.part(*inside), batch.layers))
            before = after
        return part

    def holding(self, values: Mapping[str, float]) -> Objective:
        """The same objective with constants of other values, none of which analysis reads."""
        held = copy.copy(self)
        held.space = replace(self.space, constant={**self.space.constant, **values})
        held._known = {}
        return held

    def learn(self, points: Tensor, scores: Tensor) -> None:
        """Take scores ``(K, V)`` that were found part by part as known."""
        keys = (tuple(self.space.describe(point).values()) for point in points)
        self._known.update(zip(keys, scores, strict=True))

    def render(self, points: Tensor) -> Tensor:
        """What the scorer would see at points ``(K, D)``: ``(K, V, 3, h, w)``."""
        with torch.no_grad():
            parts = [batch.views.cut(self._render(batch, points)) for batch in self._batches]
        return torch.cat(parts, dim=1)

    def scores(self, points: Tensor) -> Tensor:
        """Scores ``(K, V)`` of points ``(K, D)``, float64, without gradient.

        A setting that was scored before, the same to six decimals, is not scored again.
        """
        keys = [tuple(self.space.describe(point).values()) for point in points]
        new = [index for index, key in enumerate(keys) if key not in self._known]
        with torch.no_grad():
            for indices in torch.tensor(new, dtype=torch.long).split(self._points_at_once):
                if not len(indices):
                    continue
                columns = []
                for batch in self._batches:
                    images = batch.views.cut(self._render(batch, points[indices].double()))
                    scores = self._score_in_chunks(images.flatten(0, 1))
                    columns.append(scores.unflatten(0, images.shape[:2]))
                rows = torch.cat(columns, dim=1).double().cpu()
                self._known.update(zip((keys[i] for i in indices.tolist()), rows, strict=True))
        return torch.stack([self._known[key] for key in keys])

    def values(self, points: Tensor) -> Tensor:
        """Mean score minus cost ``(K,)`` of points ``(K, D)``, float64."""
        value = self.scores(points).mean(1)
        return value if self.cost is None else value - self.cost(points)

    def values_and_gradients(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """`values`, and their gradients ``(K, D)`` to the points, float64.

        Raises:
            ParameterError: the operator or the scorer passes no gradient on.
        """
        if not self.space.names:
            return self.values(points), torch.zeros_like(points)
        values, gradients = [], []
        for chunk in points.double().split(self._points_at_once):
            leaf = chunk.clone().requires_grad_()
            columns = [self._score_and_backpropagate(batch, leaf) for batch in self._batches]
            rows = torch.cat(columns, dim=1)
            keys = (tuple(self.space.describe(point).values()) for point in chunk)
            self._known.update(zip(keys, rows, strict=True))
            value = rows.mean(1)
            if self.cost is not None:
                paid = self.cost(leaf)
                paid.sum().neg().backward()
                value = value - paid.detach()
            values.append(value)
            gradients.append(torch.zeros_like(leaf) if leaf.grad is None else leaf.grad)
        return torch.cat(values), torch.cat(gradients)

    def _score_and_backpropagate(self, batch: _Batch, points: Tensor) -> Tensor:
        """A batch's scores ``(K, V)``; the gradient of the mean over all views goes to `points`."""
        images = batch.views.cut(self._render(batch, points))
        # the scorer keeps far more for its backward pass than the operator, so the views go
        # through it a few at a time, and the operator's pass runs once with their gradients
        found, slopes = [], []
        for chunk in self._in_chunks(images.detach().flatten(0, 1)):
            leaf = chunk.clone().requires_grad_()
            scores = self._score(leaf)
            if not (scores.requires_grad and images.requires_grad):
                raise ParameterError(
                    "strategies gradient and hybrid need an operator and a scorer that pass a "
                    "gradient on; use grid, race or bayesian"
                )
            (slope,) = torch.autograd.grad(scores.sum() / len(self), leaf)
            found.append(scores.detach())
            slopes.append(slope)
        # not images.backward(slopes), whose first call loads sympy: half a second
        torch.dot(images.flatten(), torch.cat(slopes).flatten()).backward()
        return torch.cat(found).double().cpu().unflatten(0, images.shape[:2])

    def _score_in_chunks(self, images: Tensor) -> Tensor:
        return torch.cat([self._score(chunk) for chunk in self._in_chunks(images)])

    def _in_chunks(self, items: Tensor) -> tuple[Tensor, ...]:
        height, width = self.views.size
        return items.split(max(1, _CHUNK_PIXELS // (height * width)))

    def _analyse(self, views: Views) -> Any:
        complete = {
            name: torch.tensor(value, dtype=views.windows.dtype, device=views.windows.device)
            for name, value in self.space.constant.items()
        }
        for name, parameter in self.space.varying.items():
            complete[name] = views.windows.new_tensor(parameter.default)
        return self.operator.analyse(views.windows, complete, extent=views.extent)

    def _render(self, batch: _Batch, points: Tensor) -> Tensor:
        windows = batch.views.windows
        settings = {
            name: value.to(windows)[:, None] for name, value in self.space.settings(points).items()
        }
        count, views = len(points), len(windows)
        if self._analyse_each:
            repeated = windows.repeat(count, 1, 1, 1)
            settings = {n: v.expand(count, views).reshape(-1) for n, v in settings.items()}
            layers = self.operator.analyse(repeated, settings, extent=batch.views.extent)
            rendered = self.operator.render(layers, settings).unflatten(0, (count, views))
        else:
            rendered = self.operator.render(batch.layers, settings)
        return rendered

    def _score(self, images: Tensor) -> Tensor:
        with translated_errors():
            scores = self.scorer(images)
        if not isinstance(scores, Tensor) or scores.shape != images.shape[:1]:
            got = tuple(scores.shape) if isinstance(scores, Tensor) else type(scores).__name__
            raise ParameterError(
                f"a scorer must return one score per image, shape ({len(images)},), got {got}"
            )
        if scores.is_complex():
            raise ParameterError(f"a scorer must return real scores, got {scores.dtype}")
        if not bool(torch.isfinite(scores).all()):
            raise ParameterError("a scorer must return finite scores, got NaN or infinity")
        if len(scores) and float(scores.detach().abs().max()) > LARGEST_SCORE:
            raise ParameterError(
                f"a scorer must return scores within {LARGEST_SCORE:g}, "
                f"got {float(scores.detach().abs().max()):g}"
            )
        self.scored += len(images)
        return scores
