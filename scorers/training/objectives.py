"""What `scorers train` can minimise: a distribution loss, alone or with a second one beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Generator, Tensor

from scorers import opinion
from scorers.losses import emd_loss
from scorers.training.ranking import ranking_hinge
from scorers.training.triplet import aesthetic_space_loss
from scorers.training.unified import huber_loss


@dataclass(frozen=True)
class Answer:
    """What the network says of a batch, and what people (and a teacher) say.

    Attributes:
        features: ``(B, D)``, what the head reads.
        opinion: ``(B, K)``.
        target: ``(B, K)``, people's opinions.
        buckets: ``(K,)`` ratings.
        generator: for losses that choose among pairs or triplets.
    """

    features: Tensor
    opinion: Tensor
    target: Tensor
    buckets: Tensor
    generator: Generator

    @property
    def means(self) -> Tensor:
        """``(B,)`` mean opinions of the network."""
        return opinion.mean(self.opinion, self.buckets)

    @property
    def wanted(self) -> Tensor:
        """``(B,)`` mean opinions of people."""
        return opinion.mean(self.target, self.buckets)


Objective = Callable[[Answer], Tensor]


def _emd(answer: Answer) -> Tensor:
    return emd_loss(answer.opinion, answer.target)


def _huber(answer: Answer) -> Tensor:
    return huber_loss(answer.opinion, answer.target)


def _ranking(answer: Answer) -> Tensor:
    # an EMD is a share of the scale and scores are in points of it
    span = answer.buckets[-1] - answer.buckets[0]
    return _emd(answer) + ranking_hinge(answer.means, answer.wanted) / span


def _triplet(answer: Answer) -> Tensor:
    shape = aesthetic_space_loss(answer.features, answer.wanted, answer.generator)
    return _emd(answer) + 0.1 * shape


OBJECTIVES: Mapping[str, Objective] = {
    "emd": _emd,  # NIMA
    "huber": _huber,  # Murray and Gordo
    "ranking": _ranking,  # EMD and a hinge on every pair of the batch
    "triplet": _triplet,  # EMD, and features shaped as by Schwarz et al.
}
