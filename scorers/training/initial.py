"""Where training starts: random weights, an image classifier's, or a scorer's, all from files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from scorers import zoo
from scorers.backbones import create
from scorers.card import Architecture
from scorers.convert.agreement import agreed
from scorers.convert.tflite import load_mobilenet_v2, load_tflite
from scorers.convert.torch_state import from_state, holds_opinions, load_backbone, read_state
from scorers.errors import WeightsError
from scorers.nima import NIMA
from scorers.preprocess import Preprocess

_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
_CAFFE = ((128 / 255, 117 / 255, 104 / 255), (1 / 255, 1 / 255, 1 / 255))  # red, green, blue


@dataclass(frozen=True)
class InitialNetwork:
    """A network to train and how to show it a photo.

    Attributes:
        network: with a fresh last layer, unless a scorer over as many buckets was given.
        architecture: to rebuild it.
        preprocess: antialiased bilinear, as photos are shrunk in training, with the values'
            range that the start was trained on.
        origin: one phrase for the card.
        learned_from: fingerprint of the photos that the weights are known to have seen.
    """

    network: NIMA
    architecture: Architecture
    preprocess: Preprocess
    origin: str
    learned_from: str = ""


def start(
    backbone: str | None = None,
    options: Mapping[str, Any] | None = None,
    *,
    weights: str | Path | None = None,
    buckets: int = 10,
    size: int = 224,
) -> InitialNetwork:
    """Build the network that training starts from.

    Args:
        backbone: one of `scorers.backbones.BACKBONES`; ``mobilenet_v1`` when None and `weights`
            do not say.
        options: of the backbone; with `weights`, those that the file says must be the same.
        weights: a scorer's name or file, a TFLite file of idealo's or of an ImageNet
            MobileNet v2, or a ``.pth`` state dict: a NIMA, or torchvision's or Cadene's
            ImageNet classifier for `backbone`. Nothing is ever downloaded. A bare state dict has
            lost its padding, so state ``{"same": True}`` where it had that, and how it was shown
            photos: ImageNet's mean and deviation are taken, for BN-Inception Cadene's.
        buckets: of the opinions.
        size: side of the views.

    Raises:
        InputError: the weights are of another backbone, or of other options, than asked for.
        WeightsError: they cannot be read, or nobody can tell how they were shown photos.

    >>> start("mobilenet_v1", {"width": 0.25}, buckets=5).network.head.out_features
    5
    """
    shown = Preprocess(size=size, method="bilinear", antialias=True)
    if weights is None:
        architecture = Architecture(backbone or "mobilenet_v1", dict(options or {}))
        return InitialNetwork(architecture.build(buckets), architecture, shown, "random weights")
    path = _file(weights)
    origin = f"weights of {path.stem}"
    if path.suffix == ".safetensors":
        scorer = zoo.load_file(path)
        card = scorer.card
        shown = replace(shown, mean=card.preprocess.mean, std=card.preprocess.std)
        found = InitialNetwork(scorer.network, card.architecture, shown, origin, card.learned_from)
    elif path.suffix == ".tflite":
        found = _from_tflite(path, shown, origin)
    else:
        found = _from_torch(path, backbone, options, buckets, shown, origin)
    if path.suffix in (".safetensors", ".tflite"):  # which say all of it
        agreed(found.architecture, path, backbone, options)
    if found.network.head.out_features != buckets:
        found = replace(found, network=NIMA(found.network.backbone, buckets))
    found.network.requires_grad_(True)
    return found


def _file(weights: str | Path) -> Path:
    text = str(weights)
    if isinstance(weights, Path) or os.sep in text or Path(text).suffix:
        return Path(weights)
    return zoo.find(text)


def _from_tflite(path: Path, shown: Preprocess, origin: str) -> InitialNetwork:
    folded = {"folded": True, "same": True}
    try:
        return InitialNetwork(
            load_tflite(path), Architecture("mobilenet_v1", folded), shown, origin
        )
    except WeightsError as not_idealo:
        try:
            network = NIMA(load_mobilenet_v2(path))
        except WeightsError:
            raise not_idealo from None
    return InitialNetwork(network, Architecture("mobilenet_v2", folded), shown, origin)


def _from_torch(
    path: Path,
    backbone: str | None,
    options: Mapping[str, Any] | None,
    buckets: int,
    shown: Preprocess,
    origin: str,
) -> InitialNetwork:
    state = read_state(path)
    if backbone is not None and not holds_opinions(state):
        architecture = Architecture(backbone, dict(options or {}))
        body = create(backbone, **architecture.options)
        load_backbone(body, path)
        network, origin = NIMA(body, buckets), f"{origin}, an image classifier"
    else:
        network, architecture = from_state(state, path, backbone=backbone, options=options)
        origin = f"{origin}, a bare state dict"
    if architecture.backbone != "inception_v2":
        mean, std = _IMAGENET
        return InitialNetwork(network, architecture, replace(shown, mean=mean, std=std), origin)
    if any(name.removeprefix("module.").startswith("backbone.") for name in state):
        raise WeightsError(
            f"{path} does not say how its BN-Inception was shown photos; start from a .safetensors"
        )
    _take_rgb(network.backbone)
    mean, std = _CAFFE
    return InitialNetwork(network, architecture, replace(shown, mean=mean, std=std), origin)


@torch.no_grad()
def _take_rgb(body: nn.Module) -> None:
    """Turn weights of Caffe's, which read blue, green and red, to red, green and blue."""
    first = body.get_parameter("conv1_7x7_s2.weight")
    first.copy_(first.flip(1))
