"""Inception-v2, also called BN-Inception (Ioffe and Szegedy 2015, appendix, figure 5)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from scorers.backbones.layers import conv_layers, initialise

# name: (1x1, 3x3 reduce, 3x3, double 3x3 reduce, double 3x3, pooled projection, pooling);
# blocks without 1x1 and projection halve the resolution and pass the pooled input through
_BLOCKS: dict[str, tuple[int, int, int, int, int, int, str]] = {
    "3a": (64, 64, 64, 64, 96, 32, "avg"),
    "3b": (64, 64, 96, 64, 96, 64, "avg"),
    "3c": (0, 128, 160, 64, 96, 0, "max"),
    "4a": (224, 64, 96, 96, 128, 128, "avg"),
    "4b": (192, 96, 128, 96, 128, 128, "avg"),
    "4c": (160, 128, 160, 128, 160, 128, "avg"),
    "4d": (96, 128, 192, 160, 192, 128, "avg"),
    "4e": (0, 128, 192, 192, 256, 0, "max"),
    "5a": (352, 192, 320, 160, 224, 128, "avg"),
    "5b": (352, 192, 320, 192, 224, 128, "max"),
}


class InceptionV2(nn.Module):
    """BN-Inception without its classifier: ``(B, 3, H, W)`` normalised -> ``(B, 1024)``.

    State-dict names are those of the ``bninception`` weights published for PyTorch by
    R. Cadene (``conv1_7x7_s2.weight``, ``inception_3a_1x1_bn.weight`` ...), themselves
    converted from Caffe: they expect BGR in [0, 255] less (104, 117, 128). The last layer,
    ``last_linear``, has no place here. Convolutions keep a bias beside batch norm, as there.

    Args:
        folded: convolutions without batch norm.

    >>> InceptionV2().eval()(torch.zeros(1, 3, 64, 64)).shape
    torch.Size([1, 1024])
    """

    num_features = 1024

    def __init__(self, folded: bool = False) -> None:
        super().__init__()
        self.folded = folded
        self._add("conv1_7x7_s2", 3, 64, 7, 2)
        self._add("conv2_3x3_reduce", 64, 64, 1)
        self._add("conv2_3x3", 64, 192, 3)
        channels = 192
        for block, widths in _BLOCKS.items():
            direct, reduce, single, double_reduce, double, projection, _ = widths
            stride = 1 if direct else 2
            name = f"inception_{block}"
            if direct:
                self._add(f"{name}_1x1", channels, direct, 1)
            self._add(f"{name}_3x3_reduce", channels, reduce, 1)
            self._add(f"{name}_3x3", reduce, single, 3, stride)
            self._add(f"{name}_double_3x3_reduce", channels, double_reduce, 1)
            self._add(f"{name}_double_3x3_1", double_reduce, double, 3)
            self._add(f"{name}_double_3x3_2", double, double, 3, stride)
            if projection:
                self._add(f"{name}_pool_proj", channels, projection, 1)
            channels = direct + single + double + (projection or channels)
        self.last_maps = nn.Identity()  # its output is the last with a height and a width
        initialise(self)

    def _add(self, name: str, inputs: int, outputs: int, kernel: int, stride: int = 1) -> None:
        conv, norm = conv_layers(
            inputs, outputs, kernel, stride=stride, folded=self.folded, bias=True
        )
        self.add_module(name, conv)
        self.add_module(f"{name}_bn", norm)
        self.add_module(f"{name}_relu", nn.ReLU(inplace=True))

    def _conv(self, name: str, features: Tensor) -> Tensor:
        for layer in (name, f"{name}_bn", f"{name}_relu"):
            features = self.get_submodule(layer)(features)
        return features

    def _block(self, block: str, features: Tensor) -> Tensor:
        direct, *_, projection, pooling = _BLOCKS[block]
        name = f"inception_{block}"
        branches = []
        if direct:
            branches.append(self._conv(f"{name}_1x1", features))
        branches.append(self._conv(f"{name}_3x3", self._conv(f"{name}_3x3_reduce", features)))
        double = self._conv(f"{name}_double_3x3_reduce", features)
        double = self._conv(f"{name}_double_3x3_1", double)
        branches.append(self._conv(f"{name}_double_3x3_2", double))
        if not direct:
            pooled = F.max_pool2d(features, 3, stride=2, padding=0, ceil_mode=True)
        elif pooling == "max":
            pooled = F.max_pool2d(features, 3, stride=1, padding=1)
        else:
            pooled = F.avg_pool2d(features, 3, stride=1, padding=1)
        branches.append(self._conv(f"{name}_pool_proj", pooled) if projection else pooled)
        return torch.cat(branches, dim=1)

    def forward(self, image: Tensor) -> Tensor:
        features = self._conv("conv1_7x7_s2", image)
        features = F.max_pool2d(features, 3, stride=2, ceil_mode=True)
        features = self._conv("conv2_3x3", self._conv("conv2_3x3_reduce", features))
        features = F.max_pool2d(features, 3, stride=2, ceil_mode=True)
        for block in _BLOCKS:
            features = self._block(block, features)
        maps: Tensor = self.last_maps(features)
        return maps.mean(dim=(-2, -1))
