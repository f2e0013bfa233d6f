"""Random ways of shrinking a photo to the network's view, so that none of them matters.

A published NIMA changes its mind by .6 of a point with the resize filter alone; a scorer that
steers must not. Every training view is therefore drawn with its own filter, phase and crop.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Generator, Tensor

METHODS = ("nearest", "bilinear", "area", "bicubic", "plain")
"""Those that photos are drawn with."""


def resample(image: Tensor, size: int, method: str, phase: float = 0.5) -> Tensor:
    """Resize ``(B, 3, H, W)`` to ``(B, 3, size, size)``.

    Args:
        image: in [0, 1].
        size: side of the square view; the aspect ratio is not kept, as in NIMA.
        method: ``"nearest"`` (at `phase` of each cell), ``"bilinear"`` and ``"bicubic"``
            (antialiased), ``"area"``, ``"plain"`` (bilinear without antialiasing), or
            ``"lanczos"`` (Pillow's; no gradient).
        phase: where in each cell nearest sampling looks, in [0, 1).

    >>> resample(torch.rand(1, 3, 9, 7), 4, "nearest", 0.0).shape
    torch.Size([1, 3, 4, 4])
    """
    if method == "nearest":
        height, width = image.shape[-2:]
        steps = torch.arange(size, device=image.device) + phase
        y = (steps * height / size).long().clamp(max=height - 1)
        x = (steps * width / size).long().clamp(max=width - 1)
        return image[..., y[:, None], x]
    if method == "area":
        return F.adaptive_avg_pool2d(image, size)
    if method == "plain":
        return F.interpolate(image, (size, size), mode="bilinear", align_corners=False)
    if method == "lanczos":
        resized = _lanczos(image, size)
    else:
        resized = F.interpolate(image, (size, size), mode=method, antialias=True)
    return resized.clamp(0, 1)


def _lanczos(image: Tensor, size: int) -> Tensor:
    channels = image.flatten(0, 1).cpu().numpy()  # Pillow resizes floats one channel at a time
    small = [
        np.asarray(Image.fromarray(channel).resize((size, size), Image.Resampling.LANCZOS))
        for channel in channels
    ]
    return torch.from_numpy(np.stack(small)).to(image).reshape(*image.shape[:2], size, size)


def mirrored(image: Tensor, height: int, width: int) -> Tensor:
    """Continue ``(B, 3, H, W)`` by its mirror images, to the right and down.

    >>> mirrored(torch.rand(1, 3, 4, 4), 9, 6).shape
    torch.Size([1, 3, 9, 6])
    """

    def columns(length: int, wanted: int) -> Tensor:
        there = torch.arange(wanted) % (2 * length)
        return torch.minimum(there, 2 * length - 1 - there)

    rows = columns(image.shape[-2], height)
    return image[..., rows[:, None], columns(image.shape[-1], width)]


def random_crop_flip(image: Tensor, generator: Generator, smallest: float = 0.85) -> Tensor:
    """Cut one random rectangle of at least `smallest` of each side, mirrored half the time."""
    height, width = image.shape[-2:]
    share = smallest + (1 - smallest) * torch.rand(2, generator=generator)
    h, w = round(height * float(share[0])), round(width * float(share[1]))
    top = int(torch.randint(height - h + 1, (), generator=generator))
    left = int(torch.randint(width - w + 1, (), generator=generator))
    cut = image[..., top : top + h, left : left + w]
    return cut.flip(-1) if torch.rand((), generator=generator) < 0.5 else cut


def random_view(image: Tensor, size: int, generator: Generator) -> Tensor:
    """Resize with a method and phase drawn at random; photos of one call share them."""
    method = METHODS[int(torch.randint(len(METHODS), (), generator=generator))]
    phase = float(torch.rand((), generator=generator))
    return resample(image, size, method, phase)
