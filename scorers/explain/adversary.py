"""How little must change for the score to move: gradient ascent and descent on pixels."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from scorers.errors import InputError
from scorers.scorer import Scorer, check_image


@dataclass(frozen=True)
class Adversary:
    """What `fool` found.

    Attributes:
        view: ``(B, 3, h, w)`` in [0, 1]: what was changed: the photo shrunk to the network's
            ``(size, size)``, or the photo itself where the scorer looks at native squares of it.
        heat: ``(B, h, w)``: mean absolute change per pixel.
        before, after: ``(B,)``: scores of the photo and of `view`.
    """

    view: Tensor
    heat: Tensor
    before: Tensor
    after: Tensor


def fool(
    scorer: Scorer,
    image: Tensor,
    *,
    raise_score: bool = True,
    limit: float = 2 / 255,
    steps: int = 10,
) -> Adversary:
    """Change each pixel that the network is shown by at most `limit` to move the score most.

    Projected gradient ascent (Madry et al. 2018) with steps along the gradient scaled to its
    largest entry, so that the change shows which pixels matter and not only their sign. A
    scorer whose score moves far under an invisible change should not be maximised over pixels.

    Args:
        scorer: what to fool.
        image: ``(B, 3, H, W)`` in [0, 1].
        raise_score: ascend, or descend.
        limit: largest change of a value in [0, 1].
        steps: gradient steps.

    Raises:
        InputError: a limit or number of steps that is not positive, or not a float tensor of that
            shape.
    """
    check_image(image)
    if not limit > 0 or steps < 1:  # NaN is not above 0 either
        raise InputError(f"limit and steps must be positive, got limit={limit:g}, steps={steps}")
    shown = scorer.card.preprocess
    image = image.to(scorer.buckets.dtype)
    view = (shown.resize(image) if shown.view == "whole" else image).detach()
    low, high = (view - limit).clamp(min=0), (view + limit).clamp(max=1)
    sign = 1.0 if raise_score else -1.0
    changed = view
    with torch.enable_grad():
        for _ in range(steps):
            changed = changed.detach().requires_grad_()
            (gradient,) = torch.autograd.grad(scorer(changed).sum(), changed)
            largest = gradient.abs().amax((1, 2, 3), keepdim=True).clamp(min=1e-12)
            step = sign * 4 * limit / steps * (gradient / largest)
            changed = torch.minimum(torch.maximum(changed + step, low), high)
    changed = changed.detach()
    with torch.no_grad():
        before, after = scorer(view), scorer(changed)
    return Adversary(changed, (changed - view).abs().mean(1), before, after)
