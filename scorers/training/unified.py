"""One network for class, score and distribution, trained on the distribution alone.

Murray and Gordo, "A deep architecture for unified aesthetic prediction", 2017
(arXiv:1708.04890): a head that answers with a distribution of scores, trained with a Huber loss
on its shares; the mean score and the class above or below the cut are read off it. What they
report is measured by `scorers.evaluation.opinions.unified`.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def huber_loss(predicted: Tensor, target: Tensor, delta: float = 1 / 9) -> Tensor:
    """Huber loss on the shares of ``(B, N)`` opinions, summed over buckets: a scalar.

    Squared near the target, absolute beyond `delta`: a photo with few or odd votes, far from any
    smooth distribution, pulls no harder than its sign.

    Args:
        delta: difference of shares at which squared turns into absolute.

    >>> import torch
    >>> float(huber_loss(torch.tensor([[0.5, 0.5]]), torch.tensor([[0.5, 0.5]])))
    0.0
    """
    return F.huber_loss(predicted, target, reduction="none", delta=delta).sum(-1).mean()
