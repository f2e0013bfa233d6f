"""How much better, and how sure: the paired gain over views."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Gain:
    """Mean paired difference of scores, with its 95 % t interval over the views.

    The interval says how the gain would vary over other views of the same kind of this photo:
    other crops for native views, other resamplings for whole ones. It says nothing about how
    well the scorer agrees with people.
    """

    mean: float
    low: float
    high: float

    @property
    def margin(self) -> float:
        """Half the width of the interval."""
        return (self.high - self.low) / 2


def paired_gain(baseline: Tensor, scores: Tensor, confidence: float = 0.95) -> Gain:
    """The gain of `scores` over `baseline`, both ``(V,)`` on the same views.

    One view alone gives no spread to judge by; its gain is then taken to be as uncertain as it
    is large.

    >>> import torch
    >>> gain = paired_gain(torch.tensor([4.0, 5.0, 6.0]), torch.tensor([4.5, 5.6, 6.4]))
    >>> round(gain.mean, 3), round(gain.low, 3), round(gain.high, 3)
    (0.5, 0.252, 0.748)
    """
    difference = (scores - baseline).double()
    mean = float(difference.mean())
    if len(difference) < 2:
        return Gain(mean, min(0.0, 2 * mean), max(0.0, 2 * mean))
    from scipy.special import stdtrit  # scipy.stats has the same and takes a second to import

    error = float(difference.std()) / math.sqrt(len(difference))
    half = float(stdtrit(len(difference) - 1, (1 + confidence) / 2)) * error
    return Gain(mean, mean - half, mean + half)
