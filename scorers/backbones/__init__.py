"""The networks a scorer can stand on, one architecture a file."""

from __future__ import annotations

import inspect
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

    Raises:
        UnknownNameError: no backbone has this name.
        InputError: an option that it does not have, of another type than it takes, or out of range.

    >>> create("mobilenet_v2", width=0.5).num_features
    1280
    """
    if name not in BACKBONES:
        raise unknown_name("backbone", name, BACKBONES)
    for option, value in options.items():
        wanted = inspect.signature(BACKBONES[name]).parameters.get(option)
        if wanted and isinstance(wanted.default, bool) != isinstance(value, bool):
            kind = "true or false" if isinstance(wanted.default, bool) else "a number"
            raise InputError(f"backbone {name}: {option} must be {kind}, got {value!r}")
    try:
        return BACKBONES[name](**options)
    except (TypeError, ValueError, RuntimeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"backbone {name}: {error}") from error
