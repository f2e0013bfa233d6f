"""The network that restores: a small U-Net of NAFNet's blocks (Chen et al. 2022)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Block(nn.Module):
    """NAFNet's block: no activation but the product of two halves, and attention over channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        wide = 2 * channels
        self.mix_norm = nn.GroupNorm(1, channels)
        self.mix = nn.Sequential(
            nn.Conv2d(channels, wide, 1), nn.Conv2d(wide, wide, 3, padding=1, groups=wide)
        )
        self.attention = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(channels, channels, 1))
        self.merge = nn.Conv2d(channels, channels, 1)
        self.widen_norm = nn.GroupNorm(1, channels)
        self.widen = nn.Conv2d(channels, wide, 1)
        self.narrow = nn.Conv2d(channels, channels, 1)

    def forward(self, maps: Tensor) -> Tensor:
        first, second = self.mix(self.mix_norm(maps)).chunk(2, dim=1)
        gated = first * second
        maps = maps + self.merge(gated * self.attention(gated))
        first, second = self.widen(self.widen_norm(maps)).chunk(2, dim=1)
        return maps + self.narrow(first * second)


class Restorer(nn.Module):
    """Adds a correction to a photo: ``(B, 3, H, W)`` -> the same shape, not clamped.

    Works on the photo folded 2x2 into channels, as FFDNet does (Zhang et al. 2018): a quarter
    of the pixels, four times the channels.

    Args:
        width: channels at the first level; doubled at each of the two below.
    """

    def __init__(self, width: int = 24) -> None:
        super().__init__()
        self.enter = nn.Conv2d(12, width, 3, padding=1)
        self.down = nn.ModuleList()
        self.up = nn.ModuleList()
        for channels in (width, 2 * width):
            self.down.append(
                nn.Sequential(Block(channels), nn.Conv2d(channels, 2 * channels, 2, stride=2))
            )
            self.up.insert(
                0, nn.Sequential(nn.Conv2d(2 * channels, 4 * channels, 1), nn.PixelShuffle(2))
            )
        self.middle = nn.Sequential(Block(4 * width), Block(4 * width))
        self.after = nn.ModuleList([Block(2 * width), Block(width)])
        self.leave = nn.Conv2d(width, 12, 3, padding=1)
        # it starts by changing nothing
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)

    def forward(self, photo: Tensor) -> Tensor:
        height, width = photo.shape[-2:]
        padded = F.pad(photo, (0, -width % 8, 0, -height % 8), mode="reflect")
        maps = self.enter(F.pixel_unshuffle(padded, 2))
        skipped = []
        for down in self.down:
            kept = down[0](maps)
            skipped.append(kept)
            maps = down[1](kept)
        maps = self.middle(maps)
        for up, after in zip(self.up, self.after, strict=True):
            maps = after(up(maps) + skipped.pop())
        correction = F.pixel_shuffle(self.leave(maps), 2)
        return photo + correction[..., :height, :width]


def parameters(network: nn.Module) -> int:
    """How many numbers it has learned."""
    return sum(weight.numel() for weight in network.parameters())


def rounded(photo: Tensor) -> Tensor:
    """As an 8-bit file would hold it."""
    return torch.round(photo.clamp(0, 1) * 255) / 255
