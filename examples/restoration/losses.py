"""The losses that are compared."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from scorers.losses import GuardedNIMALoss, NIMALoss
from scorers.losses.balance import balanced_weight
from scorers.losses.guarded import l1
from scorers.scorer import Scorer

NAMES = ("L1", "L1 + perceptual", "L1 + NIMA", "L1 + guarded NIMA")
_LAYERS = ("conv_pw_1_relu", "conv_pw_3_relu", "conv_pw_5_relu")  # strides 2, 4 and 8

Loss = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Restored, clean, and what the L1 network made of the same: ``(B, 3, H, W)`` each, to a scalar."""


class Perceptual(nn.Module):
    """Distance of features in the scorer's own backbone, which must be a MobileNet v1.

    As LPIPS (Zhang et al. 2018) without its learned weights: features of three depths, each
    place's vector scaled to length one. Unlike NIMA it knows the clean photo.
    """

    def __init__(self, scorer: Scorer) -> None:
        super().__init__()
        self.preprocess = scorer.card.preprocess
        self.layers = nn.ModuleDict()
        for name, layer in scorer.network.backbone.features.named_children():
            self.layers[name] = layer
            if name == _LAYERS[-1]:
                break

    def features(self, image: Tensor) -> list[Tensor]:
        """Unit vectors at each place, ``(B, C, h, w)``, a tensor for each of three depths."""
        maps, found = self.preprocess.normalise(image), []
        for name, layer in self.layers.items():
            maps = layer(maps)
            if name in _LAYERS:
                found.append(maps / (maps.norm(dim=1, keepdim=True) + 1e-6))
        return found

    def forward(self, restored: Tensor, clean: Tensor) -> Tensor:
        """``(B, 3, H, W)`` each, to a scalar."""
        with torch.no_grad():
            wanted = self.features(clean)
        pairs = zip(self.features(restored), wanted, strict=True)
        distances = [(a - b).square().sum(1).mean() for a, b in pairs]
        return torch.stack(distances).sum()


def build(name: str, scorer: Scorer, strength: float, restored: Tensor, clean: Tensor) -> Loss:
    """One of `NAMES`, its second term weighted so that it starts at `strength` of L1's gradient.

    Args:
        scorer: NIMA, and the backbone of the perceptual loss.
        strength: share of the gradient's length at the restored pixels.
        restored: a typical restored image, to weigh the terms on.
        clean: what it should be.
    """
    typical = restored.detach().requires_grad_()
    fidelity = l1(typical, clean).mean()
    if name == "L1":
        return lambda restored, clean, _: l1(restored, clean).mean()
    if name == "L1 + perceptual":
        near = Perceptual(scorer)
        weight = balanced_weight(near(typical, clean), fidelity, typical, strength)
        return lambda restored, clean, _: (
            l1(restored, clean).mean() + weight * near(restored, clean)
        )
    weight = balanced_weight(NIMALoss(scorer, crops=1)(typical), fidelity, typical, strength)
    nima = NIMALoss(scorer, crops=1, weight=weight)
    if name == "L1 + NIMA":
        return lambda restored, clean, _: l1(restored, clean).mean() + nima(restored)
    guarded = GuardedNIMALoss(nima)
    return lambda restored, clean, usual: guarded(restored, clean, budget=l1(usual, clean))
