"""What the studio does, without a page: render a setting, judge it, tune it, keep a recipe."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from enhance.errors import ParameterError
from enhance.imaging.intake import as_photo
from enhance.imaging.photo import ImageLike
from enhance.operators.base import Parameter
from enhance.operators.rendering import render_full
from enhance.operators.resolve import OperatorLike, members, resolve_operator
from enhance.preview import preview
from enhance.recipe import Recipe
from enhance.tuning.result import TuneResult
from enhance.tuning.scoring import ScorerLike, resolve_scorer
from enhance.tuning.space import one_number
from enhance.tuning.tune import tune


@dataclass(frozen=True)
class Look:
    """A setting as it is shown.

    Attributes:
        pixels: the preview, ``(1, 3, H, W)`` in [0, 1].
        score: mean opinion of it.
        opinions: share of each rating; empty where the scorer has no opinions.
    """

    pixels: Tensor
    score: float
    opinions: Mapping[float, float]


class StudioSession:
    """One photo, one operator, one scorer.

    Args:
        photo, operator, scorer: as `enhance.tune` takes them.

    The preview is the photo made smaller; of an operator that must see pixels as they are (a
    denoiser), the middle of the photo at its own size. Scores are of the preview, and may differ by
    a little from those of `tune`, which judges several views.

    >>> def brightness(images):
    ...     return images.mean((1, 2, 3))
    >>> session = StudioSession(torch.rand(3, 32, 48), "contrast", brightness)
    >>> session.look({"contrast": 0.5}).pixels.shape
    torch.Size([1, 3, 32, 48])
    """

    def __init__(
        self,
        photo: ImageLike,
        operator: OperatorLike | None = None,
        scorer: ScorerLike | None = None,
    ) -> None:
        self.photo = as_photo(photo)
        self.operator = resolve_operator(operator)
        self.judge = resolve_scorer(scorer, self.operator)
        self.preview = preview(self.photo.pixels, native=self.operator.views == "native")

    @property
    def parameters(self) -> Mapping[str, Parameter]:
        """Every parameter, those that are tuned first."""
        spec = self.operator.parameters_spec
        return dict(sorted(spec.items(), key=lambda entry: not entry[1].tuned))

    def settings(self, values: Sequence[object]) -> dict[str, float]:
        """The setting that sliders show, in the order of `parameters`.

        Raises:
            ParameterError: as many values are not given, or one is not what its parameter can be.
        """
        if len(values) != len(self.parameters):
            raise ParameterError(
                f"a setting must have {len(self.parameters)} values, got {len(values)}"
            )
        return {
            name: one_number(name, parameter, value)
            for (name, parameter), value in zip(self.parameters.items(), values, strict=True)
        }

    def start(self) -> dict[str, float]:
        """The setting that changes nothing, where there is one; else the default."""
        return self.operator.defaults() | dict(self.operator.identity or {})

    def look(self, settings: Mapping[str, float]) -> Look:
        """Render a setting on the preview and judge it."""
        pixels = render_full(self.operator, self.preview, settings)
        return self._judged(pixels)

    def before(self) -> Look:
        """The preview as it is."""
        return self._judged(self.preview)

    def tune(self, settings: Mapping[str, float], locked: Collection[str]) -> TuneResult:
        """Search what by default is searched, all but what is locked.

        What is not searched by default keeps its value where the person moved it, and else has the
        default: a denoiser that stands at what changes nothing is to denoise.
        """
        start = self.start()
        fixed = {
            name: settings[name]
            for name, parameter in self.parameters.items()
            if name in locked or not (parameter.tuned or settings[name] == start[name])
        }
        return tune(self.photo, self.operator, self.judge.score, fixed=fixed)

    def recipe(self, settings: Mapping[str, float]) -> Recipe:
        """The setting as a recipe, with the scores of the preview."""
        score, baseline = self.look(settings).score, self.before().score
        return Recipe(
            operators=tuple(member.name for member in members(self.operator)),
            settings=settings,
            reason="set by hand",
            scorer=self.judge.name,
            scorer_sha256=self.judge.sha256,
            score=score,
            baseline=baseline,
            gain=score - baseline,
        )

    def _judged(self, pixels: Tensor) -> Look:
        scorer: Any = self.judge.score
        opinions: dict[float, float] = {}
        with torch.no_grad():
            if hasattr(scorer, "opinion") and hasattr(scorer, "buckets"):
                shares = scorer.opinion(pixels)[0].tolist()
                opinions = dict(zip(scorer.buckets.tolist(), shares, strict=True))
            return Look(pixels, float(scorer(pixels)), opinions)
