"""Layers that the backbones share: TensorFlow's padding, and folding batch norm away."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights


class SameConv2d(nn.Conv2d):
    """A convolution padded as TensorFlow's ``"same"``: output size ``ceil(size / stride)``.

    Where the total padding is odd, TensorFlow puts the extra row below and the extra column
    right, so a 3x3 convolution of stride 2 on an even-sized image is padded at the bottom and
    right only. PyTorch pads both sides, which shifts every feature map by one pixel and breaks
    weights that were trained in TensorFlow.

    >>> import torch
    >>> SameConv2d(3, 8, 3, stride=2)(torch.zeros(1, 3, 5, 8)).shape
    torch.Size([1, 8, 3, 4])
    """

    def forward(self, input: Tensor) -> Tensor:
        top, bottom = _same(input.shape[-2], self.kernel_size[0], self.stride[0])
        left, right = _same(input.shape[-1], self.kernel_size[1], self.stride[1])
        if (top, left) == (bottom, right):
            return F.conv2d(input, self.weight, self.bias, self.stride, (top, left), 1, self.groups)
        padded = F.pad(input, (left, right, top, bottom))
        return F.conv2d(padded, self.weight, self.bias, self.stride, 0, 1, self.groups)


def _same(size: int, kernel: int, stride: int) -> tuple[int, int]:
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def conv_layers(
    inputs: int,
    outputs: int,
    kernel: int,
    *,
    stride: int = 1,
    groups: int = 1,
    folded: bool = False,
    same: bool = False,
    bias: bool = False,
    eps: float = 1e-5,
) -> tuple[nn.Conv2d, nn.Module]:
    """A convolution and its batch norm; when `folded`, one with a bias and an identity."""
    if same:
        conv: nn.Conv2d = SameConv2d(
            inputs, outputs, kernel, stride=stride, groups=groups, bias=folded or bias
        )
    else:
        conv = nn.Conv2d(
            inputs,
            outputs,
            kernel,
            stride=stride,
            padding=kernel // 2,
            groups=groups,
            bias=folded or bias,
        )
    return conv, nn.Identity() if folded else nn.BatchNorm2d(outputs, eps=eps)


def fold_batch_norm(module: nn.Module) -> nn.Module:
    """Fold every batch norm into the convolution registered just before it, in place.

    The result computes what `module.eval()` did, with fewer steps, and has the state-dict
    names of the same architecture built with ``folded=True``.

    Returns:
        `module` itself.

    >>> import torch
    >>> block = nn.Sequential(nn.Conv2d(3, 4, 1, bias=False), nn.BatchNorm2d(4)).eval()
    >>> sorted(fold_batch_norm(block).state_dict())
    ['0.bias', '0.weight']
    """
    conv: nn.Conv2d | None = None
    for name, child in list(module.named_children()):
        if isinstance(child, nn.BatchNorm2d) and conv is not None:
            if child.running_mean is None or child.running_var is None:
                raise ValueError(f"batch norm {name} keeps no running statistics to fold")
            conv.weight, conv.bias = fuse_conv_bn_weights(
                conv.weight,
                conv.bias,
                child.running_mean,
                child.running_var,
                child.eps,
                child.weight,
                child.bias,
            )
            setattr(module, name, nn.Identity())
        conv = child if isinstance(child, nn.Conv2d) else None
        fold_batch_norm(child)
    return module


def initialise(module: nn.Module) -> None:
    """Start convolutions at He et al.'s scale (fan in, which depthwise ones need), biases at 0."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
