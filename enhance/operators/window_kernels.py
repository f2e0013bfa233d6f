"""Loops of `enhance.operators.windows` for a compiler: a line at a time, its window sliding along.

See `enhance.operators.scan_kernels` for how they are translated and shared among threads.
"""

from __future__ import annotations

import numpy as np

Array = np.ndarray


def normalised_rows(
    source: Array, places: Array, target: Array, reach: float, start: int, stop: int
) -> None:
    """Mean of the pixels within `reach` along rows of ``(C, H, W)``, whose `places` are given."""
    channels, _, length = source.shape
    sums = np.zeros((length + 1, channels))
    for r in range(start, stop):
        for n in range(length):
            for c in range(channels):
                sums[n + 1, c] = sums[n, c] + source[c, r, n]
        first, last = 0, 0
        for n in range(length):
            while places[r, first] < places[r, n] - reach:
                first += 1
            while last < length and places[r, last] <= places[r, n] + reach:
                last += 1
            share = 1 / (last - first)
            for c in range(channels):
                target[c, r, n] = (sums[last, c] - sums[first, c]) * share


def interpolated_rows(
    source: Array, places: Array, target: Array, reach: float, start: int, stop: int
) -> None:
    """Mean within `reach` of the line drawn through the pixels of a row; ends go on level."""
    channels, _, length = source.shape
    areas, slopes = np.zeros(length), np.zeros(length)
    for r in range(start, stop):
        for c in range(channels):
            for n in range(length - 1):
                step = places[r, n + 1] - places[r, n]
                rise = source[c, r, n + 1] - source[c, r, n]
                slopes[n] = rise / step
                areas[n + 1] = areas[n] + step * (source[c, r, n] + rise / 2)
            left, right = 0, 0  # the last pixels at or before the window's ends, or the first pixel
            for n in range(length):
                low, high = places[r, n] - reach, places[r, n] + reach
                while left < length - 2 and places[r, left + 1] <= low:
                    left += 1
                while right < length - 2 and places[r, right + 1] <= high:
                    right += 1
                total = 0.0
                for k, until, sign in ((right, high, 1), (left, low, -1)):
                    inside = min(max(until, places[r, 0]), places[r, length - 1])
                    offset = inside - places[r, k]
                    level = source[c, r, k] + offset * slopes[k]
                    area = areas[k] + offset * (source[c, r, k] + level) / 2
                    total += sign * (area + (until - inside) * level)
                target[c, r, n] = total / (2 * reach)
