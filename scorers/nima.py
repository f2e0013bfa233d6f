"""NIMA: an image classifier whose last layer answers with a distribution of opinions.

Talebi and Milanfar, "NIMA: Neural Image Assessment", IEEE TIP 2018, section III: the last layer
of a classifier is replaced by dropout and a fully connected layer of ten neurons, then softmax.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from scorers.errors import InputError


class NIMA(nn.Module):
    """A backbone, dropout, and a linear layer to one logit per bucket.

    Args:
        backbone: maps normalised images to ``(B, num_features)`` and has that attribute.
        buckets: how many ratings a person could choose from.
        dropout: rate before the linear layer; the paper's 0.75.

    >>> from scorers.backbones.mobilenet import MobileNetV1
    >>> opinion = NIMA(MobileNetV1(width=0.25)).eval()(torch.zeros(2, 3, 32, 32))
    >>> opinion.shape, bool((opinion.sum(-1) - 1).abs().max() < 1e-6)
    (torch.Size([2, 10]), True)
    """

    def __init__(self, backbone: nn.Module, buckets: int = 10, dropout: float = 0.75) -> None:
        super().__init__()
        if buckets < 2:
            raise InputError(f"`buckets >= 2` must hold, but got buckets={buckets}")
        self.backbone = backbone
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(int(backbone.num_features), buckets)  # type: ignore[arg-type]

    def logits(self, image: Tensor) -> Tensor:
        """``(B, 3, H, W)`` normalised as the backbone expects -> ``(B, buckets)`` logits."""
        return self.answer(self.backbone(image))

    def answer(self, features: Tensor) -> Tensor:
        """``(B, num_features)`` of the backbone -> ``(B, buckets)`` logits, in full precision."""
        # bfloat16 knows three digits: too few for the mean of an opinion
        device = features.device.type if features.device.type != "meta" else "cpu"
        with torch.autocast(device, enabled=False):
            logits: Tensor = self.head(self.dropout(features.to(self.head.weight.dtype)))
        return logits

    def forward(self, image: Tensor) -> Tensor:
        """``(B, 3, H, W)`` normalised -> ``(B, buckets)``: the share of opinions per bucket."""
        return self.logits(image).softmax(dim=-1)
