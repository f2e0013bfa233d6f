"""The network that both embedded scorers share, as the training scripts run it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from scorers.backbones.multilevel import MultiLevelMobileNetV1
from scorers.convert.tflite import load_tflite
from scorers.nima import NIMA

OPTIONS: dict[str, Any] = {"folded": True, "same": True}
"""Of the backbone, as the published weights need them."""
SLOWER = {"backbone.features": 0.3, "head": 0.3}
"""Of the learning rate: what comes trained should move less than what is new."""
MOVES_ABOVE = 7
"""Blocks of the trunk that stay as they are: the costliest, and the most general."""
SIZE = 224
BUCKETS = torch.arange(1.0, 11.0)


def opinion(network: nn.Module, image: Tensor) -> Tensor:
    """``(B, 10)`` opinion of ``(B, 3, 224, 224)`` in [0, 1]; convolutions in bfloat16."""
    normalised = image.mul(2).sub(1).contiguous(memory_format=torch.channels_last)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        features = network.backbone(normalised)
    logits: Tensor = network.head(features.float())
    return logits.softmax(-1)


def score(network: nn.Module, image: Tensor, chunk: int = 64) -> Tensor:
    """``(B,)`` mean opinion."""
    return torch.cat([opinion(network, part) @ BUCKETS for part in image.split(chunk)])


def begin(start: Path | None, published: Path) -> NIMA:
    """The network to train: of an earlier run, ``start/network.pt``, or the published one."""
    network = multilevel(load_tflite(published))
    if start is not None:
        network.load_state_dict(torch.load(start / "network.pt", weights_only=True))
    return network


def multilevel(published: nn.Module) -> NIMA:
    """A NIMA that reads several levels of another: it answers alike until its neck has learned."""
    network = NIMA(MultiLevelMobileNetV1(**OPTIONS))
    seen = published.get_submodule("backbone.features").state_dict()
    network.get_submodule("backbone.features").load_state_dict(seen)
    weight, bias = (published.get_parameter(f"head.{name}") for name in ("weight", "bias"))
    with torch.no_grad():
        network.head.weight.zero_()
        network.head.weight[:, -weight.shape[1] :] = weight
        network.head.bias.copy_(bias)
    channels_last(network)
    return network


def channels_last(network: nn.Module) -> None:
    """Lay the weights out as convolutions on a CPU are fastest with."""
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def train_only_above(network: NIMA, block: int = MOVES_ABOVE) -> None:
    """Leave the first `block` of the 13 blocks of the trunk as they are.

    >>> network = NIMA(MultiLevelMobileNetV1(width=0.25))
    >>> train_only_above(network, 9)
    >>> features = network.backbone.features
    >>> features.conv_pw_9.weight.requires_grad, features.conv_pw_10.weight.requires_grad
    (False, True)
    """
    for name, layer in network.get_submodule("backbone.features").named_children():
        layer.requires_grad_(False)
        if name == f"conv_pw_{block}_relu":
            return
    raise ValueError(f"no block {block}")


@torch.no_grad()
def standardise(network: NIMA, views: Tensor) -> None:
    """Take the scale of each pooled feature from views ``(N, 3, 224, 224)``, if it has none yet."""
    backbone = network.backbone
    assert isinstance(backbone, MultiLevelMobileNetV1)
    if bool((backbone.spread != 1).any()):
        return
    rows = []
    for part in views.split(32):
        normalised = part.mul(2).sub(1).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            rows.append(backbone.pooled(normalised))
    backbone.standardise(torch.cat(rows))
