"""How far a photo is from what it should be."""

from __future__ import annotations

from torch import Tensor

VISIBLE = 3.0
"""Mean CIEDE2000 from which an undamaged photo counts as changed."""


def ciede2000(image: Tensor, reference: Tensor) -> float:
    """Mean CIEDE2000 difference of two ``(1, 3, H, W)`` photos, seen as 8-bit files."""
    from skimage.color import deltaE_ciede2000, rgb2lab

    lab = [
        rgb2lab((t[0].permute(1, 2, 0).numpy() * 255).round().astype("uint8"))
        for t in (image, reference)
    ]
    return float(deltaE_ciede2000(*lab).mean())


def psnr(image: Tensor, clean: Tensor) -> float:
    """Peak signal to noise ratio in dB; infinite where both are equal."""
    return -10 * (image.clamp(0, 1) - clean).square().mean().log10().item()
