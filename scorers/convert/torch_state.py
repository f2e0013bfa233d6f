"""Published PyTorch state dicts into a NIMA, where names and shapes tell the architecture.

Recognised: this package's own networks; torchvision's ``vgg16`` and ``mobilenet_v2`` and
Cadene's ``bninception`` with a last layer of as many outputs as buckets; VGG16 whose head reads
the convolutional features directly (``classifier.1``); and the ``base_model.0`` / ``head.2`` names
that several NIMA re-implementations wrap MobileNet v2 in.

A bare state dict of one of this package's own networks has lost what a ``.safetensors`` file
keeps: how the network wants to be shown a photo, its ratings, TensorFlow's padding (`same`), and
of several levels which ones are read and the dropout. What the names and shapes cannot tell is the
backbone's default unless it is stated.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from scorers.backbones.multilevel import LEVELS
from scorers.card import Architecture
from scorers.convert.agreement import agreed
from scorers.errors import WeightsError
from scorers.nima import NIMA
from scorers.weights_file import load_state

_IMAGENET_CLASSES = 1000
_HEADS = ("head", "head.2", "classifier.6", "classifier.1", "last_linear")
_UNTOLD = {
    "mobilenet_v1": ("same",),
    "mobilenet_v1_multilevel": ("same", "levels", "dropout"),
    "mobilenet_v2": ("same",),
}


def load_torch_state(path: str | Path, **asked: Any) -> tuple[NIMA, Architecture]:
    """Read a ``.pth`` file (tensors only: no code in it is ever run) into a NIMA.

    Args:
        asked: `backbone` and `options`; see `from_state`.

    Raises:
        WeightsError: it cannot be read, or its architecture is not one of ours.
        InputError: it is of another backbone, or of other options, than those asked for.
    """
    return from_state(read_state(path), path, **asked)


def holds_opinions(state: Mapping[str, Tensor]) -> bool:
    """Whether a state dict has a last layer over ratings, not over ImageNet's classes or none."""
    names = {name.removeprefix("module."): tensor for name, tensor in state.items()}
    head = _head(names)
    weight = None if head is None else names[f"{head}.weight"]
    return weight is not None and weight.ndim > 0 and len(weight) < _IMAGENET_CLASSES


def from_state(
    state: Mapping[str, Tensor],
    path: str | Path,
    *,
    backbone: str | None = None,
    options: Mapping[str, Any] | None = None,
) -> tuple[NIMA, Architecture]:
    """Build the NIMA that a state dict belongs to.

    Args:
        state: names and tensors.
        path: only named in errors.
        backbone: what it should be, if that is known.
        options: of the backbone. Those that a state dict cannot tell are taken as they are here,
            such as ``{"same": True}`` for weights trained in TensorFlow.

    Raises:
        WeightsError: its architecture is not one of ours.
        InputError: it is of another backbone or of other options.
    """
    names = {name.removeprefix("module."): tensor for name, tensor in state.items()}
    head = _head(names)
    if head is None:
        raise WeightsError(f"cannot read {path}: no last layer under any of {', '.join(_HEADS)}")
    buckets = _channels(names, f"{head}.weight", path)
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
    told = _recognise(renamed, path)
    untold = {*_UNTOLD.get(told.backbone, ()), *_roughly_told(told, options or {})}
    architecture = agreed(told, path, backbone, options, untold=untold)
    if architecture.backbone == "mobilenet_v1_multilevel":
        _check_levels(renamed, architecture, path)
    network = architecture.build(buckets)
    load_state(network, renamed, path)
    return network.eval(), architecture


def load_backbone(backbone: nn.Module, path: str | Path) -> None:
    """Fill a backbone from an ImageNet classifier's state dict; its last layer is dropped.

    Raises:
        WeightsError: it cannot be read, or does not fit the backbone.
    """
    state = {name.removeprefix("module."): tensor for name, tensor in read_state(path).items()}
    own = backbone.state_dict()
    for head in _HEADS:
        for part in ("weight", "bias"):
            if f"{head}.{part}" not in own:
                state.pop(f"{head}.{part}", None)
    load_state(backbone, state, path)


