"""VGG16 (Simonyan and Zisserman 2015, Table 1, configuration D)."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from scorers.backbones.layers import initialise

_CONVS = (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0)  # 0: pool


class VGG16(nn.Module):
    """VGG16 without its last layer: ``(B, 3, H, W)`` normalised -> ``(B, num_features)``.

    State-dict names are torchvision's ``vgg16`` (``features.0.weight`` ...,
    ``classifier.0.weight``, ``classifier.3.weight``); its last layer, ``classifier.6``, has no
    place here. Feature maps that are not 7x7 are pooled to it.

    Args:
        dense: keep the two 4096-wide layers, as in the NIMA paper (134.3 million parameters).
            Without them the head reads the 25,088 features directly (14.7 million).

    >>> import torch
    >>> VGG16(dense=False)(torch.zeros(1, 3, 32, 32)).shape
    torch.Size([1, 25088])
    """

    def __init__(self, dense: bool = True) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 3
        for outputs in _CONVS:
            if outputs:
                layers += [nn.Conv2d(channels, outputs, 3, padding=1), nn.ReLU(inplace=True)]
                channels = outputs
            else:
                layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        initialise(self)
        self.num_features = 4096 if dense else 512 * 7 * 7
        self.classifier = nn.Sequential()
        if dense:
            self.classifier = nn.Sequential(
                nn.Linear(512 * 7 * 7, 4096),
                nn.ReLU(inplace=True),
                nn.Dropout(0.5),
                nn.Linear(4096, 4096),
                nn.ReLU(inplace=True),
                nn.Dropout(0.5),
            )

    @property
    def last_maps(self) -> nn.Module:
        """The layer whose output is the last that still has a height and a width."""
        return self.features

    def forward(self, image: Tensor) -> Tensor:
        pooled = F.adaptive_avg_pool2d(self.features(image), 7)
        features: Tensor = self.classifier(pooled.flatten(1))
        return features
