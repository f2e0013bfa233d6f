"""One setting for several photos: the best mean over them, for a shoot that should look alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from os import PathLike
from typing import Any

import torch
from torch import Tensor

from enhance.errors import ParameterError
from enhance.imaging.intake import as_photo
from enhance.imaging.photo import ImageLike, Photo
from enhance.operators.base import Operator
from enhance.operators.resolve import OperatorLike
from enhance.recipe import Recipe
from enhance.tuning.cost import leaving_cost
from enhance.tuning.guards import Guard
from enhance.tuning.objective import Objective
from enhance.tuning.problem import Problem, pixels_to_search
from enhance.tuning.scoring import Judge, ScorerLike, device_of, resolve_scorer
from enhance.tuning.space import Space
from enhance.tuning.start import Start
from enhance.tuning.tensors import ordinary_tensors
from enhance.tuning.verdict import decide, in_tone_points
from enhance.tuning.views import WHOLE_VIEWS, Crop, Views, whole_views


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
    device: str | torch.device | None = None,
    progress: bool = False,
    storage: str | PathLike[str] | None = None,
) -> Recipe:
    """Find the one setting whose mean score over several photos is best.

    Photos are read one after the other and only their views are kept. Guards look at the views
    of all photos together, and the interval of the gain covers the choice of photos too.

    Args:
        images: whatever `enhance.tune` takes. Those smaller than the scorer's view, where the
            others are not, are left out.
        crops: views per photo.
        operator, scorer, strategy, seed, fixed, bounds, guards, start: as for `enhance.tune`.
        device, progress, storage: as for `enhance.tune`.

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
    if not isinstance(images, Iterable):
        raise ParameterError(f"images must be several, got {type(images).__name__}")
    problem = Problem.of(
        operator,
        strategy,
        crops=crops,
        seed=seed,
        fixed=fixed,
        bounds=bounds,
        guards=guards,
        start=start,
        device=device,
        storage=storage,
    )
    chosen, space = problem.operator, problem.space
    check_together(chosen)
    hints: list[Tensor] = []

    def seen(judge: Judge, place: torch.device) -> Iterator[Views]:
        for image in images:
            pixels = pixels_to_search(as_photo(image), place)
            if problem.start is None and (answer := problem.hint(space, pixels)) is not None:
                hints.append(answer)
            yield whole_views(pixels, crops or WHOLE_VIEWS, judge.view_size, problem.seed)

    with ordinary_tensors():
        judge = resolve_scorer(scorer, chosen, problem.device)
        place = problem.device or device_of(judge.score)
        chosen.to(place)
        views = joined(seen(judge, place))
        given = None if problem.start is None else space.to_unit(problem.start)
        hint = torch.stack(hints).mean(0) if hints else given
        centre = None if hint is None else space.describe(hint)
        cost = leaving_cost(chosen, space, centre) if problem.guarded else None
        objective = Objective(chosen, judge.score, views, space, cost, hint)
        name = problem.strategy_for(objective)
        found = problem.search(objective, name, progress)
        tone = in_tone_points(chosen, space, judge.name)
        decision = decide(objective, found.point, problem.guards, judge.witness, tone=tone)
    return problem.recipe(decision, problem.settings(decision, {}), judge, name)


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

    >>> from enhance.operators.registry import get
    >>> space = Space.of(get("laplacian"))
    >>> around(space, {"detail": 4.9, "shadow": 0.5, "brightness": 0}, 0.1)["detail"]
    (4.3, 5.0)
    """
    # an untouched photo of an operator that always changes something has none
    middle = space.to_unit({n: settings.get(n, p.default) for n, p in space.varying.items()})
    low, high = (space.describe((middle + step).clamp(0, 1)) for step in (-delta, delta))
    return {name: (low[name], high[name]) for name in space.names}
