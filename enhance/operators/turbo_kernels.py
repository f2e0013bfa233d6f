"""Loops of Turbo denoising for a compiler, a row at a time.

The same as `enhance.operators.turbo` writes in torch, without its temporaries. See
`enhance.operators.scan_kernels` for how loops are shared among threads.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from enhance.operators.luma import WEIGHTS

Array = np.ndarray
Optional = Any  # an array or None, as in `scan_kernels`


def split(image: Array, light: Array, chroma: Array, start: int, stop: int) -> None:
    """Luma ``(1, H, W)`` and B-Y, R-Y ``(2, H, W)`` of `image` ``(3, H, W)``."""
    kind = image.dtype.type
    first, second, third = kind(WEIGHTS[0]), kind(WEIGHTS[1]), kind(WEIGHTS[2])
    for r in range(start, stop):
        red, green, blue, y = image[0, r], image[1, r], image[2, r], light[0, r]
        for k in range(image.shape[2]):
            y[k] = first * red[k] + second * green[k] + third * blue[k]
        for c in range(2):
            x, difference = image[2 - 2 * c, r], chroma[c, r]
            for k in range(image.shape[2]):
                difference[k] = x[k] - y[k]


def window(
    plane: Array, smooth: Optional, target: Array, weights: Array, start: int, stop: int
) -> None:
    """Weighted sums along rows and columns into `target` ``(1, H, W)``, borders repeated.

    They are of `plane` ``(1, H, W)``; or, with what `smooth` left of a `plane` ``(C, H, W)``, of
    the mean square of the rest. Sums along the last rows wait in a ring until their columns are
    complete.
    """
    channels, height, width = plane.shape
    side, kind = len(weights), plane.dtype.type
    radius = side // 2
    line = np.empty(width + 2 * radius, plane.dtype)
    ring = np.empty((side, width), plane.dtype)
    inner = line[radius : radius + width]
    made = max(0, start - radius)
    for r in range(start, stop):
        for n in range(made, min(r + radius + 1, height)):
            if smooth is None:
                inner[:] = plane[0, n]
            else:
                inner[:] = 0
                for c in range(channels):
                    x, y = plane[c, n], smooth[c, n]
                    for k in range(width):
                        inner[k] += (x[k] - y[k]) * (x[k] - y[k]) / kind(channels)
            line[:radius] = inner[0]
            line[radius + width :] = inner[width - 1]
            total = ring[n % side]
            total[:] = 0
            for m in range(side):
                shifted, weight = line[m : m + width], weights[m]
                for k in range(width):
                    total[k] += weight * shifted[k]
        made = min(r + radius + 1, height)
        total = target[0, r]
        total[:] = 0
        for m in range(side):
            row = ring[min(max(r + m - radius, 0), height - 1) % side]
            weight = weights[m]
            for k in range(width):
                total[k] += weight * row[k]


def guide(blurred: Array, target: Array, tilt: float, start: int, stop: int) -> None:
    """Blurred luma on a scale on which its noise is the same at all brightnesses."""
    kind = blurred.dtype.type
    one, middle, slope = kind(1), kind(0.5), kind(np.log(2) * tilt)
    half, third, quarter = kind(1 / 2), kind(1 / 3), kind(1 / 4)
    fifth, sixth, seventh = kind(1 / 5), kind(1 / 6), kind(1 / 7)
    for r in range(start, stop):
        x, y = blurred[0, r], target[0, r]
        for k in range(blurred.shape[2]):
            centred = x[k] - middle
            b = -slope * centred
            # mean of exp from 0 to b; see `turbo._mean_of_exp`
            tail = one + fifth * b * (one + sixth * b * (one + seventh * b))
            mean = one + half * b * (one + third * b * (one + quarter * b * tail))
            y[k] = centred * mean


def variance(
    blurred: Array, target: Array, tilt: float, noise: float, start: int, stop: int
) -> None:
    """Variance of the noise, which grows with brightness."""
    kind = blurred.dtype.type
    middle, slope, square = kind(0.5), kind(2 * np.log(2) * tilt), kind(noise * noise)
    for r in range(start, stop):
        x, y = blurred[0, r], target[0, r]
        for k in range(blurred.shape[2]):
            y[k] = square * np.exp(slope * (x[k] - middle))


def blend(
    image: Array,
    light: Array,
    smooth_light: Array,
    chroma: Array,
    smooth_chroma: Array,
    light_energy: Array,
    chroma_energy: Array,
    variance: Array,
    target: Array,
    floor: float,
    strength: float,
    luma_share: float,
    chroma_share: float,
    start: int,
    stop: int,
) -> None:
    """`turbo._blend` of one setting: `image` ``(3, H, W)`` into `target`."""
    width, kind = image.shape[2], image.dtype.type
    zero, one, tiny = kind(0), kind(1), kind(1e-12)
    least, whole = kind(floor), kind(strength)
    share, colour_share = kind(luma_share), kind(chroma_share)
    first, second, third = kind(WEIGHTS[0]), kind(WEIGHTS[1]), kind(WEIGHTS[2])
    kept, new = np.empty(width, image.dtype), np.empty((3, width), image.dtype)
    red, green, blue = new[0], new[1], new[2]
    for r in range(start, stop):
        energy, noise = light_energy[0, r], variance[0, r]
        for k in range(width):
            kept[k] = max(energy[k] - noise[k], zero) / (energy[k] + tiny)
        x, y = light[0, r], smooth_light[0, r]
        for k in range(width):
            green[k] = x[k] + share * (y[k] + kept[k] * (x[k] - y[k]) - x[k])
        energy = chroma_energy[0, r]
        for k in range(width):
            kept[k] = max(energy[k] - least, zero) / (energy[k] + tiny)
        for c in range(2):
            x, y, total = chroma[c, r], smooth_chroma[c, r], new[2 - 2 * c]
            for k in range(width):
                total[k] = x[k] + colour_share * (y[k] + kept[k] * (x[k] - y[k]) - x[k])
            for k in range(width):
                total[k] += green[k]
        for k in range(width):
            green[k] = (green[k] - first * red[k] - third * blue[k]) / second
        for c in range(3):
            x, total, out = image[c, r], new[c], target[c, r]
            for k in range(width):
                out[k] = min(max(x[k] + whole * (total[k] - x[k]), zero), one)
