"""Luma split into a base and detail worth strengthening, by the filters of `affinity`."""

from __future__ import annotations

import torch
from torch import Tensor

from enhance.operators import laplacian_kernels
from enhance.operators.affinity import fluxes
from enhance.operators.compiled import share, usable
from enhance.operators.strips import in_strips

LEVELS = 3
"""Affinities K, K^2, K^4: a base and three layers of detail."""
TAU = 0.05
"""Contrast beyond which a layer's boost levels off."""


def split(luma: Tensor, h: Tensor, step: int, tau: float = TAU) -> tuple[Tensor, Tensor]:
    """Base and boost of luma: what smoothing leaves, and what one unit of detail adds.

    With ``W_l`` the filters of `affinity.fluxes`, the base is ``W_1 y``; the layers of detail
    are ``(W_{l+1} - W_l) y`` and ``(I - W_k) y``, and the boost is the sum of
    ``tau tanh(z / tau)`` over them, times the structure, so that flats get none.

    Args:
        luma: ``(N, H, W)``.
        h: ``(N,)``, difference that counts as an edge.
        step: of the window, in pixels.
        tau: contrast beyond which a boost levels off.

    >>> base, boost = split(torch.full((1, 4, 4), 0.5), torch.tensor([0.15]), 1)
    >>> base.mean().item(), boost.abs().max().item()
    (0.5, 0.0)
    """
    differentiated = torch.is_grad_enabled() and (luma.requires_grad or h.requires_grad)
    if not differentiated and luma.dtype == torch.float32 and usable(luma):
        base, boost = luma.new_empty(luma.shape), luma.new_empty(luma.shape)
        planes = zip(luma, base, boost, h.tolist(), strict=True)
        items = [[*plane, tau, step] for plane in planes]
        share(laplacian_kernels.split, items, luma.shape[-2], luma.numel())
        return base, boost
    flux, structure = fluxes(luma, h, step, LEVELS)
    limit = luma.new_tensor(tau)
    return luma + flux[0], in_strips(_boost, [*flux.unbind(), structure], [limit], len(luma))


def _boost(*planes: Tensor) -> Tensor:
    *flux, structure, tau = planes
    limited = torch.zeros_like(structure)
    for coarse, fine in zip(flux, [*flux[1:], torch.zeros_like(structure)], strict=True):
        # tanh(x) = 2 sigmoid(2 x) - 1, in a third of its time
        limited = limited + torch.sigmoid((fine - coarse) * (2 / tau))
    return (limited - LEVELS / 2) * structure * (2 * tau)
