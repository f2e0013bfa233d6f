"""The scorer: a frozen network that says how good a photo looks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from scorers import opinion
from scorers.card import ModelCard
from scorers.errors import InputError
from scorers.nima import NIMA
from scorers.weights_file import Precision, write_weights


class Scorer(nn.Module):
    """Mean opinion of photos: ``(B, 3, H, W)`` sRGB in [0, 1] -> ``(B,)``, higher is better.

    The network is frozen and stays in evaluation mode, even inside a module that is being
    trained, but gradients flow through it to the image. Resizing and normalisation are its own
    affair, as `card` states them. Photos of any size from one pixel up are accepted.

    Args:
        network: of the architecture that the card names.
        card: says what the network is; see `ModelCard`.

    >>> from scorers.card import Architecture, ModelCard
    >>> scorer = Scorer.untrained(ModelCard("tiny", Architecture("mobilenet_v1", {"width": 0.25})))
    >>> scorer(torch.rand(2, 3, 48, 64)).shape, scorer.opinion(torch.rand(2, 3, 48, 64)).shape
    (torch.Size([2]), torch.Size([2, 10]))
    """

    buckets: Tensor

    if TYPE_CHECKING:

        def __call__(self, image: Tensor) -> Tensor: ...

    def __init__(self, network: NIMA, card: ModelCard) -> None:
        super().__init__()
        if network.head.out_features != len(card.buckets):
            raise InputError(
                f"the network answers over {network.head.out_features} buckets, "
                f"its card names {len(card.buckets)}"
            )
        # channels last is what convolutions on a CPU are fastest in
        self.network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.network.requires_grad_(False)
        self.card = card
        self.register_buffer(
            "buckets", torch.tensor(card.buckets, dtype=torch.float32), persistent=False
        )
        self.eval()

    @classmethod
    def untrained(cls, card: ModelCard) -> Scorer:
        """A scorer of the card's architecture with random weights: for tests and training."""
        return cls(card.architecture.build(len(card.buckets)), card)

    @property
    def view_size(self) -> int:
        """Side in pixels of the square views that the network sees without resizing."""
        return self.card.preprocess.size

    def train(self, mode: bool = True) -> Scorer:
        """Stay in evaluation mode: dropout would make a loss of it random."""
        return super().train(False)

    def opinion(self, image: Tensor) -> Tensor:
        """``(B, 3, H, W)`` in [0, 1] -> ``(B, buckets)``: the share of opinions per bucket.

        Raises:
            InputError: not a float tensor of that shape.
        """
        check_image(image)
        views = self.card.preprocess.views(image.to(self.buckets.dtype))
        flat = views.flatten(0, 1).contiguous(memory_format=torch.channels_last)
        shares: Tensor = self.network(flat)
        return shares.unflatten(0, views.shape[:2]).mean(1)

    def forward(self, image: Tensor) -> Tensor:
        """``(B, 3, H, W)`` in [0, 1] -> ``(B,)``: mean opinion."""
        return opinion.mean(self.opinion(image), self.buckets)

    def std(self, image: Tensor) -> Tensor:
        """``(B, 3, H, W)`` in [0, 1] -> ``(B,)``: how much people would disagree."""
        return opinion.std(self.opinion(image), self.buckets)

    def __repr__(self) -> str:
        low, high = self.card.buckets[0], self.card.buckets[-1]
        size = self.view_size
        return f"<Scorer {self.card.name}: opinions {low:g} to {high:g}, views {size} x {size}>"

    def save(self, path: str | Path, *, precision: Precision = "float32") -> None:
        """Write one self-describing safetensors file: weights, and the card in its metadata.

        Args:
            path: the target; written beside it first, then renamed over it.
            precision: how weights are stored: ``"float32"``, ``"float16"``, or ``"int8"``: large
                matrices as integers with one scale per output channel and the rest as float16,
                little more than a quarter of the size. They are read back as float32.
        """
        write_weights(path, self.network.state_dict(), self.card, precision=precision)


def check_image(image: Tensor) -> None:
    """Raise unless `image` is a float tensor ``(B, 3, H, W)`` of one photo and pixel at least.

    >>> check_image(torch.zeros(3, 8, 8))
    Traceback (most recent call last):
    ...
    scorers.errors.InputError: image must be (B, 3, H, W), got (3, 8, 8)
    """
    if not isinstance(image, Tensor) or not image.is_floating_point():
        kind = image.dtype if isinstance(image, Tensor) else type(image).__name__
        raise InputError(f"image must be a float tensor in [0, 1], got {kind}")
    if image.ndim != 4 or image.shape[1] != 3 or 0 in image.shape:
        raise InputError(f"image must be (B, 3, H, W), got {tuple(image.shape)}")
