"""The networks a scorer can stand on, one architecture a file."""

from __future__ import annotations

from typing import Any

from torch import nn

from scorers.backbones.inception import InceptionV2
from scorers.backbones.mobilenet import MobileNetV1, MobileNetV2
from scorers.backbones.multilevel import MultiLevelMobileNetV1
from scorers.backbones.vgg import VGG16
from scorers.errors import InputError, unknown_name

BACKBONES: dict[str, type[nn.Module]] = {
    "mobilenet_v1": MobileNetV1,
    "mobilenet_v1_multilevel": MultiLevelMobileNetV1,
    "mobilenet_v2": MobileNetV2,
    "vgg16": VGG16,
    "inception_v2": InceptionV2,
}


def create(name: str, **options: Any) -> nn.Module:
    """Build a backbone by name, with random weights.

    >>> create("mobilenet_v2", width=0.5).num_features
    1280
    """
    if name not in BACKBONES:
        raise unknown_name("backbone", name, BACKBONES)
    try:
        return BACKBONES[name](**options)
    except TypeError as error:
        raise InputError(f"backbone {name}: {error}") from error
