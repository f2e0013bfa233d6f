"""One setting for several photos: the best mean over them, for a shoot that should look alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from enhance.errors import ParameterError
from enhance.imaging.photo import ImageLike, Photo, as_photo
from enhance.operators.base import Operator
from enhance.operators.resolve import OperatorLike, members, resolve_operator
from enhance.recipe import Recipe
from enhance.tuning import strategies
from enhance.tuning.cost import leaving_cost
from enhance.tuning.guards import Guard, resolve_guards
from enhance.tuning.integers import check_seed
from enhance.tuning.objective import Objective
from enhance.tuning.predictor import predict
from enhance.tuning.scoring import ScorerLike, resolve_scorer
from enhance.tuning.space import Space
from enhance.tuning.start import Start, start_of, starting_space
from enhance.tuning.tensors import ordinary_tensors
from enhance.tuning.verdict import decide, in_tone_points, untouched_settings
from enhance.tuning.views import WHOLE_VIEWS, Crop, Views, check_crops, whole_views


def tune_together(
    images: Iterable[ImageLike | Photo],
    operator: OperatorLike | None = None,
    scorer: ScorerLike | None = None,
    strategy: str | None = None,
    *,
    crops: int | None = None,
    seed: int = 0,
    fixed: Mapping[str, float] | None = None,
    bounds: Mapping[str, tuple[float, float]] | None = None,
    guards: str | Guard | Iterable[str | Guard] | None = None,
    start: Start | None = None,
) -> Recipe:
    """Find the one setting whose mean score over several photos is best.

    Photos are read one after the other and only their views are kept. Guards look at the views
    of all photos together, and the interval of the gain covers the choice of photos too.

    Args:
        images: whatever `enhance.tune` takes. Those smaller than the scorer's view, where the
            others are not, are left out.
        crops: views per photo.
        operator, scorer, strategy, seed, fixed, bounds, guards, start: as for `enhance.tune`.

    Returns:
        The recipe for all of them.

    Raises:
        ParameterError: no image; an operator that is judged on native crops (denoising): what it
            should do depends on the noise of each photo.
        ReadError, ImageError, UnknownNameError: as `enhance.tune`.

    >>> photos = [torch.full((3, 32, 32), level) for level in (0.2, 0.4)]
    >>> def likes_middle_grey(images):
    ...     return -10 * (images.mean((1, 2, 3)) - 0.5).square()
    >>> tune_together(photos, "laplacian", likes_middle_grey).settings["brightness"] > 0.1
    True
    """
    seed = check_seed(seed)
    if not isinstance(images, Iterable):
        raise ParameterError(f"images must be several, got {type(images).__name__}")
    operator, start = start_of(operator, start)
    chosen = resolve_operator(operator)
    check_together(chosen)
    space, point = starting_space(chosen, fixed, bounds, start)
    named = {*(fixed or {}), *(start or {})}
    given = None if point is None else space.to_unit(point)
    if crops is not None:
        check_crops(crops)
    checks = resolve_guards(guards)
    raw = guards is not None and not checks
    judge = resolve_scorer(scorer, chosen)
    hints: list[Tensor] = []

    def seen() -> Iterator[Views]:
        for image in images:
            pixels = as_photo(image).pixels
            if pixels.is_inference():
                pixels = pixels.clone()
            if given is None and (answer := predict(chosen, space, pixels)) is not None:
                hints.append(answer)
            yield whole_views(pixels, crops or WHOLE_VIEWS, judge.view_size, seed)

    with ordinary_tensors():
        views = joined(seen())
        hint = torch.stack(hints).mean(0) if hints else given
        centre = None if hint is None else space.describe(hint)
        cost = None if raw else leaving_cost(chosen, space, centre)
        objective = Objective(chosen, judge.score, views, space, cost, hint)
        name = strategy or ("gradient" if objective.differentiable else "bayesian")
        found = strategies.get(name)(objective, seed=seed)
        tone = in_tone_points(chosen, space, judge.name)
        decision = decide(objective, found.point, checks, judge.witness, tone=tone)
    enhanced = decision.verdict == "enhanced"
    baseline = float(objective.baseline.mean())
    gain = decision.gain.mean if enhanced else 0.0
    if enhanced:
        kept = {name: space.constant[name] for name in named & space.constant.keys()}
        settings = {**kept, **space.describe(decision.point)}
    else:
        settings = untouched_settings(chosen, named | {*space.names})
    return Recipe(
        operators=tuple(member.name for member in members(chosen)),
        settings=settings,
        verdict=decision.verdict,
        reason=decision.reason,
        strategy=name,
        seed=seed,
        scorer=judge.name,
        scorer_sha256=judge.sha256,
        score=baseline + gain,
        baseline=baseline,
        gain=gain,
        interval=(decision.gain.low, decision.gain.high) if enhanced else (0.0, 0.0),
    )


def check_together(operator: Operator[Any]) -> None:
    """Find out whether photos can be tuned together with this operator.

    Raises:
        ParameterError: it is judged on native crops.
    """
    if operator.views != "whole":
        raise ParameterError(
            "photos are tuned together for tone, with operators judged on the whole photo, "
            f"got {operator.name}"
        )


def joined(several: Iterable[Views]) -> Views:
    """The whole views of several photos as those of one, the first of each photo first.

    Views of another size than most are left out.

    Raises:
        ParameterError: none at all.
    """
    everything = list(several)
    if not everything:
        raise ParameterError("tuning together needs at least one photo, got none")
    size = Counter(views.size for views in everything).most_common(1)[0][0]
    # a search begins on the first few views, which should show many photos
    windows = torch.stack([v.windows for v in everything if v.size == size], 1).flatten(0, 1)
    return Views(windows, tuple(map(Crop, range(len(windows)))), size, size)


def around(
    space: Space, settings: Mapping[str, Any], delta: float
) -> dict[str, tuple[float, float]]:
    """Bounds that let each searched parameter move by a share `delta` of its range.

    >>> space = Space.of(resolve_operator("laplacian"))
    >>> around(space, {"detail": 4.9, "shadow": 0.5, "brightness": 0}, 0.1)["detail"]
    (4.3, 5.0)
    """
    # an untouched photo of an operator that always changes something has none
    middle = space.to_unit({n: settings.get(n, p.default) for n, p in space.varying.items()})
    low, high = (space.describe((middle + step).clamp(0, 1)) for step in (-delta, delta))
    return {name: (low[name], high[name]) for name in space.names}
