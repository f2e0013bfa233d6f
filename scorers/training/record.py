"""What the card of a trained scorer says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scorers.card import ModelCard
from scorers.ratings.overlap import fingerprint
from scorers.ratings.tables import RatingTable
from scorers.training.initial import InitialNetwork
from scorers.training.options import Training
from scorers.training.stages import TrainingRecipe
from scorers.training.views import Skipped

_SPREADS = {
    "votes": "opinions are the votes",
    "stated": "opinions are maximum-entropy distributions of published means and deviations",
    "model": "only means are known: opinions are maximum-entropy distributions with a guessed "
    "deviation (scorers.opinion.typical_std), so the spread is not people's",
}


@dataclass(frozen=True)
class Learned:
    """What a network was shown: a table, its parts that were not left out, and what was skipped."""

    table: RatingTable
    train: RatingTable
    validation: RatingTable
    skipped: Sequence[Skipped]


def card(learned: Learned, how: Training, plan: TrainingRecipe, begin: InitialNetwork) -> ModelCard:
    """The card of a run, but for what is measured."""
    table = learned.table
    taught = f" and the opinion of {how.teacher}" if how.teacher else ""
    notes = [
        f"{table.name}: {len(learned.train)} photos, {len(learned.validation)} more to choose "
        "the epoch",
        f"{len(learned.skipped)} skipped as unreadable",
        _SPREADS[table.spread] + taught,
        *([table.note] if table.note else []),
        "terms as of that data",
    ]
    return ModelCard(
        name=how.name,
        architecture=begin.architecture,
        preprocess=begin.preprocess,
        buckets=table.buckets,
        summary=f"NIMA trained on {table.name}.",
        origin=f"scorers train: recipe {how.recipe} after {plan.source}: {plan}; objective "
        f"{how.objective}, seed {how.seed}, from {begin.origin}",
        licence=how.licence,
        training_data="; ".join(notes),
        learned_from=fingerprint(
            [*learned.train.names, *learned.validation.names], earlier=begin.learned_from
        ),
        limits="Learned to agree with ratings of finished photos. Whether its maximum over an "
        "operator's settings is a good photo was not measured.",
    )
