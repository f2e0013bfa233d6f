"""What a loss wants of an opinion: a mean to reach, or a whole opinion to be near."""

from __future__ import annotations

import torch
from torch import Tensor

from scorers import opinion
from scorers.errors import InputError, OpinionError

_ROUNDING = 1e-3  # by which the shares of an opinion may miss one


def as_target(target: float | Tensor | None, buckets: Tensor) -> Tensor:
    """A mean as a scalar tensor, or an opinion ``(N,)`` as it is; the best rating when None.

    Raises:
        InputError: neither a finite number nor ``(N,)``.
        OpinionError: shares that are negative or do not sum to one.

    >>> as_target(None, torch.tensor([1.0, 2.0, 3.0]))
    tensor(3.)
    """
    if target is None:
        return buckets[-1].clone()
    wanted = torch.as_tensor(target, dtype=buckets.dtype).detach().clone()
    if wanted.shape not in ((), buckets.shape):
        raise InputError(
            f"target must be a mean or an opinion over {len(buckets)} buckets, "
            f"got shape {tuple(wanted.shape)}"
        )
    if not wanted.ndim and not bool(wanted.isfinite()):
        raise InputError(f"target must be finite, got {wanted.item():g}")
    if wanted.ndim and not (bool((wanted >= 0).all()) and abs(wanted.sum() - 1) <= _ROUNDING):
        shares = ", ".join(f"{share:.3g}" for share in wanted.tolist())
        raise OpinionError(f"a target opinion must be shares that sum to 1, got {shares}")
    return wanted


def shortfall(shares: Tensor, target: Tensor, buckets: Tensor) -> Tensor:
    """How far opinions ``(..., N)`` are from a target: ``(...)``, at or above 0.

    To a mean: ``max(0, target - mean)``, in ratings; nothing is gained beyond it. To an opinion:
    the earth mover's distance with r = 2 (Talebi and Milanfar 2018, eq. 1), in [0, 1).

    >>> even = torch.tensor([0.5, 0.5])
    >>> shortfall(even, torch.tensor(2.0), torch.tensor([1.0, 2.0]))
    tensor(0.5000)
    """
    if target.ndim:
        return opinion.emd(shares, target, r=2)
    return (target - opinion.mean(shares, buckets)).clamp(min=0)
