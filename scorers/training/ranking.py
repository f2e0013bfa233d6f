"""Losses on the order of scores: by distance from a good photo, and by human means."""

from __future__ import annotations

import torch
from torch import Tensor

from scorers.losses.rating import ranking_loss


def rank_by_distance(
    scores: Tensor,
    distances: Tensor,
    *,
    margin_per_unit: float,
    largest_margin: float,
    dead_zone: float = 0.5,
) -> Tensor:
    """Hinge on every pair of versions of a photo: the nearer to the photo scores higher.

    Args:
        scores: ``(P, V)``, V versions of each of P photos.
        distances: ``(P, V)``, how far each version lies from the good photo, 0 for itself.
        margin_per_unit: score that one unit of difference in distance must be worth.
        largest_margin: cap of the margin.
        dead_zone: pairs whose distances differ by less are not compared.

    Returns:
        Scalar, the mean over compared pairs.

    >>> s = torch.tensor([[5.0, 4.0]]); d = torch.tensor([[0.0, 10.0]])
    >>> float(rank_by_distance(s, d, margin_per_unit=0.05, largest_margin=1.0))
    0.0
    """
    gap = distances[:, None, :] - distances[:, :, None]  # [p, i, j]: j farther than i by gap
    wanted = (gap * margin_per_unit).clamp(max=largest_margin)
    short = (wanted - (scores[:, :, None] - scores[:, None, :])).clamp(min=0)
    compared = (gap > dead_zone).to(scores)
    return (short * compared).sum() / compared.sum().clamp(min=1)


def expected_distance(scores: Tensor, distances: Tensor, *, temperature: float) -> Tensor:
    """Distance of the version that the scores would choose, made smooth.

    What steering comes to: among versions of a photo the highest score is taken, and its distance
    from the good photo is the harm. Here the choice is drawn by a softmax of the scores.

    Args:
        scores: ``(P, V)``, V versions of each of P photos.
        distances: ``(P, V)``, how far each version lies from the good photo.
        temperature: score difference at which two versions are told apart.

    Returns:
        Scalar, in units of distance.

    >>> s = torch.tensor([[9.0, 1.0]]); d = torch.tensor([[0.0, 10.0]])
    >>> round(float(expected_distance(s, d, temperature=0.5)), 3)
    0.0
    """
    return ((scores / temperature).softmax(-1) * distances).sum(-1).mean()


def correlation_loss(scores: Tensor, means: Tensor) -> Tensor:
    """One minus Pearson's correlation of ``(B,)`` scores with ``(B,)`` human means."""
    a = scores - scores.mean()
    b = means - means.mean()
    return 1 - (a * b).sum() / (a.norm() * b.norm()).clamp(min=1e-6)


def pairwise_logistic(scores: Tensor, means: Tensor, temperature: float = 0.3) -> Tensor:
    """Logistic loss on every pair of a batch, weighted by how far apart their means lie.

    Args:
        scores: ``(B,)``.
        means: ``(B,)`` human means on any increasing scale.
        temperature: score difference at which a pair counts as told apart.
    """
    gap = means[:, None] - means[None, :]
    margin = (scores[:, None] - scores[None, :]) / temperature
    weight = gap.clamp(min=0)
    return (weight * torch.nn.functional.softplus(-margin)).sum() / weight.sum().clamp(min=1e-6)


def ranking_hinge(scores: Tensor, means: Tensor, share: float = 0.5) -> Tensor:
    """Hinge on every pair of a batch: the better photo leads by a share of what people say.

    Args:
        scores: ``(B,)``.
        means: ``(B,)`` human means on the scale of the scores.
        share: of the difference of means that the scores must differ by.

    >>> float(ranking_hinge(torch.tensor([5.0, 4.0]), torch.tensor([6.0, 4.0])))
    0.0
    """
    first, second = torch.triu_indices(len(scores), len(scores), 1, device=scores.device)
    gap = means[first] - means[second]
    told = gap != 0
    if not bool(told.any()):
        return scores.sum() * 0
    better = torch.where(gap > 0, first, second)[told]
    worse = torch.where(gap > 0, second, first)[told]
    return ranking_loss(scores[better], scores[worse], margin=share * gap[told].abs())
