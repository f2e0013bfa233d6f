"""How much strangers like a photo, from what photo sites count anyway."""

from __future__ import annotations

import torch
from torch import Tensor

from scorers.errors import InputError


def popularity(faves: Tensor, views: Tensor) -> Tensor:
    """``log(1 + faves) / log(1 + views)``, in [0, 1]: the share of viewers who liked, in logs.

    Both counts grow by orders of magnitude with the time a photo is online and the followers its
    owner has. If faves grow as a power of views, this is the power, and hardly moves with either
    (Schwarz, Wieschollek and Lensch, "Will People Like Your Image? Learning the Aesthetic
    Space", WACV 2018, on their AROD data). One is added so that a photo nobody liked has 0.

    Args:
        faves: ``(N,)`` counts.
        views: ``(N,)`` counts, at least one and at least `faves` each.

    Raises:
        InputError: a count that cannot be.

    >>> popularity(torch.tensor([0.0, 9.0]), torch.tensor([99.0, 99.0]))
    tensor([0.0000, 0.5000])
    """
    wrong = ~((faves >= 0) & (views >= 1) & (views >= faves))
    if bool(wrong.any()):
        i = int(wrong.nonzero()[0])
        raise InputError(
            "`0 <= faves <= views` and `views >= 1` must hold, "
            f"but got faves={faves[i].item():g}, views={views[i].item():g}"
        )
    return torch.log1p(faves) / torch.log1p(views)
