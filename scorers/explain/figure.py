"""Attributions as pictures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from scorers.weights_file import replacing

if TYPE_CHECKING:
    from PIL import Image

_UP = (0.84, 0.19, 0.15)  # a red and a blue that colour-blind readers tell apart
_DOWN = (0.13, 0.40, 0.67)
_CAPTION = 14  # px
_GREY = (0.299, 0.587, 0.114)  # luma, ITU-R BT.601


def overlay(image: Tensor, heat: Tensor) -> Tensor:
    """Lay a signed map over a photo: red where positive, blue where negative.

    Args:
        image: ``(3, H, W)`` in [0, 1].
        heat: ``(h, w)``, averaged where it is finer than the photo; full colour at the 99th
            percentile of absolute values.

    Returns:
        ``(3, H, W)`` in [0, 1].

    >>> overlay(torch.rand(3, 6, 8), torch.randn(3, 4)).shape
    torch.Size([3, 6, 8])
    """
    size = (image.shape[-2], image.shape[-1])
    spread = F.interpolate(heat[None, None], size=size, mode="bilinear", antialias=True)[0]
    scale = spread.abs().flatten().quantile(0.99).clamp(min=torch.finfo(heat.dtype).tiny)
    strength = (spread.abs() / scale).clamp(max=1) * 0.85
    grey = (image * image.new_tensor(_GREY).view(3, 1, 1)).sum(0, keepdim=True)
    up, down = (image.new_tensor(colour).view(3, 1, 1) for colour in (_UP, _DOWN))
    return grey * (1 - strength) + torch.where(spread > 0, up, down) * strength


def sheet(panels: Mapping[str, Tensor]) -> Image.Image:
    """Photos of one size side by side, each ``(3, H, W)`` with its caption below."""
    from PIL import Image, ImageDraw

    height, width = next(iter(panels.values())).shape[-2:]
    page = Image.new("RGB", (width * len(panels), height + _CAPTION), "white")
    draw = ImageDraw.Draw(page)
    for index, (caption, panel) in enumerate(panels.items()):
        pixels = panel.clamp(0, 1).mul(255).round().byte().permute(1, 2, 0).cpu().numpy()
        page.paste(Image.fromarray(pixels), (index * width, 0))
        draw.text((index * width + 4, height + 1), caption, fill="black")
    return page


def save_page(page: Image.Image, path: Path) -> None:
    """Write a PNG, whole or not at all.

    Raises:
        WeightsError: the folder cannot be written.
    """
    with replacing(path) as part:
        page.save(part, "PNG")
