"""The network that both embedded scorers share, as the training scripts run it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

SIZE = 224
BUCKETS = torch.arange(1.0, 11.0)


def opinion(network: nn.Module, image: Tensor) -> Tensor:
    """``(B, 10)`` opinion of ``(B, 3, 224, 224)`` in [0, 1]; convolutions in bfloat16."""
    normalised = image.mul(2).sub(1).contiguous(memory_format=torch.channels_last)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        features = network.backbone(normalised)
    return network.head(features.float()).softmax(-1)


def score(network: nn.Module, image: Tensor, chunk: int = 64) -> Tensor:
    """``(B,)`` mean opinion."""
    return torch.cat([opinion(network, part) @ BUCKETS for part in image.split(chunk)])
