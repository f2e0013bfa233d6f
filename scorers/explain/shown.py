"""What a scorer's network is shown of a photo, and maps over it laid back on the photo."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from scorers.preprocess import Preprocess
from scorers.scorer import Scorer, check_image


def squares(scorer: Scorer, image: Tensor) -> Tensor:
    """``(B, 3, H, W)`` in [0, 1] -> ``(B, n, 3, size, size)`` in [0, 1]: what the network is shown.

    Raises:
        InputError: not a float tensor of that shape.

    As they are before softening and normalisation, which the scorer does itself to a square that
    it is given: the mean of its scores of the n squares is its score of the photo.

    >>> from scorers.card import Architecture, ModelCard
    >>> shown = Preprocess(size=32, view="native", crops=2)
    >>> scorer = Scorer.untrained(ModelCard("t", Architecture("mobilenet_v1"), shown))
    >>> squares(scorer, torch.rand(1, 3, 40, 50)).shape
    torch.Size([1, 4, 3, 32, 32])
    """
    check_image(image)
    return _bare(scorer.card.preprocess).views(image.to(scorer.buckets.dtype))


def laid_out(scorer: Scorer, heats: Tensor, height: int, width: int) -> Tensor:
    """Maps over the n `squares` of photos as one map over each photo: their mean where they lie.

    Args:
        scorer: whose squares they are.
        heats: ``(B, n, size, size)``.
        height, width: of the photos.

    Returns:
        ``(B, size, size)`` for a scorer of whole photos, which sees them shrunk to that; for one
        of native squares ``(B, H, W)``, no side shorter than `size`, and 0 where no square lies.
        It sums to the mean of the sums of `heats`.
    """
    shown, size = scorer.card.preprocess, scorer.view_size
    if shown.view == "whole":
        return heats.mean(1)
    height, width = max(height, size), max(width, size)
    # where squares lie is read off photos that hold their own coordinates
    rows = torch.arange(height, dtype=torch.float64)[:, None].expand(1, 3, height, width)
    columns = torch.arange(width, dtype=torch.float64).expand(1, 3, height, width)
    tops, lefts = (_bare(shown).views(plane)[0, :, 0, 0, 0].int() for plane in (rows, columns))
    plane = heats.new_zeros(len(heats), height, width)
    for index, (top, left) in enumerate(zip(tops.tolist(), lefts.tolist(), strict=True)):
        plane[:, top : top + size, left : left + size] += heats[:, index] / len(tops)
    return plane


def _bare(shown: Preprocess) -> Preprocess:
    return replace(shown, mean=(0.0,) * 3, std=(1.0,) * 3, blur=0.0)
