"""Bilateral denoising: the mean of near pixels of like colour."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor

from enhance.operators.base import Parameter, Settings
from enhance.operators.batching import paired
from enhance.operators.denoising import BLEND_PARAMETERS, Denoiser

RADIUS = 4  # of the window, in pixels: two standard deviations at the default width


class Bilateral(Denoiser[None]):
    """kornia's bilateral filter on R, G, B; the range width is `k_r` times the noise.

    Weights are ``exp(-d^2 / (2 sigma_s^2)) exp(-|c|^2 / (2 sigma_r^2))`` for the distance ``d``
    in pixels and the Euclidean difference of colour ``c``, in a window of 9 by 9 pixels. The
    default denoises; ``strength=0`` is the identity.

    References:
        Tomasi and Manduchi, "Bilateral filtering for gray and color images", ICCV 1998.

    >>> photo = torch.rand(1, 3, 16, 16)
    >>> operator = Bilateral()
    >>> operator(photo, sigma_s=torch.tensor([1.0, 2.0])).shape
    torch.Size([2, 3, 16, 16])
    >>> torch.equal(operator(photo, strength=0.0), photo)
    True
    """

    name: ClassVar[str] = "bilateral"
    summary: ClassVar[str] = "denoising by the bilateral filter"
    parameters_spec: Mapping[str, Parameter] = {
        "sigma_s": Parameter(0.5, 4, 2, "width of the smoothing", unit="px", scale="log", levels=7),
        "k_r": Parameter(
            1, 10, 4, "difference of colour that counts, in stds of the noise", unit="std", levels=7
        ),
        **BLEND_PARAMETERS,
    }

    def prepare(self, image: Tensor, settings: Settings) -> None:
        """Nothing: every weight depends on the settings."""

    def denoise(self, image: Tensor, prepared: None, noise: Tensor, settings: Settings) -> Tensor:
        """Filter each image with each setting."""
        from kornia.filters import bilateral_blur

        shape, flat, (std, sigma_s, k_r) = paired(
            image, noise, settings["sigma_s"], settings["k_r"]
        )
        widths = torch.stack([sigma_s, sigma_s], dim=1)
        side = 2 * RADIUS + 1
        smooth = bilateral_blur(flat, (side, side), k_r * std, widths, "replicate", "l2")
        return smooth.reshape(*shape, *image.shape[1:])

    def halo(self, extent: tuple[int, int], settings: Settings | None = None) -> int:
        """Half the window."""
        return RADIUS
