"""`tune`: a photo in; a better photo, its settings and an honest verdict out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from os import PathLike

import torch

from enhance.imaging.intake import as_photo
from enhance.imaging.photo import ImageLike, Photo
from enhance.operators.resolve import OperatorLike
from enhance.tuning.cost import CostFunction, leaving_cost, total_cost
from enhance.tuning.guards import Guard
from enhance.tuning.invariance import invariance_cost
from enhance.tuning.objective import Objective
from enhance.tuning.prior import faint_benefit, known_benefit, reads_white
from enhance.tuning.problem import Problem, pixels_to_search
from enhance.tuning.result import TuneResult
from enhance.tuning.scoring import TECHNICAL, ScorerLike, device_of, resolve_scorer
from enhance.tuning.space import answers_to_keep
from enhance.tuning.start import Start
from enhance.tuning.tensors import ordinary_tensors
from enhance.tuning.verdict import decide, in_tone_points
from enhance.tuning.views import draw_views


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
        device: where to compute, to which the operator and a scorer that is a module are moved;
            None for where that scorer is, and for the CPU with any other.
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
    with ordinary_tensors():
        photo = as_photo(image)
        chosen = problem.operator
        judge = resolve_scorer(scorer, chosen, problem.device)
        place = problem.device or device_of(judge.score)
        pixels = pixels_to_search(photo, place)
        chosen.to(place)
        views = draw_views(chosen, pixels, judge.view_size, crops, problem.seed)
        space = problem.space.calibrated(chosen, pixels)
        hint = problem.hint(space, pixels)
        cost: CostFunction | None = None
        prior = faint_prior = 0.0
        if problem.guarded:
            white = judge.name == TECHNICAL and reads_white(chosen, space, pixels)
            cost = total_cost(
                leaving_cost(chosen, space, None if hint is None else space.describe(hint)),
                invariance_cost(chosen, space, pixels, problem.seed) if white else None,
            )
            prior = known_benefit(chosen, space, judge.name, white=white)
            if not problem.named & (chosen.identity or {}).keys():  # the strength is ours to choose
                faint_prior = faint_benefit(chosen, space, judge.name)
        objective = Objective(chosen, judge.score, views, space, cost, hint)
        name = problem.strategy_for(objective)
        found = problem.search(objective, name, progress)
        candidate = space.describe(found.point)
        decision = decide(
            objective,
            space.to_unit(candidate),
            problem.guards,
            judge.witness,
            prior,
            faint_prior=faint_prior,
            tone=in_tone_points(chosen, space, judge.name),
        )
    used = decision.objective.space.constant
    reduced = {name: value for name, value in used.items() if value != space.constant[name]}
    told = answers_to_keep(chosen, problem.space, space)
    settings = problem.settings(decision, {**reduced, **told})
    recipe = problem.recipe(decision, settings, judge, name)
    return TuneResult(
        recipe=recipe,
        candidate=candidate,
        guards=decision.guards,
        history=[
            {**space.describe(point), "value": float(value)}
            for point, value in zip(found.points, found.values, strict=True)
        ],
        study=found.study,
        photo=photo,
        operator=chosen,
        objective=decision.objective,
    )
