"""`tune`: a photo in; a better photo, its settings and an honest verdict out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from os import PathLike, fspath
from pathlib import Path

import torch

from enhance.atomic import check_writable
from enhance.errors import ParameterError
from enhance.imaging.photo import ImageLike, Photo, as_photo
from enhance.operators.resolve import OperatorLike, members, resolve_operator
from enhance.recipe import Recipe
from enhance.tuning import strategies
from enhance.tuning.cost import CostFunction, leaving_cost, total_cost
from enhance.tuning.guards import Guard, resolve_guards
from enhance.tuning.integers import check_seed
from enhance.tuning.invariance import invariance_cost
from enhance.tuning.objective import Objective
from enhance.tuning.predictor import predict
from enhance.tuning.prior import faint_benefit, known_benefit, reads_white
from enhance.tuning.result import TuneResult
from enhance.tuning.scoring import TECHNICAL, ScorerLike, device_of, find_device, resolve_scorer
from enhance.tuning.search import Search
from enhance.tuning.space import answers_to_keep
from enhance.tuning.start import Start, start_of, starting_space
from enhance.tuning.tensors import ordinary_tensors
from enhance.tuning.verdict import decide, in_tone_points, untouched_settings
from enhance.tuning.views import draw_views

FEW_VIEWS = 8
"""Up to so many there is nothing to save by racing."""


def tune(
    image: ImageLike | Photo,
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
) -> TuneResult:
    """Find the settings of an operator that make a photo look best to a scorer, and apply them.

    Every setting is scored on the same views of the photo, drawn once: the whole photo shrunk to
    the scorer's size for tone, native crops for denoising. What is maximised is the mean score
    minus a cost of leaving the input, and the winner, or a smaller step towards it, must pass the
    guards; otherwise the photo is left untouched and the result says why.

    Args:
        image: a path, a PIL image, a NumPy array (uint8, uint16 or float in [0, 1]; HxW, HxWx3,
            HxWx4) or a torch tensor ``(3, H, W)``, ``(1, 3, H, W)``.
        operator: a name, an operator, or several of them to be applied in turn; None for the
            default tone operator.
        scorer: a name, a path of a weight file, or any callable ``(B, 3, H, W) in [0, 1] ->
            (B,)``, higher better; None for the default that fits the operator.
        strategy: ``"grid"``, ``"gradient"``, ``"bayesian"``, ``"hybrid"``, ``"race"``, or
            ``"instant"`` where a predictor was trained for the operator; None for race where one
            parameter is judged on many views, else gradient where operator and scorer pass one
            on, else bayesian.
        crops: how many views; None for 4 whole views, or 50 native crops.
        seed: draws the views and steers the search; the same seed gives the same result.
        fixed: parameters that keep the given value.
        bounds: narrower bounds of searched parameters; also makes a parameter searched that by
            default is not.
        guards: names or objects of guards; None for `enhance.tuning.guards.default_guards`; an
            empty list turns the guards *and* the cost of leaving the input off: the raw maximum.
        start: a recipe, the name of a preset, or settings to start from, and from which leaving
            costs, in place of a predictor's answer; parameters it does not name start from their
            default, and those that are not searched keep what it says. A recipe also names the
            operators, unless `operator` does.
        device: where to compute, to which a scorer that is a module is moved; None for where
            that scorer is, and for the CPU with any other.
        progress: show a progress bar on stderr.
        storage: an Optuna storage URL (``sqlite:///study.db``) or the path of a journal file, so
            that an interrupted bayesian or hybrid search goes on where it stopped, and several
            processes share one.

    Returns:
        Settings, score, paired gain and its interval, verdict, and the image (lazily rendered,
        at full resolution, of the same kind as the input).

    Raises:
        ReadError, ImageError: the image cannot be read or worked on.
        UnknownNameError: no operator, parameter, scorer, strategy, guard or preset of that name.
        ParameterError: a value out of its bounds, or an option that breaks its rule.
        WriteError: `storage` is a path that cannot be written.

    >>> photo = torch.full((3, 32, 32), 0.3)
    >>> def likes_middle_grey(images):
    ...     return -10 * (images.mean((1, 2, 3)) - 0.5).abs()
    >>> result = tune(photo, "laplacian", likes_middle_grey, bounds={"detail": (0, 0)})
    >>> result.verdict, result.image.shape
    ('enhanced', torch.Size([3, 32, 32]))
    """
    seed = check_seed(seed)
    operator, start = start_of(operator, start)
    chosen_operator = resolve_operator(operator)
    if not chosen_operator.parameters_spec:
        raise ParameterError(f"{chosen_operator.name} has no parameter that could be tuned")
    asked, point = starting_space(chosen_operator, fixed, bounds, start)
    named = {*(fixed or {}), *(start or {})}
    checks = resolve_guards(guards)
    raw = guards is not None and not checks
    if strategy is not None:
        strategies.get(strategy)
    if storage is not None:
        storage = _check_storage(storage, strategy)
    given = None if device is None else find_device(device)
    with ordinary_tensors():
        photo = as_photo(image)
        judge = resolve_scorer(scorer, chosen_operator, given)
        place = given or device_of(judge.score)
        pixels = photo.pixels.to(place)
        if pixels.is_inference():
            pixels = pixels.clone()
        chosen_operator.to(place)
        views = draw_views(chosen_operator, pixels, judge.view_size, crops, seed)
        space = asked.calibrated(chosen_operator, pixels)
        hint = predict(chosen_operator, space, pixels) if point is None else space.to_unit(point)
        centre = None if hint is None else space.describe(hint)
        white = not raw and judge.name == TECHNICAL and reads_white(chosen_operator, space, pixels)
        cost: CostFunction | None = None
        if not raw:
            cost = total_cost(
                leaving_cost(chosen_operator, space, centre),
                invariance_cost(chosen_operator, space, pixels, seed) if white else None,
            )
        objective = Objective(chosen_operator, judge.score, views, space, cost, hint)
        name = strategy or _fastest(objective, storage)
        found = _search(objective, name, seed, progress, storage)
        candidate = space.describe(found.point)
        prior = 0.0 if raw else known_benefit(chosen_operator, space, judge.name, white=white)
        own = not raw and not named & (chosen_operator.identity or {}).keys()
        decision = decide(
            objective,
            space.to_unit(candidate),
            checks,
            judge.witness,
            prior,
            faint_prior=faint_benefit(chosen_operator, space, judge.name) if own else 0.0,
            tone=in_tone_points(chosen_operator, space, judge.name),
        )
    enhanced = decision.verdict == "enhanced"
    if enhanced:
        told = answers_to_keep(chosen_operator, asked, space)
        held = decision.objective.space.constant
        less = {name: held[name] for name in held if held[name] != space.constant[name]}
        kept = {name: asked.constant[name] for name in named & asked.constant.keys()}
        settings = {**kept, **space.describe(decision.point), **less, **told}
    else:
        settings = untouched_settings(chosen_operator, named | {*space.names})
    baseline = float(objective.baseline.mean())
    gain = decision.gain.mean if enhanced else 0.0
    interval = (decision.gain.low, decision.gain.high) if enhanced else (0.0, 0.0)
    recipe = Recipe(
        operators=tuple(member.name for member in members(chosen_operator)),
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
        interval=interval,
    )
    return TuneResult(
        settings=settings,
        score=baseline + gain,
        baseline=baseline,
        gain=gain,
        interval=interval,
        verdict=decision.verdict,
        reason=decision.reason,
        strategy=name,
        candidate=candidate,
        guards=decision.guards,
        history=[
            {**space.describe(point), "value": float(value)}
            for point, value in zip(found.points, found.values, strict=True)
        ],
        recipe=recipe,
        study=found.study,
        photo=photo,
        operator=chosen_operator,
        objective=decision.objective,
    )


def _check_storage(storage: str | PathLike[str], strategy: str | None) -> str:
    if strategy not in (None, "bayesian", "hybrid"):
        raise ParameterError(f"storage is used by bayesian and hybrid only, got {strategy!r}")
    if not isinstance(storage, (str, PathLike)):
        raise ParameterError(f"storage must be a URL or a path, got {storage!r}")
    storage = fspath(storage)
    if "://" not in storage:
        check_writable(Path(storage))
    return storage


def _fastest(objective: Objective, storage: str | None) -> str:
    if not objective.space.names:
        return "grid"
    if storage is None and len(objective.space.names) == 1 and len(objective) > FEW_VIEWS:
        return "race"
    return "gradient" if storage is None and objective.differentiable else "bayesian"


def _search(
    objective: Objective, strategy: str, seed: int, progress: bool, storage: str | None
) -> Search:
    search = strategies.get(strategy)
    if not progress:
        return search(objective, seed=seed, storage=storage)
    from tqdm import tqdm

    with tqdm(desc=strategy, unit="step") as bar:

        def show(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        return search(objective, seed=seed, progress=show, storage=storage)
