"""From a rating table to a weight file that says what it is: what `scorers train` runs."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, replace

import torch
from torch import Tensor

from scorers import zoo
from scorers.errors import InputError, unknown_name
from scorers.evaluation.judging import judge
from scorers.evaluation.opinions import agreement
from scorers.ratings.tables import RatingTable
from scorers.scorer import Scorer
from scorers.training.batches import balanced_weights, stream
from scorers.training.checkpoint import check_identity, identity_in
from scorers.training.distributed import World
from scorers.training.fit import Fit, Rated
from scorers.training.initial import InitialNetwork, start
from scorers.training.log import LOGS, check_columns, events_writer
from scorers.training.objectives import OBJECTIVES
from scorers.training.options import Training
from scorers.training.ready import check_batch
from scorers.training.record import Learned, card
from scorers.training.skipped import COLUMNS, readable_once
from scorers.training.stages import TrainingRecipe, recipe
from scorers.training.views import ViewDataset, stored_size


def train_scorer(
    table: RatingTable,
    how: Training,
    world: World,
    *,
    note: Callable[[str], object] = lambda _: None,
    tick: Callable[[int, int, float], object] = lambda *_: None,
    looked: Callable[[], object] = lambda: None,
) -> Scorer:
    """Train, write ``OUT/NAME.safetensors`` with its card, and return the scorer.

    Photos that cannot be read are left out and listed in ``OUT/skipped.csv``; a run that goes on
    does not look again. The card's figures are measured on the validation and test splits, on
    whole files. What can be refused is refused before any photo is decoded, and before anything
    in `out` is touched.

    Args:
        table: split into train, validation and test by itself.
        note: called with one line at a time on what is going on.
        tick: called after each step with the steps done, those there are, and the loss.
        looked: called after each photo that was tried, before the first step.

    Raises:
        InputError: a rule on the options or the table is broken; see the message.
    """
    if how.objective not in OBJECTIVES:
        raise unknown_name("objective", how.objective, OBJECTIVES)
    plan = _plan(how)
    if how.tensorboard:
        events_writer()  # complain now, not when the photos have been read
    table = table.over(how.buckets or table.buckets)
    photos = len(table.part("train"))
    if not photos:
        raise InputError(f"{table.name} has no photo in its train split")
    if photos < world.size:
        raise InputError(
            f"{table.name} must have a photo to train for each of the {world.size} processes, "
            f"got {photos}"
        )
    begin, teacher = _networks(table, how, world)
    check_batch(begin.network, how.size, min(plan.batch, photos), plan.stages, world)
    same_run = _check_folder(how, plan, begin, table, world)
    if world.first:
        how.out.mkdir(parents=True, exist_ok=True)
    rows, skipped = world.from_first(
        readable_once(
            table,
            how.size,
            how.out,
            _identity(table, how, plan),
            workers=max(how.workers, 2),
            tick=looked,
            accept=lambda rows: same_run(table.take(rows)),
        )
        if world.first
        else None
    )
    used = table.take(rows)
    if world.first:
        note(f"{len(used)} photos of {table.name}, {len(skipped)} skipped")
        if table.note:
            note(table.note)
    train, validation, test = (used.part(p) for p in ("train", "validation", "test"))
    if not len(train):
        raise InputError(f"{table.name} has no photo in its train split")
    fit = Fit(
        network=begin.network,
        preprocess=begin.preprocess,
        buckets=table.buckets,
        recipe=plan,
        objective=OBJECTIVES[how.objective],
        train=_rated(train, how, balanced_weights(train.means) if plan.balanced else None),
        # shrunk once, as a scorer will show them: shrinking twice costs agreement
        validation=_rated(validation, how, stored=how.size) if len(validation) else None,
        out=how.out,
        identity=_identity(used, how, plan),
        world=world,
        seed=how.seed,
        teacher=teacher.to(world.device) if teacher is not None else None,
        teacher_weight=how.teacher_weight,
        mixed=how.mixed,
        workers=how.workers,
        checkpoint_every=how.checkpoint_every,
        tensorboard=how.tensorboard,
    )
    with _own_randomness(world):
        network = begin.architecture.build(len(table.buckets))
        network.load_state_dict(fit.run(tick))
    learned = Learned(table, train, validation, skipped)
    scorer = Scorer(network, card(learned, how, replace(plan, batch=fit.batch), begin))
    if not world.first:
        return scorer
    scorer.to(world.device)
    measured: dict[str, str] = {}
    for part in (validation, test):
        if len(part) > 2:
            found = agreement(judge(scorer, part), part, scorer.card.buckets)
            where = "validation" if part is validation else "test"
            measured |= {
                f"{where}, {len(part)} photos, {name}": str(figure)
                for name, figure in found.items()
                if math.isfinite(figure.value)
            }
    scorer.card = replace(scorer.card, measured=measured)
    scorer.save(how.out / f"{how.name}.safetensors")
    return scorer.cpu()


def _networks(
    table: RatingTable, how: Training, world: World
) -> tuple[InitialNetwork, Scorer | None]:
    """What is trained, and who teaches it."""
    with _own_randomness(world):
        torch.manual_seed(stream(how.seed, "initial").initial_seed())
        begin = start(
            how.backbone,
            how.options,
            weights=how.weights,
            buckets=len(table.buckets),
            size=how.size,
        )
    teacher = zoo.load(how.teacher) if how.teacher else None
    if teacher is not None and teacher.card.buckets != table.buckets:
        raise InputError(
            f"teacher {how.teacher} answers over {len(teacher.card.buckets)} buckets from "
            f"{teacher.card.buckets[0]:g}, the table over {len(table.buckets)} from "
            f"{table.buckets[0]:g}; state the teacher's as buckets"
        )
    return begin, teacher


def _check_folder(
    how: Training, plan: TrainingRecipe, begin: InitialNetwork, table: RatingTable, world: World
) -> Callable[[RatingTable], None]:
    """Refuse a folder of another run or program; what is returned does so for other photos."""
    for log, columns in {**LOGS, "skipped": COLUMNS}.items():
        check_columns(how.out / f"{log}.csv", columns)
    checkpoint = how.out / "checkpoint.pt"
    if not world.from_first(checkpoint.exists()):
        return lambda _: None
    found = identity_in(checkpoint, begin.network)
    # of which photos, is known when those that cannot be read have been left out
    asked = {k: v for k, v in _identity(table, how, plan).items() if k != "photos"}
    check_identity(how.out, found, asked)

    def same_run(used: RatingTable) -> None:
        check_identity(how.out, found, _identity(used, how, plan))

    return same_run


def _own_randomness(world: World) -> AbstractContextManager[None]:
    """Whatever is drawn and seeded inside leaves the caller's randomness as it was."""
    device = world.device
    return torch.random.fork_rng([device.index] if device.type == "cuda" else [])


