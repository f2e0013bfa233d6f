"""How heavy a loss should weigh beside another."""

from __future__ import annotations

import torch
from torch import Tensor

from scorers.errors import InputError


def balanced_weight(loss: Tensor, against: Tensor, image: Tensor, strength: float) -> float:
    """The weight at which a loss pulls at an image `strength` times as hard as another does.

    ``strength * |d against / d image| / |d loss / d image|``, of the gradients' Euclidean lengths.
    A score is in ratings and an error in pixel values, so weights say nothing across scorers or
    sizes of image; this share does. The idea is VQGAN's adaptive weight (Esser et al. 2021, eq.
    7), taken once at the restored image rather than at every step in the last layer.

    Args:
        loss: a scalar made from `image`, to be weighted.
        against: a scalar made from `image`, of weight one.
        image: any tensor that requires a gradient.
        strength: above 0.

    Raises:
        InputError: a strength that is not positive, or a loss without any pull.

    >>> x = torch.tensor([3.0, 4.0], requires_grad=True)
    >>> round(balanced_weight(10 * x.sum(), x.sum(), x, strength=0.5), 3)
    0.05
    """
    if not strength > 0:
        raise InputError(f"strength must be positive, got {strength:g}")
    lengths = []
    for name, value in (("loss", loss), ("against", against)):
        (gradient,) = torch.autograd.grad(value, image, retain_graph=True)
        lengths.append(float(gradient.norm()))
        if lengths[-1] == 0:
            raise InputError(f"{name} has no gradient at this image, so no weight balances it")
    return strength * lengths[1] / lengths[0]
