"""How strong the noise of a photo is, read from the photo."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

_ROOT = math.sqrt(3)
# high-pass of Daubechies' wavelet with two vanishing moments: blind to linear gradients
_HIGH_PASS = [value / (4 * math.sqrt(2)) for value in (1 - _ROOT, _ROOT - 3, 3 + _ROOT, -1 - _ROOT)]
_MAD_TO_STD = 0.6744897501960817  # median of |x| for a standard normal x


@torch.no_grad()
def estimate_noise(plane: Tensor) -> Tensor:
    """Standard deviation of white noise, by the median of the finest diagonal wavelets.

    Structure fills few of these coefficients, hence the median. Exact zeros are left out: they
    come from clipped or synthetic areas, where no noise shows. Carries no gradient.

    Args:
        plane: ``(..., H, W)``.

    Returns:
        ``(...)``, in units of `plane`; 0 where the plane is smaller than 4x4 or shows no noise.

    References:
        Donoho and Johnstone, "Ideal spatial adaptation by wavelet shrinkage", Biometrika 1994.

    >>> generator = torch.Generator().manual_seed(0)
    >>> noisy = 0.5 + 0.1 * torch.randn(256, 256, generator=generator)
    >>> abs(estimate_noise(noisy).item() - 0.1) < 0.003
    True
    """
    *batch, height, width = plane.shape
    if min(height, width) < len(_HIGH_PASS):
        return plane.new_zeros(batch)
    taps = plane.new_tensor(_HIGH_PASS)
    kernel = torch.outer(taps, taps)[None, None]
    diagonal = functional.conv2d(plane.reshape(-1, 1, height, width), kernel, stride=2)
    sizes = diagonal.flatten(1).abs()
    # rounding leaves a constant plane with coefficients that are not quite zero
    shown = torch.where(sizes > 1e-6, sizes, torch.nan)
    return (shown.nanmedian(dim=1).values.nan_to_num(0) / _MAD_TO_STD).reshape(batch)
