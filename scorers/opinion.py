"""Opinions: distributions of ratings over buckets, their moments, distances, and models.

An opinion is a tensor ``(..., N)`` of non-negative shares that sum to one; bucket ``i`` stands
for the rating ``buckets[i]``, by default 1, 2, ..., N (AVA's scale for N = 10).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from scorers.errors import OpinionError

Buckets = Sequence[float] | Tensor | None

_STD_MODEL = (-0.2007, 0.1662, 0.1156)
_NEWTON_STEPS = 200
_MOMENT_TOLERANCE = 1e-9  # of the moments, in units of half the scale


def mean(opinion: Tensor, buckets: Buckets = None) -> Tensor:
    """Mean rating of ``(..., N)`` opinions, shape ``(...)``.

    >>> mean(torch.tensor([0.0, 0.5, 0.5]))
    tensor(2.5000)
    """
    return (opinion * _ratings(buckets, opinion)).sum(-1)


def std(opinion: Tensor, buckets: Buckets = None) -> Tensor:
    """Standard deviation of the ratings of ``(..., N)`` opinions, shape ``(...)``.

    >>> std(torch.tensor([0.0, 0.5, 0.5]))
    tensor(0.5000)
    """
    ratings = _ratings(buckets, opinion)
    spread = ratings - mean(opinion, ratings).unsqueeze(-1)
    return (opinion * spread**2).sum(-1).clamp(min=0).sqrt()


def emd(first: Tensor, second: Tensor, r: float = 1.0) -> Tensor:
    """Normalised earth mover's distance between ``(..., N)`` opinions, in [0, 1).

    ``(1/N sum_k |CDF_first(k) - CDF_second(k)|^r)^(1/r)``: Talebi and Milanfar 2018, eq. 1. They
    train with ``r=2`` and report ``r=1``. Differentiable; the gradient where both are equal is 0.

    >>> emd(torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0]))
    tensor(0.5000)
    """
    if first.shape[-1] != second.shape[-1]:
        raise OpinionError(
            "opinions must have the same number of buckets, "
            f"got {first.shape[-1]} and {second.shape[-1]}"
        )
    if not r >= 1:  # nor NaN
        raise OpinionError(f"r must be at least 1, got {r:g}")
    gap = (first - second).cumsum(-1)
    norm: Tensor = torch.linalg.vector_norm(gap, ord=r, dim=-1)
    return norm / first.shape[-1] ** (1 / r)


def maximum_entropy(mean: float | Tensor, std: float | Tensor, buckets: Buckets = None) -> Tensor:
    """The opinion of largest entropy that has these moments: ``(...)`` -> ``(..., N)``.

    Where a data set publishes only mean and standard deviation (TID2013, LIVE), NIMA is trained
    on this distribution (Talebi and Milanfar 2018, section III-A). It is of the exponential
    family, ``p_i ~ exp(a x_i + b x_i^2)``; a and b are found by Newton's method on the convex
    dual, in float64, all distributions at once.

    Args:
        mean: ratings, broadcast against `std`.
        std: standard deviations of the ratings, not of the mean.
        buckets: ratings in ascending order; 1..10 when None.

    Raises:
        OpinionError: the moments belong to no distribution over these buckets, such as a mean
            off the scale, or a mean of 1.5 with no spread.

    >>> maximum_entropy(2.0, 0.8165, buckets=(1, 2, 3))
    tensor([0.3333, 0.3333, 0.3333])
    """
    means, stds = torch.broadcast_tensors(torch.as_tensor(mean), torch.as_tensor(std))
    dtype = means.dtype if means.is_floating_point() else torch.get_default_dtype()
    shape = means.shape
    ratings = _ascending(buckets)
    middle, half = (ratings[0] + ratings[-1]) / 2, (ratings[-1] - ratings[0]) / 2
    x = (ratings - middle) / half
    mu = (means.reshape(-1).double().cpu() - middle) / half
    variance = (stds.reshape(-1).double().cpu() / half) ** 2
    smallest, largest = _variance_bounds(mu, x)
    _check_moments(means.reshape(-1), stds.reshape(-1), mu, variance, smallest, largest, ratings)
    # on its bounds the distribution is a limit of the family, with two buckets at most
    lowest = variance <= smallest + _MOMENT_TOLERANCE
    highest = variance >= largest - _MOMENT_TOLERANCE
    inside = ~lowest & ~highest
    opinion = torch.empty(len(mu), len(x), dtype=torch.float64)
    below = _below(mu, x)
    opinion[lowest] = _two_buckets(mu, x, below, below + 1)[lowest]
    first, last = torch.zeros_like(below), torch.full_like(below, len(x) - 1)
    opinion[highest & ~lowest] = _two_buckets(mu, x, first, last)[highest & ~lowest]
    opinion[inside] = _newton(mu[inside], variance[inside], x)
    return opinion.reshape(*shape, len(x)).to(device=means.device, dtype=dtype)


def typical_std(mean: Tensor, buckets: Buckets = None) -> Tensor:
    """A guess of the ratings' standard deviation where only their mean is known, same shape.

    With t the mean's place on the scale, in [0, 1],
    ``std = range * (-0.2007 t^2 + 0.1662 t + 0.1156)``: a least-squares fit to the five-bin
    votes of KonIQ-10k (Hosu et al. 2020; 10,073 photos, about 105 votes each, t in [0.02, 0.83]),
    then limited to what is possible at that mean. It explains little: correlation with the
    true std is .37, RMS error .061 on the five-point scale, against .066 for a constant and
    .067 for the SOS hypothesis (Hossfeld et al. 2011).

    >>> typical_std(torch.tensor([3.0]), buckets=(1, 2, 3, 4, 5))
    tensor([0.5941])
    """
    ratings = _ascending(buckets)
    low, high = float(ratings[0]), float(ratings[-1])
    place = (mean.double() - low) / (high - low)
    if mean.numel() and not bool(((place >= 0) & (place <= 1)).all()):
        worst = mean[(place < 0) | (place > 1) | place.isnan()][0].item()
        raise OpinionError(f"mean must lie in [{low:g}, {high:g}], got {worst:g}")
    square, slope, constant = _STD_MODEL
    guess = (high - low) * (square * place**2 + slope * place + constant)
    return guess.clamp(*std_bounds(mean, ratings)).to(mean.dtype)


def std_bounds(mean: Tensor, buckets: Buckets = None) -> tuple[Tensor, Tensor]:
    """Least and largest standard deviation of ratings with these means, in float64, same shape.

    A mean between two buckets needs some opinion on both; one off the scale is taken for its end.

    >>> low, high = std_bounds(torch.tensor([1.5]), (1.0, 2.0, 3.0))
    >>> round(low.item(), 3), round(high.item(), 3)
    (0.5, 0.866)
    """
    ratings = _ascending(buckets).to(mean.device)
    means = mean.double().clamp(ratings[0], ratings[-1]).reshape(-1)
    smallest, largest = _variance_bounds(means, ratings)
    low, high = (bound.clamp(min=0).sqrt().reshape(mean.shape) for bound in (smallest, largest))
    return low, high


def _ratings(buckets: Buckets, like: Tensor) -> Tensor:
    """Ratings as a tensor that fits `like`."""
    count = like.shape[-1]
    if buckets is None:
        return torch.arange(1, count + 1, dtype=like.dtype, device=like.device)
    ratings = torch.as_tensor(buckets, dtype=like.dtype, device=like.device)
    if ratings.shape != (count,):
        raise OpinionError(f"an opinion over {count} buckets needs as many, got {len(ratings)}")
    return ratings


def _ascending(buckets: Buckets) -> Tensor:
    ratings = torch.arange(1.0, 11.0) if buckets is None else torch.as_tensor(buckets)
    ratings = ratings.double().cpu()
    if ratings.ndim != 1 or len(ratings) < 2 or not bool((ratings.diff() > 0).all()):
        raise OpinionError(f"buckets must be two or more ascending ratings, got {ratings.tolist()}")
    return ratings


def _below(mu: Tensor, x: Tensor) -> Tensor:
    """Index of the last bucket at or below the mean, leaving one above it."""
    return (torch.searchsorted(x, mu.contiguous(), right=True) - 1).clamp(0, len(x) - 2)


def _variance_bounds(mu: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
    """Least and largest variance of a distribution over `x` with mean `mu`."""
    below = _below(mu, x)
    smallest = (mu - x[below]) * (x[below + 1] - mu)
    return smallest, (mu - x[0]) * (x[-1] - mu)


def _check_moments(
    means: Tensor,
    stds: Tensor,
    mu: Tensor,
    variance: Tensor,
    smallest: Tensor,
    largest: Tensor,
    ratings: Tensor,
) -> None:
    slack = 1e-6  # moments published in float32 or with a few decimals may lie just outside
    off_scale = ~((mu >= -1 - slack) & (mu <= 1 + slack))
    if bool(off_scale.any()):
        worst = means[off_scale][0].item()
        low, high = ratings[0].item(), ratings[-1].item()
        raise OpinionError(f"mean must lie in [{low:g}, {high:g}], got {worst:g}")
    impossible = ~((stds >= 0) & (variance >= smallest - slack) & (variance <= largest + slack))
    if bool(impossible.any()):
        index = int(impossible.nonzero()[0])
        half = (ratings[-1] - ratings[0]).item() / 2
        low, high = (max(bound[index].item(), 0) ** 0.5 * half for bound in (smallest, largest))
        raise OpinionError(
            f"std of ratings with mean {means[index].item():g} must lie in "
            f"[{low:.4g}, {high:.4g}], got {stds[index].item():g}"
        )


def _two_buckets(mu: Tensor, x: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """All opinion on the buckets `low` and `high`, with mean `mu`."""
    share = ((mu - x[low]) / (x[high] - x[low])).clamp(0, 1).unsqueeze(-1)
    opinion = torch.zeros(len(mu), len(x), dtype=mu.dtype)
    opinion.scatter_(1, low.unsqueeze(-1), 1 - share)
    return opinion.scatter_(1, high.unsqueeze(-1), share)


def _newton(mu: Tensor, variance: Tensor, x: Tensor) -> Tensor:
    """Minimise ``log sum exp(theta . f) - theta . target`` with f = (x - mu, (x - mu)^2)."""
    deviation = x - mu.unsqueeze(-1)
    features = torch.stack([deviation, deviation**2], dim=-1)
    target = torch.stack([torch.zeros_like(mu), variance], dim=-1)
    theta = torch.zeros_like(target)
    theta[:, 1] = -0.5 / variance  # a Gaussian of that variance

    def dual(theta: Tensor) -> Tensor:
        exponents = (features @ theta.unsqueeze(-1)).squeeze(-1)
        return exponents.logsumexp(-1) - (theta * target).sum(-1)

    value = dual(theta)
    for _ in range(_NEWTON_STEPS):
        shares = (features @ theta.unsqueeze(-1)).squeeze(-1).softmax(-1).unsqueeze(-1)
        moments = (shares * features).sum(-2)
        gradient = moments - target
        if bool((gradient.abs() < _MOMENT_TOLERANCE).all()):
            break
        centred = features - moments.unsqueeze(-2)
        hessian = (shares * centred).transpose(-1, -2) @ centred
        # a touch of damping where all opinion sits on one or two buckets
        damping = 1e-12 * torch.eye(2, dtype=x.dtype)
        step = -torch.linalg.solve(hessian + damping, gradient)
        slope = (gradient * step).sum(-1)
        size = torch.ones_like(mu)
        for _ in range(40):
            tried = dual(theta + size.unsqueeze(-1) * step)
            worse = tried > value + 1e-4 * size * slope + 1e-15
            if not bool(worse.any()):
                break
            size = torch.where(worse, size / 2, size)
        theta = theta + size.unsqueeze(-1) * step
        value = dual(theta)
    return (features @ theta.unsqueeze(-1)).squeeze(-1).softmax(-1)
