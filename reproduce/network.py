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


def freeze(network: nn.Module, up_to: str) -> None:
    """Stop training the layers of a MobileNet v1 up to one of its blocks, which saves half a step.

    >>> from scorers.backbones.mobilenet import MobileNetV1
    >>> from scorers.nima import NIMA
    >>> network = NIMA(MobileNetV1(width=0.25))
    >>> freeze(network, "conv_pw_1")
    >>> network.backbone.features.conv_pw_1.weight.requires_grad
    False
    """
    for name, layer in network.backbone.features.named_children():
        layer.requires_grad_(False)
        if name == up_to:
            return
    raise ValueError(f"no layer {up_to!r}")