def read_state(path: str | Path) -> Mapping[str, Tensor]:
    """Names and tensors of a ``.pth`` file, of a checkpoint that holds them, too.

    Raises:
        WeightsError: it cannot be read, or holds something else.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise WeightsError(f"cannot read {path}: no such file") from error
    except Exception as error:  # torch.load raises whatever its zip and pickle readers do
        raise WeightsError(f"cannot read {path}: not a PyTorch file of tensors only") from error
    if isinstance(state, Mapping) and isinstance(state.get("state_dict"), Mapping):
        state = state["state_dict"]
    if not isinstance(state, Mapping) or not all(
        isinstance(name, str) and isinstance(tensor, Tensor) for name, tensor in state.items()
    ):
        raise WeightsError(f"cannot read {path}: it holds no state dict")
    return state


def _head(names: Mapping[str, Tensor]) -> str | None:
    return next((h for h in _HEADS if f"{h}.weight" in names and f"{h}.bias" in names), None)


def _channels(state: Mapping[str, Tensor], name: str, path: str | Path) -> int:
    """Outputs of a layer, by its weight.

    Raises:
        WeightsError: there is no such weight, or it has no outputs.
    """
    weight = state.get(name)
    if weight is None:
        raise WeightsError(f"cannot read {path}: it lacks {name.removeprefix('backbone.')}")
    if weight.ndim == 0 or len(weight) == 0:
        found = tuple(weight.shape)
        raise WeightsError(f"cannot read {path}: {name} must have outputs, got shape {found}")
    return len(weight)


def _recognise(state: Mapping[str, Tensor], path: str | Path) -> Architecture:
    def has(name: str) -> bool:
        return f"backbone.{name}" in state

    if has("features.conv1.weight"):
        channels = _channels(state, "backbone.features.conv1.weight", path)
        options = _options(channels / 32, folded=not has("features.conv1_bn.weight"))
        if not has("neck.weight"):
            return Architecture("mobilenet_v1", options)
        options["neck"] = _channels(state, "backbone.neck.weight", path)
        if has("mixer.weight"):
            options["hidden"] = _channels(state, "backbone.mixer.weight", path)
        return Architecture("mobilenet_v1_multilevel", options)
    if has("features.0.0.weight") and has("features.1.conv.0.0.weight"):
        # stages are rounded to multiples of 8, so the widest before the last tells best
        channels = _channels(state, "backbone.features.17.conv.2.weight", path)
        folded = not has("features.0.1.weight")
        return Architecture("mobilenet_v2", _options(channels / 320, folded))
    if has("conv1_7x7_s2.weight"):
        folded = not has("conv1_7x7_s2_bn.weight")
        return Architecture("inception_v2", {"folded": True} if folded else {})
    if has("features.0.weight") and has("features.28.weight"):
        return Architecture("vgg16", {} if has("classifier.0.weight") else {"dense": False})
    raise WeightsError(f"cannot read {path}: its layer names belong to no backbone known here")


def _roughly_told(told: Architecture, asked: Mapping[str, Any]) -> set[str]:
    """Widths whose channels round alike; whether all do is seen when the weights are loaded."""
    width = asked.get("width")
    if not isinstance(width, int | float):
        return set()
    return {"width"} if abs(width - told.options.get("width", 1)) <= 1 / 32 else set()


def _check_levels(
    state: Mapping[str, Tensor], architecture: Architecture, path: str | Path
) -> None:
    levels = architecture.options.get("levels", LEVELS)
    read = [f"backbone.features.conv_pw_{level}.weight" for level in levels]
    present = [name for name in read if name in state]
    pooled = sum(2 * _channels(state, name, path) for name in present)
    neck = state["backbone.neck.weight"]
    if neck.ndim != 2:
        raise WeightsError(f"cannot read {path}: its neck must be 2-D, got {tuple(neck.shape)}")
    found = neck.shape[1]
    if present != read or pooled != found:
        raise WeightsError(
            f"cannot read {path}: its neck mixes {found} statistics, which levels="
            f"{list(levels)} do not give; state the option levels that it was made with"
        )


def _options(width: float, folded: bool) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if width != 1:
        options["width"] = width
    if folded:
        options["folded"] = True
    return options
