"""A scorer as a loss that may not work against fidelity."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from scorers.errors import InputError
from scorers.losses import checks as found
from scorers.losses.nima import NIMALoss
from scorers.scorer import check_image

Fidelity = Callable[[Tensor, Tensor], Tensor]
"""Restored and clean images ``(B, C, H, W)`` to one error each, ``(B,)``."""


def l1(restored: Tensor, clean: Tensor) -> Tensor:
    """Mean absolute error of each image, ``(B,)``."""
    return (restored - clean).abs().flatten(1).mean(1)


class GuardedNIMALoss(nn.Module):
    """Fidelity plus NIMA, where NIMA counts only as far as fidelity does not get worse.

    Two guards, of which either can be left out:

    - *Projection*. NIMA's gradient to the restored pixels loses what opposes the gradient of
      the fidelity error: in each window ``g - min(0, <g, f>) / <f, f> f``, the one-sided form
      of gradient surgery (Yu et al. 2020). A small step against what is left never increases
      the error of any window. Over a whole image that forbids next to nothing: among 100,000
      pixels NIMA's gradient is almost at right angles to any one direction. So windows are
      small; at 1 pixel NIMA can only choose where the error is to fall first.
    - *Budget*. An image whose error exceeds its budget (what another network reached on it, say)
      gets no NIMA term at all until it is back within.

    Both are about restored pixels, one step at a time. Pixels of a network's outputs share its
    parameters, so moving some can move others: what that costs is in docs/restoration.md.

    Used like any loss: its value is ``fidelity + nima``, its gradient the guarded one.

    Args:
        nima: the loss to guard, with its own weight.
        window: side of the projection's windows in pixels; 0 projects nothing.
        fidelity: the error to protect; mean absolute error by default.

    >>> from scorers.card import Architecture, ModelCard
    >>> from scorers.scorer import Scorer
    >>> card = ModelCard("tiny", Architecture("mobilenet_v1", {"width": 0.25}))
    >>> loss = GuardedNIMALoss(NIMALoss(Scorer.untrained(card), weight=0.01))
    >>> restored = torch.rand(2, 3, 64, 64, requires_grad=True)
    >>> loss(restored, torch.rand(2, 3, 64, 64)).backward()
    """

    def __init__(self, nima: NIMALoss, window: int = 8, fidelity: Fidelity = l1) -> None:
        super().__init__()
        if window < 0:
            raise InputError(f"`window >= 0` must hold, but got window={window}")
        self.nima = nima
        self.window = window
        self.fidelity = fidelity

    def forward(
        self, restored: Tensor, clean: Tensor, budget: Tensor | float | None = None
    ) -> Tensor:
        """Restored and clean ``(B, 3, H, W)`` in [0, 1] -> a scalar.

        Args:
            restored: what is to be trained.
            clean: what it should be.
            budget: ``(B,)`` errors up to which NIMA counts, or one for all; no limit when None.

        Raises:
            InputError: shapes that differ, a fidelity or a budget that is not one a photo, or one
                of the mistakes `scorers.losses.checks` knows.
        """
        check_image(restored)
        if restored.shape != clean.shape:
            raise InputError(
                f"restored and clean must have one shape, got {tuple(restored.shape)} "
                f"and {tuple(clean.shape)}"
            )
        # a gradient taken here is not scaled, and would underflow in float16
        restored = restored.to(torch.promote_types(restored.dtype, torch.float32))
        errors = self.fidelity(restored, clean)
        if errors.shape != restored.shape[:1]:
            raise InputError(
                f"fidelity must answer one error a photo, ({len(restored)},), "
                f"got {tuple(errors.shape)}"
            )
        within = torch.ones_like(errors)
        if budget is not None:
            budget = torch.as_tensor(budget)
            if budget.shape not in ((), errors.shape):
                raise InputError(
                    f"budget must be one error a photo, {tuple(errors.shape)}, or one for all, "
                    f"got {tuple(budget.shape)}"
                )
            if self.nima.checks > 0 or budget.device.type == "cpu":
                found.check_budget(budget)
            within = (errors.detach() <= budget.to(errors)).to(errors)
        if not (torch.is_grad_enabled() and restored.requires_grad):
            return errors.mean() + self.nima(restored, within)
        (uphill,) = torch.autograd.grad(errors.sum(), restored, retain_graph=True)
        pixels = restored.detach().requires_grad_()
        examined = self.nima.checks > 0  # this call, of the first few that are
        looks = self.nima(pixels, within)
        gradient = torch.zeros_like(pixels)
        if looks.requires_grad:
            (gradient,) = torch.autograd.grad(looks, pixels)
        kept = project(gradient, uphill, self.window)
        # no value of its own, and `kept` as its gradient
        guarded = (kept * (restored - pixels)).sum()
        loss = errors.mean() + looks.detach() + guarded
        if examined:
            found.watch_sign(loss)
        return loss


def project(gradient: Tensor, uphill: Tensor, window: int) -> Tensor:
    """Take from a gradient what opposes another, window by window: ``(B, C, H, W)`` each.

    Args:
        gradient: to be projected.
        uphill: gradient of what must not increase.
        window: side of the windows over which products are summed; 0 leaves all as it is.

    >>> g, f = torch.tensor([1.0, -1.0]), torch.tensor([1.0, 1.0])
    >>> project(g.view(1, 1, 1, 2), f.view(1, 1, 1, 2), window=1).flatten()
    tensor([1., 0.])
    """
    if window == 0:
        return gradient
    along = _per_window(gradient * uphill, window).clamp(max=0)
    length = _per_window(uphill.square(), window)
    opposing = torch.where(length > 0, along / length, torch.zeros_like(along))
    height, width = gradient.shape[-2:]
    spread = opposing.repeat_interleave(window, -2).repeat_interleave(window, -1)
    return gradient - spread[..., :height, :width] * uphill


def _per_window(values: Tensor, window: int) -> Tensor:
    """``(B, C, H, W)`` -> ``(B, 1, rows, columns)``: sums over channels and windows."""
    planes = values.sum(1, keepdim=True)
    height, width = planes.shape[-2:]
    whole = F.pad(planes, (0, -width % window, 0, -height % window))
    return F.avg_pool2d(whole, window) * window**2
