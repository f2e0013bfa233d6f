"""Many levels of a MobileNet at once: what fine and coarse features say, and how much they vary."""

from __future__ import annotations

from collections.abc import Container, Sequence

import torch
from torch import Tensor, nn

from scorers.backbones.mobilenet import MobileNetV1
from scorers.errors import InputError

BLOCKS = 13
LEVELS = (1, 2, 4, 6, 8, 10, 13)
EXTREME = 8.0
"""Deviations from the average photo beyond which a feature says no more: an odd picture must not
carry the answer away."""


def pooled_levels(layers: nn.Sequential, levels: Container[str], image: Tensor) -> Tensor:
    """Mean and standard deviation of every channel of the named layers' maps, ``(B, P)``.

    Args:
        layers: applied one after the other.
        levels: names of those whose maps are read.
        image: what the first of them takes, ``(B, C, H, W)``.
    """
    statistics = []
    maps = image
    for name, layer in layers.named_children():
        maps = layer(maps)
        if name in levels:
            flat = maps.flatten(2)
            if flat.dtype == torch.bfloat16:  # which loses small deviations
                flat = flat.float()
            mean = flat.mean(-1)
            variance = (flat - mean[..., None]).square().mean(-1)
            # a root without the infinite slope at 0 that flat skies would find
            statistics += [mean, (variance + 1e-4).sqrt()]
    return torch.cat(statistics, dim=1)


class MultiLevelMobileNetV1(nn.Module):
    """MobileNet v1, of which several blocks are read: ``(B, 3, H, W)`` -> ``(B, num_features)``.

    Quality is visible in early layers (noise, blur, tone) and taste in late ones, and an average
    over the photo hides how much a feature varies. So mean and standard deviation of several blocks
    are standardised and mixed by one layer or two. After Hosu, Goldlücke and Saupe, "Effective
    aesthetics prediction with multi-level spatially pooled features", CVPR 2019.

    Args:
        width, folded, same: as of `MobileNetV1`.
        levels: which of its 13 blocks are read, ascending.
        neck: features that the levels are mixed to.
        hidden: features that the neck is mixed to once more; 0 for one layer only.
        dropout: rate before they are mixed.

    Raises:
        InputError: no levels, one that is no block, or not in order; a negative size or rate.

    >>> network = MultiLevelMobileNetV1(width=0.25, levels=(2, 13), neck=16)
    >>> network(torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2, 272])
    """

    centre: Tensor
    spread: Tensor

    def __init__(
        self,
        width: float = 1.0,
        folded: bool = False,
        same: bool = False,
        levels: Sequence[int] = LEVELS,
        neck: int = 192,
        hidden: int = 0,
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        blocks = range(1, BLOCKS + 1)
        if not levels or [n for n in blocks if n in levels] != list(levels):
            raise InputError(f"levels must be blocks 1 to {BLOCKS}, ascending, got {levels}")
        for name, value, least in (("neck", neck, 1), ("hidden", hidden, 0)):
            if value < least:
                raise InputError(f"`{name} >= {least}` must hold, but got {name}={value}")
        if not 0 <= dropout < 1:
            raise InputError(f"`0 <= dropout < 1` must hold, but got dropout={dropout}")
        self.features = MobileNetV1(width, folded, same).features
        self.levels = frozenset(f"conv_pw_{level}_relu" for level in levels)
        weights = [self.features.get_parameter(f"conv_pw_{level}.weight") for level in levels]
        pooled = 2 * sum(len(weight) for weight in weights)
        self.register_buffer("centre", torch.zeros(pooled))
        self.register_buffer("spread", torch.ones(pooled))
        self.dropout = nn.Dropout(dropout)
        self.neck = nn.Linear(pooled, neck)
        self.activation = nn.ReLU()
        self.mixer = nn.Linear(neck, hidden) if hidden else None
        self.last = len(weights[-1])
        self.num_features = (hidden or neck) + self.last

    @property
    def last_maps(self) -> nn.Module:
        """The layer whose output is the last that still has a height and a width."""
        return self.features[-1]

    def pooled(self, image: Tensor) -> Tensor:
        """Mean and standard deviation of every channel of the levels, ``(B, P)``."""
        return pooled_levels(self.features, self.levels, image)

    @torch.no_grad()
    def standardise(self, pooled: Tensor) -> None:
        """Take centre and spread from examples ``(N, P)`` of what `pooled` answers."""
        self.centre.copy_(pooled.mean(0))
        self.spread.copy_(pooled.std(0).clamp(min=1e-3))

    def mix(self, pooled: Tensor) -> Tensor:
        """What `pooled` answered, ``(B, P)``, to ``(B, num_features)``."""
        device = pooled.device.type if pooled.device.type != "meta" else "cpu"
        with torch.autocast(device, enabled=False):
            standard = ((pooled - self.centre) / self.spread).clamp(-EXTREME, EXTREME)
            mixed = self.activation(self.neck(self.dropout(standard)))
            if self.mixer is not None:
                mixed = self.activation(self.mixer(mixed))
        mean = pooled[:, -2 * self.last : -self.last]
        return torch.cat([mixed, mean], dim=1)

    def forward(self, image: Tensor) -> Tensor:
        return self.mix(self.pooled(image))
