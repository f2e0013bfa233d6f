"""The network that both embedded scorers share: a published trunk, left as it is, under a new neck.

What the trunk says of a photo does not change in training. So it is said once, kept on disk
(`kept`), and the neck learns from that in minutes, from large batches.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from scorers.backbones.multilevel import MultiLevelMobileNetV1
from scorers.convert.tflite import load_tflite
from scorers.nima import NIMA
from scorers.training.loop import save_atomically

OPTIONS: dict[str, Any] = {
    "folded": True,
    "same": True,
    "neck": 256,
    "hidden": 64,
    "dropout": 0.5,
}
"""Of the backbone; the first two as the published weights need them."""
SIZE = 224
BUCKETS = torch.arange(1.0, 11.0)


def begin(published: Path) -> NIMA:
    """A NIMA that reads several levels of another: it answers alike until its neck has learned."""
    known = load_tflite(published)
    network = NIMA(MultiLevelMobileNetV1(**OPTIONS), dropout=0.0)
    trunk = network.get_submodule("backbone.features")
    trunk.load_state_dict(known.get_submodule("backbone.features").state_dict())
    trunk.requires_grad_(False)
    weight, bias = (known.get_parameter(f"head.{name}") for name in ("weight", "bias"))
    with torch.no_grad():
        network.head.weight.zero_()
        network.head.weight[:, -weight.shape[1] :] = weight
        network.head.bias.copy_(bias)
    trunk.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network


@torch.no_grad()
def describe(network: NIMA, views: Tensor, chunk: int = 32) -> Tensor:
    """``(..., P)`` in half precision: what the trunk says of ``(..., 3, 224, 224)`` in [0, 1]."""
    backbone = network.backbone
    assert isinstance(backbone, MultiLevelMobileNetV1)
    rows = []
    for part in views.reshape(-1, *views.shape[-3:]).split(chunk):
        normalised = part.mul(2).sub(1).contiguous(memory_format=torch.channels_last)
        rows.append(backbone.pooled(normalised).half())
    return torch.cat(rows).reshape(*views.shape[:-3], -1)


def opinion(network: nn.Module, pooled: Tensor) -> Tensor:
    """``(..., 10)`` opinion of photos by what the trunk said of them, ``(..., P)``."""
    backbone = network.backbone
    assert isinstance(backbone, MultiLevelMobileNetV1)
    mixed = backbone.mix(pooled.flatten(0, -2).float())
    logits: Tensor = network.get_submodule("head")(mixed)
    return logits.softmax(-1).reshape(*pooled.shape[:-1], -1)


def score(network: nn.Module, pooled: Tensor, chunk: int = 16) -> Tensor:
    """``(N, ...)`` mean opinions of ``(N, ..., P)``."""
    return torch.cat([opinion(network, part) @ BUCKETS for part in pooled.split(chunk)])


def kept(path: Path, make: Callable[[], dict[str, Tensor]]) -> dict[str, Tensor]:
    """Tensors of an earlier run where there are some, else made and kept."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        save_atomically(make(), path)
    tensors: dict[str, Tensor] = torch.load(path, weights_only=True)
    return tensors


def kept_shards(
    folder: Path, name: str, count: int, make: Callable[[int], dict[str, Tensor]]
) -> dict[str, Tensor]:
    """Tensors made in `count` parts, each kept as soon as it is made, and joined."""
    parts = []
    for i in range(count):
        parts.append(kept(folder / f"{name}-{i:03d}.pt", partial(make, i)))
        print(f"{name}: {i + 1} of {count}", flush=True)
    return {key: torch.cat([part[key] for part in parts]) for key in parts[0]}


def standardise(network: NIMA, pooled: Tensor) -> None:
    """Take the scale of each pooled feature from examples ``(N, P)``."""
    backbone = network.backbone
    assert isinstance(backbone, MultiLevelMobileNetV1)
    backbone.standardise(pooled.float())
