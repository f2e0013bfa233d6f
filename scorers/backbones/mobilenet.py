"""MobileNet v1 (Howard et al. 2017, Table 1) and v2 (Sandler et al. 2018, Table 2)."""

from __future__ import annotations

import math
from collections import OrderedDict

from torch import Tensor, nn

from scorers.backbones.layers import conv_layers, initialise
from scorers.errors import InputError

_V1_BLOCKS = (  # output channels and stride of the 13 depthwise-separable blocks
    (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1),
    (512, 1), (512, 1), (512, 1), (512, 1), (1024, 2), (1024, 1),
)  # fmt: skip
_V2_STAGES = (  # expansion, output channels, repeats, stride of the first
    (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2),
    (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
)  # fmt: skip


def check_width(width: float) -> None:
    """Raise `InputError` unless a multiplier of channels is above 0."""
    if not 0 < width < math.inf:
        raise InputError(f"`width > 0` must hold, but got width={width}")


class MobileNetV1(nn.Module):
    """MobileNet v1 without its classifier: ``(B, 3, H, W)`` normalised -> ``(B, num_features)``.

    The layers carry Keras' names (``conv1``, ``conv1_bn``, ``conv_dw_1``, ``conv_pw_1`` ...),
    under ``features``; no state dict of v1 is common enough in PyTorch to follow instead.

    Args:
        width: channel multiplier (alpha of the paper).
        folded: convolutions with a bias and no batch norm, as in deployed files.
        same: TensorFlow's padding, which weights trained in TensorFlow or Keras need.

    >>> import torch
    >>> MobileNetV1(width=0.25)(torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2, 256])
    """

    def __init__(self, width: float = 1.0, folded: bool = False, same: bool = False) -> None:
        super().__init__()
        check_width(width)
        layers: OrderedDict[str, nn.Module] = OrderedDict()

        def add(
            name: str, inputs: int, outputs: int, kernel: int, stride: int, groups: int
        ) -> None:
            # eps is Keras' default for this network, not PyTorch's
            layers[name], layers[f"{name}_bn"] = conv_layers(
                inputs, outputs, kernel, stride=stride, groups=groups,
                folded=folded, same=same, eps=1e-3,
            )  # fmt: skip
            layers[f"{name}_relu"] = nn.ReLU6(inplace=True)

        channels = max(int(32 * width), 1)
        add("conv1", 3, channels, 3, 2, 1)
        for index, (outputs, stride) in enumerate(_V1_BLOCKS, start=1):
            outputs = max(int(outputs * width), 1)
            add(f"conv_dw_{index}", channels, channels, 3, stride, channels)
            add(f"conv_pw_{index}", channels, outputs, 1, 1, 1)
            channels = outputs
        self.features = nn.Sequential(layers)
        self.num_features = channels
        initialise(self)

    @property
    def last_maps(self) -> nn.Module:
        """The layer whose output is the last that still has a height and a width."""
        return self.features

    def forward(self, image: Tensor) -> Tensor:
        return self.features(image).mean(dim=(-2, -1))


class MobileNetV2(nn.Module):
    """MobileNet v2 without its classifier: ``(B, 3, H, W)`` normalised -> ``(B, num_features)``.

    State-dict names are torchvision's ``mobilenet_v2`` (``features.0.0.weight``,
    ``features.1.conv.0.0.weight`` ...); its ``classifier.*`` entries have no place here.

    Args:
        width: channel multiplier; channels are rounded to multiples of 8 as in the reference.
        folded: convolutions with a bias and no batch norm, as in deployed files.
        same: TensorFlow's padding, which weights trained in TensorFlow or Keras need.

    >>> import torch
    >>> MobileNetV2(width=0.35)(torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2, 1280])
    """

    def __init__(self, width: float = 1.0, folded: bool = False, same: bool = False) -> None:
        super().__init__()
        check_width(width)
        channels = _multiple_of_8(32 * width)
        layers: list[nn.Module] = [_conv_relu(3, channels, 3, 2, 1, folded, same)]
        for expansion, outputs, repeats, stride in _V2_STAGES:
            outputs = _multiple_of_8(outputs * width)
            for index in range(repeats):
                step = stride if index == 0 else 1
                layers.append(InvertedResidual(channels, outputs, step, expansion, folded, same))
                channels = outputs
        self.num_features = _multiple_of_8(1280 * max(width, 1.0))
        layers.append(_conv_relu(channels, self.num_features, 1, 1, 1, folded, same))
        self.features = nn.Sequential(*layers)
        initialise(self)

    @property
    def last_maps(self) -> nn.Module:
        """The layer whose output is the last that still has a height and a width."""
        return self.features

    def forward(self, image: Tensor) -> Tensor:
        return self.features(image).mean(dim=(-2, -1))


class InvertedResidual(nn.Module):
    """Expand, filter depthwise, project linearly; add the input where shapes allow."""

    def __init__(
        self, inputs: int, outputs: int, stride: int, expansion: int, folded: bool, same: bool
    ) -> None:
        super().__init__()
        hidden = inputs * expansion
        layers: list[nn.Module] = []
        if expansion != 1:
            layers.append(_conv_relu(inputs, hidden, 1, 1, 1, folded, same))
        layers.append(_conv_relu(hidden, hidden, 3, stride, hidden, folded, same))
        layers.extend(conv_layers(hidden, outputs, 1, folded=folded, same=same))
        self.conv = nn.Sequential(*layers)
        self.adds = stride == 1 and inputs == outputs

    def forward(self, features: Tensor) -> Tensor:
        out: Tensor = self.conv(features)
        return features + out if self.adds else out


def _conv_relu(
    inputs: int, outputs: int, kernel: int, stride: int, groups: int, folded: bool, same: bool
) -> nn.Sequential:
    conv, norm = conv_layers(
        inputs, outputs, kernel, stride=stride, groups=groups, folded=folded, same=same
    )
    return nn.Sequential(conv, norm, nn.ReLU6(inplace=True))


def _multiple_of_8(channels: float) -> int:
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * channels else rounded
