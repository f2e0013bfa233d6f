"""Losses: to train a scorer (EMD, ranking), and to train with one (`NIMALoss`)."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Generator, Tensor, nn

from scorers import opinion
from scorers.errors import InputError
from scorers.scorer import Scorer
from scorers.zoo import DEFAULT, load


def emd_loss(predicted: Tensor, target: Tensor, r: float = 2.0) -> Tensor:
    """Mean earth mover's distance between ``(B, N)`` opinions: a scalar.

    With ``r=2``, NIMA's training loss (Talebi and Milanfar 2018, eq. 1); see `opinion.emd`.

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

    >>> ranking_loss(torch.tensor([5.0, 5.0]), torch.tensor([4.0, 5.5]), margin=0.5)
    tensor(0.5000)
    """
    return (margin - (better - worse)).clamp(min=0).mean()


class NIMALoss(nn.Module):
    """A frozen scorer as a loss: how far the mean opinion of random native crops is from a target.

    ``mean(max(0, target - score))`` over images and crops. Crops have the scorer's view size at
    the image's own resolution, so images of any size are judged without resampling; an image
    smaller than that is judged whole. Add it, with a small weight, to a fidelity loss: alone it
    rewards whatever fools the scorer.

    Args:
        scorer: a `Scorer`, a name or a path; the embedded default when None.
        target: opinion beyond which there is nothing to gain; the top of the scale when None.
        crops: native crops per image and call; 0 judges the whole image, resized by the scorer.
        generator: source of the crops, on the CPU; seed it to repeat a training run. PyTorch's
            global one when None.

    >>> from scorers.card import Architecture, ModelCard
    >>> card = ModelCard("tiny", Architecture("mobilenet_v1", {"width": 0.25}))
    >>> loss = NIMALoss(Scorer.untrained(card), crops=2)
    >>> restored = torch.rand(1, 3, 240, 320, requires_grad=True)
    >>> loss(restored).backward()
    >>> restored.grad.shape
    torch.Size([1, 3, 240, 320])
    """

    def __init__(
        self,
        scorer: Scorer | str | Path | None = None,
        target: float | None = None,
        crops: int = 4,
        generator: Generator | None = None,
    ) -> None:
        super().__init__()
        if crops < 0:
            raise InputError(f"`crops >= 0` must hold, but got crops={crops}")
        self.scorer = scorer if isinstance(scorer, Scorer) else load(scorer or DEFAULT)
        self.target = self.scorer.card.buckets[-1] if target is None else target
        self.crops = crops
        self.generator = generator

    def forward(self, image: Tensor) -> Tensor:
        """``(B, 3, H, W)`` in [0, 1] -> a scalar, in units of the scorer's scale."""
        views = self._crop(image) if self.crops else image
        return (self.target - self.scorer(views)).clamp(min=0).mean()

    def _crop(self, image: Tensor) -> Tensor:
        """``(B * crops, 3, h, w)``: crops drawn for each image on its own."""
        height, width = image.shape[-2:]
        size = self.scorer.view_size
        h, w = min(size, height), min(size, width)
        where = torch.rand(len(image), self.crops, 2, generator=self.generator)
        room = torch.tensor([height - h + 1, width - w + 1])
        corners = (where * room).long().tolist()
        return torch.stack(
            [
                photo[:, top : top + h, left : left + w]
                for photo, chosen in zip(image, corners, strict=True)
                for top, left in chosen
            ]
        )