def _plan(how: Training) -> TrainingRecipe:
    plan = recipe(how.recipe)
    if how.epochs:
        plan = plan.with_epochs(how.epochs)
    stages = tuple(
        replace(
            stage,
            head=stage.head * how.rate,
            backbone=None if stage.backbone is None else stage.backbone * how.rate,
        )
        for stage in plan.stages
    )
    balanced = plan.balanced if how.balanced is None else how.balanced
    return replace(
        plan, stages=stages, batch=plan.batch if how.batch is None else how.batch, balanced=balanced
    )


def _rated(
    table: RatingTable, how: Training, weights: Tensor | None = None, stored: int | None = None
) -> Rated:
    files = [table.folder / name for name in table.names]
    keep = how.workers == 0 and 3 * stored_size(how.size) ** 2 * len(files) <= how.memory
    views = ViewDataset(files, how.size, seed=how.seed, keep=keep, stored=stored)
    return Rated(views, table.opinions.float(), weights)


def _identity(table: RatingTable, how: Training, plan: TrainingRecipe) -> dict[str, str]:
    """What decides the weights that come out."""
    ratings = table.opinions.float().contiguous().numpy().tobytes()
    rows = "\n".join([*table.names, *table.groups, *table.parts]).encode()
    return {
        "photos": hashlib.sha256(ratings + rows).hexdigest()[:16],
        "stages": str([asdict(stage) for stage in plan.stages]),
        "batch": str(plan.batch),
        "balanced": str(plan.balanced),
        "buckets": str(table.buckets),
        **{
            name: str(getattr(how, name))
            for name in (
                "objective", "backbone", "options", "weights", "size",
                "teacher", "teacher_weight", "seed", "mixed",
            )
        },
    }  # fmt: skip
