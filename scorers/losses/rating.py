"""Losses that train a scorer: distance of opinions, and order."""

from __future__ import annotations

from torch import Tensor

from scorers import opinion


def emd_loss(predicted: Tensor, target: Tensor, r: float = 2.0) -> Tensor:
    """Mean earth mover's distance between ``(B, N)`` opinions: a scalar.

    With ``r=2``, NIMA's training loss (Talebi and Milanfar 2018, eq. 1); see `opinion.emd`.

    >>> import torch
    >>> opinion = torch.tensor([[0.2, 0.8]])
    >>> emd_loss(opinion, opinion)
    tensor(0.)
    """
    return opinion.emd(predicted, target, r).mean()


def ranking_loss(better: Tensor, worse: Tensor, margin: float | Tensor = 0.0) -> Tensor:
    """Hinge on scores that should be ordered: mean of ``max(0, margin - (better - worse))``.

    Args:
        better: scores that should be higher, any shape.
        worse: scores that should be lower, same shape.
        margin: by how much, in score units; may differ per pair.

    >>> import torch
    >>> ranking_loss(torch.tensor([5.0, 5.0]), torch.tensor([4.0, 5.5]), margin=0.5)
    tensor(0.5000)
    """
    return (margin - (better - worse)).clamp(min=0).mean()
