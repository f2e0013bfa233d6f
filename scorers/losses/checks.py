"""The usual mistakes with a scorer as a loss, each found where it happens and said in one line.

None of them stops a training by itself: the fidelity term goes on learning, and the mistake
shows after hours, as a result that NIMA did nothing for, or the worst for.
"""

from __future__ import annotations

import torch
from torch import Tensor

from scorers.errors import InputError
from scorers.scorer import Scorer

_MARGIN = 0.25  # by which a network that is still learning may overshoot [0, 1]
_SHARE = 0.05  # of values beyond that


def check_range(image: Tensor) -> None:
    """Raise unless the values are finite and nearly all in or near [0, 1]."""
    values = image.detach()
    low, high = (float(value) for value in values.aminmax())
    if not (low > -torch.inf and high < torch.inf):  # false for NaN, too
        raise InputError("image must be finite, got NaN or infinity")
    outside = float(((values < -_MARGIN) | (values > 1 + _MARGIN)).float().mean())
    if outside <= _SHARE:
        return
    hint = ""
    if high > 16:
        hint = "; divide 0..255 values by 255"
    elif low >= -1.5 and high <= 1.5:
        hint = "; map [-1, 1] by (image + 1) / 2"
    raise InputError(
        f"image must lie in [0, 1], got {outside:.0%} of values far outside, "
        f"from {low:.3g} to {high:.3g}{hint}"
    )


def check_weights(weights: Tensor) -> None:
    """Raise unless the weights of photos are finite and none is negative."""
    wrong = ~((weights >= 0) & (weights < torch.inf))
    if bool(wrong.any()):
        raise InputError(
            f"`0 <= weights < inf` must hold, but got {weights[wrong][0].item():g}: a negative "
            "one would make a photo look worse"
        )


def check_budget(budget: Tensor) -> None:
    """Raise if a budget is no number: no error is within it, so NIMA would never count."""
    if bool(budget.isnan().any()):
        raise InputError("budget must be an error, or inf for no limit, got nan")


def check_attached(image: Tensor) -> None:
    """Raise if gradients are recorded but could not reach what made the image."""
    if torch.is_grad_enabled() and not image.requires_grad:
        raise InputError(
            "image carries no gradient, so nothing can learn from it: was it detached, or made "
            "under no_grad? (to judge only, call the loss under no_grad or after eval())"
        )


def check_scorer(scorer: Scorer) -> None:
    """Raise if the scorer would learn, or answers at random."""
    for name, module in scorer.network.named_modules():
        if module.training:
            raise InputError(
                f"the scorer must be in evaluation mode, but {name or 'its network'} is in "
                "training mode, where dropout and batch norm answer at random; call scorer.eval()"
            )
    for name, parameter in scorer.network.named_parameters():
        if parameter.requires_grad:
            raise InputError(
                f"the scorer must be frozen, but {name} would be trained to please; "
                "call scorer.requires_grad_(False)"
            )


def check_passes(loss: Tensor, image: Tensor) -> None:
    """Raise if the image carries a gradient and the loss does not."""
    if torch.is_grad_enabled() and image.requires_grad and not loss.requires_grad:
        raise InputError("the scorer passes no gradient to the image: it answers under no_grad")


def watch_sign(loss: Tensor) -> None:
    """In backward, raise if the loss, a scalar, is being maximised."""

    def check(gradient: Tensor) -> None:
        weight = float(gradient)
        if weight < 0:
            raise InputError(
                f"this loss must be minimised, but it is weighted with {weight:.3g}: it is a "
                "distance from good looks already, so add it with a positive weight"
            )

    if loss.requires_grad:
        loss.register_hook(check)


def watch_gradient(loss: Tensor, image: Tensor) -> None:
    """In backward, raise if nothing of the loss reaches the image.

    Args:
        loss: as it is handed out, a scalar.
        image: what the scorer was shown, a tensor that only this loss uses.
    """
    # at 0 the target is reached, and no gradient is right
    if not (loss.requires_grad and image.requires_grad) or float(loss.detach()) == 0:
        return
    wanted = True

    def remember(gradient: Tensor) -> None:
        nonlocal wanted
        wanted = bool(gradient != 0)

    def check(gradient: Tensor) -> None:
        if wanted and not bool(gradient.any()):
            raise InputError(
                "the gradient of this loss is zero everywhere: a scorer whose activations are "
                "all cut off, or underflow in float16, which a GradScaler or bfloat16 prevents"
            )

    loss.register_hook(remember)
    image.register_hook(check)
