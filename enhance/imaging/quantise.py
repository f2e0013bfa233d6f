"""Floats to whole levels: dithered, so that smooth tones do not band, and exact at identity."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

STRIP_ROWS = 256  # bounds the temporaries on photos of 100 megapixels
ON_LEVEL = 1e-3  # of one level: rounding noise of float32 around k / 255 is far below


def thresholds(rows: range, width: int) -> NDArray[np.float32]:
    """Dither thresholds in (0, 1) for some rows of an image, shape ``(len(rows), width, 1)``.

    Interleaved gradient noise: nearly uniform in every small neighbourhood, like blue noise,
    and a plain function of the position, so the same photo always dithers alike and strips
    join without a seam.

    Source: Jimenez, *Next generation post processing in Call of Duty: Advanced Warfare*,
    SIGGRAPH 2014.
    """
    x = np.arange(width, dtype=np.float64)[None, :]
    y = np.arange(rows.start, rows.stop, dtype=np.float64)[:, None]
    noise = np.modf(52.9829189 * np.modf(0.06711056 * x + 0.00583715 * y)[0])[0]
    return np.clip(noise, 1e-6, 1 - 1e-6).astype(np.float32)[..., None]


def quantise(
    values: NDArray[np.float32],
    *,
    levels: int,
    dtype: type[np.unsignedinteger],
    dither: bool = True,
) -> NDArray[np.unsignedinteger]:
    """Map [0, 1] to the whole numbers 0..`levels`.

    A value that lies on a level (``k / levels`` in float32) comes back as that level, dithered
    or not; a value between two levels goes to one of them so that the local mean is kept.
    Channels share their threshold, so a neutral pixel stays neutral.

    Args:
        values: ``(H, W, C)`` in [0, 1]; what lies outside is clipped.
        levels: the largest whole number, 255 for 8 bits.
        dtype: unsigned integer type of the result.
        dither: False rounds to the nearest level.

    >>> quantise(np.full((1, 1, 1), 7 / 255, np.float32), levels=255, dtype=np.uint8).item()
    7
    """
    height, width, channels = values.shape
    result = np.empty((height, width, channels), dtype)
    for top in range(0, height, STRIP_ROWS):
        rows = range(top, min(top + STRIP_ROWS, height))
        scaled = np.clip(values[rows.start : rows.stop], 0, 1) * np.float32(levels)
        nearest = np.rint(scaled)
        if dither:
            floor = np.floor(scaled + thresholds(rows, width))
            nearest = np.where(np.abs(scaled - nearest) < ON_LEVEL, nearest, floor)
        result[rows.start : rows.stop] = nearest
    return result
