"""Haze by the model of atmospheric scattering."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from scorers.errors import InputError

_CELLS = 4  # per side, of the field that makes the depth uneven


def haze(image: Tensor, depth: Tensor, scattering: float | Tensor, airlight: Tensor) -> Tensor:
    """``J t + A (1 - t)`` with ``t = exp(-scattering * depth)``: Koschmieder's law.

    On sRGB values as they are, like the field's synthetic data (RESIDE: Li et al. 2019, eq. 1).

    Args:
        image: ``(B, 3, H, W)`` in [0, 1], J.
        depth: ``(B, 1, H, W)``, at or above 0; 1 is the scene's far end.
        scattering: per unit of depth, a number or ``(B,)``; RESIDE draws from [0.6, 1.8].
        airlight: ``(B, 3)`` or ``(3,)``, A; RESIDE draws each channel from [0.7, 1].

    Returns:
        ``(B, 3, H, W)`` in [0, 1].

    Raises:
        InputError: a depth below 0.

    >>> photo, far = torch.zeros(1, 3, 2, 2), torch.full((1, 1, 2, 2), 1e3)
    >>> haze(photo, far, 1.0, torch.full((3,), 0.8)).unique()
    tensor([0.8000])
    """
    if bool((depth < 0).any()):
        raise InputError(f"depth must not be negative, got {float(depth.min()):.3g}")
    density = torch.as_tensor(scattering).to(image).reshape(-1, 1, 1, 1)
    light = airlight.to(image).reshape(-1, 3, 1, 1)
    transmission = torch.exp(-density * depth.to(image))
    return image * transmission + light * (1 - transmission)


def typical_depth(height: int, width: int, generator: Generator) -> Tensor:
    """A made-up outdoor depth map ``(1, 1, H, W)`` in [0, 1], for photos of which none is known.

    Farther towards the top, as ground is, and uneven on a scale of a quarter of the photo. Ours:
    RESIDE takes depth from sensors or estimates it.
    """
    ground = torch.linspace(1, 0, height)[:, None].expand(1, 1, height, width)
    drawn = torch.rand(1, 1, _CELLS, _CELLS, generator=generator)
    uneven = F.interpolate(drawn, (height, width), mode="bicubic", align_corners=True)
    return (0.65 * ground + 0.35 * uneven).clamp(0, 1)


def random_haze(image: Tensor, generator: Generator) -> Tensor:
    """Haze on ``(B, 3, H, W)`` with scattering, airlight and a `typical_depth` drawn per photo."""
    hazy = []
    for photo in image.split(1):
        density = 0.6 + 1.2 * torch.rand((), generator=generator)
        airlight = 0.7 + 0.3 * torch.rand(3, generator=generator)
        depth = typical_depth(photo.shape[-2], photo.shape[-1], generator)
        hazy.append(haze(photo, depth, density, airlight))
    return torch.cat(hazy)
