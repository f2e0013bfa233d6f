"""Where training starts: random weights, an image classifier's, or a scorer's, all from files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from scorers import zoo
from scorers.backbones import create
from scorers.card import Architecture
from scorers.convert.tflite import load_mobilenet_v2, load_tflite
from scorers.convert.torch_state import load_backbone, load_torch_state
from scorers.errors import InputError, WeightsError
from scorers.nima import NIMA
from scorers.preprocess import Preprocess

_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


@dataclass(frozen=True)
class Start:
    """A network to train and how to show it a photo.

    Attributes:
        network: with a fresh last layer, unless a scorer over as many buckets was given.
        architecture: to rebuild it.
        preprocess: antialiased bilinear, as photos are shrunk in training, with the values'
            range that the start was trained on.
        origin: one phrase for the card.
    """

    network: NIMA
    architecture: Architecture
    preprocess: Preprocess
    origin: str


def start(
    backbone: str | None = None,
    options: Mapping[str, Any] | None = None,
    *,
    weights: str | Path | None = None,
    buckets: int = 10,
    size: int = 224,
) -> Start:
    """Build the network that training starts from.

    Args:
        backbone: one of `scorers.backbones.BACKBONES`; ``mobilenet_v1`` when None and `weights`
            do not say.
        options: of the backbone.
        weights: a scorer's name or file, a TFLite file of idealo's or of an ImageNet
            MobileNet v2, or a ``.pth`` state dict: a NIMA, or torchvision's or Cadene's
            ImageNet classifier for `backbone`. Nothing is ever downloaded.
        buckets: of the opinions.
        size: side of the views.

    Raises:
        InputError: the weights are of another backbone than the one asked for.
        WeightsError: they cannot be read.

    >>> start("mobilenet_v1", {"width": 0.25}, buckets=5).network.head.out_features
    5
    """
    shown = Preprocess(size=size, method="bilinear", antialias=True)
    if weights is None:
        architecture = Architecture(backbone or "mobilenet_v1", dict(options or {}))
        return Start(architecture.build(buckets), architecture, shown, "random weights")
    path = _file(weights)
    origin = f"weights of {path.stem}"
    if path.suffix == ".safetensors":
        scorer = zoo.load_file(path)
        card = scorer.card
        shown = replace(shown, mean=card.preprocess.mean, std=card.preprocess.std)
        found = Start(scorer.network, card.architecture, shown, origin)
    elif path.suffix == ".tflite":
        found = _from_tflite(path, shown, origin)
    else:
        found = _from_torch(path, backbone, options, buckets, shown, origin)
    if backbone not in (None, found.architecture.backbone):
        raise InputError(f"{path} is a {found.architecture.backbone}, not the {backbone} asked for")
    if found.network.head.out_features != buckets:
        found = replace(found, network=NIMA(found.network.backbone, buckets))
    found.network.requires_grad_(True)
    return found


def _file(weights: str | Path) -> Path:
    text = str(weights)
    if isinstance(weights, Path) or os.sep in text or Path(text).suffix:
        return Path(weights)
    return zoo.find(text)


def _from_tflite(path: Path, shown: Preprocess, origin: str) -> Start:
    folded = {"folded": True, "same": True}
    try:
        return Start(load_tflite(path), Architecture("mobilenet_v1", folded), shown, origin)
    except WeightsError as not_idealo:
        try:
            network = NIMA(load_mobilenet_v2(path))
        except WeightsError:
            raise not_idealo from None
    return Start(network, Architecture("mobilenet_v2", folded), shown, origin)


def _from_torch(
    path: Path,
    backbone: str | None,
    options: Mapping[str, Any] | None,
    buckets: int,
    shown: Preprocess,
    origin: str,
) -> Start:
    imagenet = replace(shown, mean=_IMAGENET[0], std=_IMAGENET[1])
    try:
        network, architecture = load_torch_state(path)
    except WeightsError:
        if backbone is None:
            raise
    else:
        return Start(network, architecture, imagenet, origin)
    architecture = Architecture(backbone, dict(options or {}))
    body = create(backbone, **architecture.options)
    load_backbone(body, path)
    return Start(NIMA(body, buckets), architecture, imagenet, f"{origin}, an image classifier")
