"""Noise of a colour sensor: drawn in the raw mosaic, developed with the photo.

A camera counts photons under one colour filter a pixel. Interpolating the mosaic smears the noise
over neighbours, white balance raises it in red and blue, and the tone curve in the dark: it is
neither white nor grey, and a scorer that has seen white noise alone takes it for texture.
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor
from torch.nn import functional

from scorers.photos.damage import to_linear

READ = 0.02
"""Noise that is there without light, as a share of the variance in full light."""
GAINS = ((1.0, 2.4), (1.0, 1.0), (1.0, 2.0))
"""Ranges of the white balance of red, green and blue."""


def sensor_noise(image: Tensor, generator: Generator) -> Tensor:
    """Noise of unit standard deviation for a photo ``(1, 3, H, W)`` in [0, 1].

    Its variance grows with the light (Foi et al., "Practical Poissonian-Gaussian noise modeling
    and fitting for single-image raw-data", IEEE TIP 2008); demosaicing is bilinear.

    >>> grey = torch.full((1, 3, 33, 32), 0.5)
    >>> noise = sensor_noise(grey, torch.Generator().manual_seed(0))
    >>> noise.shape, round(float(noise.std()), 3)
    (torch.Size([1, 3, 33, 32]), 1.0)
    """
    from kornia.color import CFA, raw_to_rgb, rgb_to_raw

    height, width = image.shape[-2:]
    even = functional.pad(image, (0, width % 2, 0, height % 2), "replicate")
    light = to_linear(even)
    low, high = image.new_tensor(GAINS).T[:, :, None, None]
    gains = low + (high - low) * torch.rand(3, 1, 1, generator=generator).to(image)
    mosaic = rgb_to_raw(light / gains, CFA.BG)
    shot = (mosaic + READ).sqrt() * torch.randn(mosaic.shape, generator=generator).to(image)
    developed = gains * raw_to_rgb(shot, CFA.BG)
    slope = light.clamp(min=0.003) ** (1 / 2.4 - 1)  # of the tone curve, up to a factor
    noise = (slope * developed)[..., :height, :width]
    return noise / noise.std().clamp(min=1e-6)
