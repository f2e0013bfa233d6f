"""`score`: what a scorer thinks of a photo as it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch

from enhance.imaging.intake import as_photo
from enhance.imaging.photo import ImageLike, Photo
from enhance.tuning.scoring import TONE, ScorerLike, device_of, judge_of, translated_errors


@dataclass(frozen=True)
class Opinion:
    """What people are predicted to say of a photo.

    Attributes:
        mean: mean opinion, on the scorer's scale: 1 to 10 for the embedded ones.
        std: standard deviation of the opinions, how much people would disagree; None with a
            scorer that only tells the mean.
        shares: of the opinions, the part in each bucket, from worst to best; None likewise.
    """

    mean: float
    std: float | None = None
    shares: tuple[float, ...] | None = field(default=None, repr=False)

    def __float__(self) -> float:
        return self.mean


class PhotoScorer:
    """A scorer for photos of any kind, loaded once.

    Args:
        scorer, device: as of `score`.

    Raises:
        UnknownNameError, ReadError, ParameterError: as `score`.
    """

    def __init__(
        self, scorer: ScorerLike | None = None, device: str | torch.device | None = None
    ) -> None:
        self.judge = judge_of(TONE if scorer is None else scorer, device)

    def __call__(self, image: ImageLike | Photo) -> Opinion:
        """See `score`."""
        judge: Any = self.judge.score
        pixels = as_photo(image).pixels.to(device_of(judge))
        with torch.no_grad(), translated_errors():
            if not hasattr(judge, "opinion"):
                return Opinion(float(judge(pixels).squeeze()))
            from scorers.opinion import mean, std

            shares = judge.opinion(pixels)
            told = tuple(shares.flatten().tolist())
            buckets = judge.buckets
            return Opinion(float(mean(shares, buckets)), float(std(shares, buckets)), told)


def score(
    image: ImageLike | Photo,
    scorer: ScorerLike | None = None,
    *,
    device: str | torch.device | None = None,
) -> Opinion:
    """Score a photo as it is, read at its full depth and converted to sRGB.

    Args:
        image: whatever `enhance.tune` takes.
        scorer: a name, a path, or a callable ``(B, 3, H, W) in [0, 1] -> (B,)``; None for
            ``nima-aesthetic``.
        device: where to compute; None for where the scorer is.

    Raises:
        ReadError, ImageError: the photo, or the scorer's file, cannot be read.
        UnknownNameError: no scorer of that name.
        ParameterError: neither a name, nor a path, nor a callable; a device that is not here.

    >>> opinion = score(torch.rand(3, 64, 64))
    >>> 1 < opinion.mean < 10, len(opinion.shares)
    (True, 10)
    """
    return PhotoScorer(scorer, device)(image)
