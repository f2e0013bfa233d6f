"""Learning from a teacher's opinion instead of, or beside, people's."""

from __future__ import annotations

from torch import Tensor


def distillation_loss(student: Tensor, teacher: Tensor, temperature: float = 1.0) -> Tensor:
    """Kullback-Leibler divergence of softened ``(B, N)`` opinions, student from teacher: a scalar.

    Opinions are raised to ``1 / temperature`` and normalised again, which is what a softmax at
    that temperature does to logits; times its square, so that gradients keep their size (Hinton,
    Vinyals and Dean, "Distilling the Knowledge in a Neural Network", 2015).

    >>> import torch
    >>> opinion = torch.tensor([[0.2, 0.8]])
    >>> float(distillation_loss(opinion, opinion, temperature=2.0))
    0.0
    """
    tiny = 1e-8  # a softmax can round to zero
    log_p = (student.clamp(min=tiny).log() / temperature).log_softmax(-1)
    log_q = (teacher.clamp(min=tiny).log() / temperature).log_softmax(-1)
    divergence = (log_q.exp() * (log_q - log_p)).sum(-1)
    return divergence.mean() * temperature**2
