"""Published PyTorch state dicts into a NIMA, where names and shapes tell the architecture.

Recognised: this package's own networks; torchvision's ``vgg16`` and ``mobilenet_v2`` and
Cadene's ``bninception`` with a last layer of as many outputs as buckets; VGG16 whose head reads
the convolutional features directly (``classifier.1``); and the ``base_model.0`` / ``head.2`` names
that several NIMA re-implementations wrap MobileNet v2 in.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from scorers.card import Architecture
from scorers.errors import WeightsError
from scorers.nima import NIMA
from scorers.weights_file import load_state

_IMAGENET_CLASSES = 1000
_HEADS = ("head", "head.2", "classifier.6", "classifier.1", "last_linear")


def load_torch_state(path: str | Path) -> tuple[NIMA, Architecture]:
    """Read a ``.pth`` file (tensors only: no code in it is ever run) into a NIMA.

    Raises:
        WeightsError: it cannot be read, or its architecture is not one of ours.
    """
    return from_state(_read(path), path)


def from_state(state: Mapping[str, Tensor], path: str | Path) -> tuple[NIMA, Architecture]:
    """Build the NIMA that a state dict belongs to; `path` is only named in errors."""
    names = {name.removeprefix("module."): tensor for name, tensor in state.items()}
    head = next((h for h in _HEADS if f"{h}.weight" in names and f"{h}.bias" in names), None)
    if head is None:
        raise WeightsError(f"cannot read {path}: no last layer under any of {', '.join(_HEADS)}")
    weight = names[f"{head}.weight"]
    buckets = len(weight)
    if buckets >= _IMAGENET_CLASSES:
        raise WeightsError(
            f"cannot read {path}: {buckets} classes, so an image classifier and not a scorer"
        )
    renamed = {f"head.{part}": names.pop(f"{head}.{part}") for part in ("weight", "bias")}
    for name, tensor in names.items():
        bare = name.removeprefix("backbone.")
        if bare.startswith("base_model.0."):
            bare = "features." + bare.removeprefix("base_model.0.")
        renamed[f"backbone.{bare}"] = tensor
    architecture = _recognise(renamed, path)
    network = architecture.build(buckets)
    load_state(network, renamed, path)
    return network.eval(), architecture


def load_backbone(backbone: nn.Module, path: str | Path) -> None:
    """Fill a backbone from an ImageNet classifier's state dict; its last layer is dropped.

    Raises:
        WeightsError: it cannot be read, or does not fit the backbone.
    """
    state = {name.removeprefix("module."): tensor for name, tensor in _read(path).items()}
    own = backbone.state_dict()
    for head in _HEADS:
        for part in ("weight", "bias"):
            if f"{head}.{part}" not in own:
                state.pop(f"{head}.{part}", None)
    load_state(backbone, state, path)


def _read(path: str | Path) -> Mapping[str, Tensor]:
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise WeightsError(f"cannot read {path}: no such file") from error
    except Exception as error:  # torch.load raises whatever its zip and pickle readers do
        raise WeightsError(f"cannot read {path}: not a PyTorch file of tensors only") from error
    if isinstance(state, Mapping) and isinstance(state.get("state_dict"), Mapping):
        state = state["state_dict"]
    tensors = isinstance(state, Mapping) and all(isinstance(v, Tensor) for v in state.values())
    if not tensors:
        raise WeightsError(f"cannot read {path}: it holds no state dict")
    return state


def _recognise(state: Mapping[str, Tensor], path: str | Path) -> Architecture:
    def has(name: str) -> bool:
        return f"backbone.{name}" in state

    if has("features.conv1.weight"):
        channels = state["backbone.features.conv1.weight"].shape[0]
        folded = not has("features.conv1_bn.weight")
        return Architecture("mobilenet_v1", _options(channels / 32, folded))
    if has("features.0.0.weight") and has("features.1.conv.0.0.weight"):
        # stages are rounded to multiples of 8, so the widest before the last tells best
        channels = state["backbone.features.17.conv.2.weight"].shape[0]
        folded = not has("features.0.1.weight")
        return Architecture("mobilenet_v2", _options(channels / 320, folded))
    if has("conv1_7x7_s2.weight"):
        folded = not has("conv1_7x7_s2_bn.weight")
        return Architecture("inception_v2", {"folded": True} if folded else {})
    if has("features.0.weight") and has("features.28.weight"):
        return Architecture("vgg16", {} if has("classifier.0.weight") else {"dense": False})
    raise WeightsError(f"cannot read {path}: its layer names belong to no backbone known here")


def _options(width: float, folded: bool) -> dict[str, float | bool]:
    options: dict[str, float | bool] = {}
    if width != 1:
        options["width"] = width
    if folded:
        options["folded"] = True
    return options
