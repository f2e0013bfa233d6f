"""Loops of the recursive filter and its distances, for a compiler.

Plain Python on NumPy arrays, a row or a column at a time; `enhance.operators.compiled` has Numba
translate them where it is installed. Each works on the rows or columns from `start` to `stop`
alone, so that threads can share a photo. A weight links two neighbours; ``squarings`` says how
often it is squared before use, since rates double from one iteration to the next.
"""

from __future__ import annotations

import numpy as np

Array = np.ndarray


def scan_rows(
    source: Array, target: Array, weights: Array, squarings: int, start: int, stop: int
) -> None:
    """Filter rows of `source` ``(C, H, W)`` both ways into `target`, which may be `source`.

    Four rows at once: each waits for its own last pixel, so one alone leaves the processor idle.
    Past the end the last row is taken again, which is harmless: all four are read, then written.
    """
    channels, _, length = source.shape
    one = source.dtype.type(1)
    for first in range(start, stop, 4):
        r0, r1 = first, min(first + 1, stop - 1)
        r2, r3 = min(first + 2, stop - 1), min(first + 3, stop - 1)
        for c in range(channels):
            y0, y1, y2, y3 = source[c, r0, 0], source[c, r1, 0], source[c, r2, 0], source[c, r3, 0]
            target[c, r0, 0], target[c, r1, 0] = y0, y1
            target[c, r2, 0], target[c, r3, 0] = y2, y3
            for n in range(1, length):
                w0, w1 = weights[r0, n - 1], weights[r1, n - 1]
                w2, w3 = weights[r2, n - 1], weights[r3, n - 1]
                for _ in range(squarings):
                    w0, w1, w2, w3 = w0 * w0, w1 * w1, w2 * w2, w3 * w3
                y0 = (one - w0) * source[c, r0, n] + w0 * y0
                y1 = (one - w1) * source[c, r1, n] + w1 * y1
                y2 = (one - w2) * source[c, r2, n] + w2 * y2
                y3 = (one - w3) * source[c, r3, n] + w3 * y3
                target[c, r0, n], target[c, r1, n] = y0, y1
                target[c, r2, n], target[c, r3, n] = y2, y3
            for n in range(length - 2, -1, -1):
                w0, w1 = weights[r0, n], weights[r1, n]
                w2, w3 = weights[r2, n], weights[r3, n]
                for _ in range(squarings):
                    w0, w1, w2, w3 = w0 * w0, w1 * w1, w2 * w2, w3 * w3
                y0 = (one - w0) * target[c, r0, n] + w0 * y0
                y1 = (one - w1) * target[c, r1, n] + w1 * y1
                y2 = (one - w2) * target[c, r2, n] + w2 * y2
                y3 = (one - w3) * target[c, r3, n] + w3 * y3
                target[c, r0, n], target[c, r1, n] = y0, y1
                target[c, r2, n], target[c, r3, n] = y2, y3


def scan_columns(
    source: Array, target: Array, weights: Array, squarings: int, start: int, stop: int
) -> None:
    """Filter columns of `source` ``(C, H, W)`` both ways into `target`, which may be `source`.

    A row at a time, so that memory is read as it lies. What a loop reads and writes are rows of
    their own that do not overlap: only then does the compiler work on many pixels at once. Hence
    the copy of the last row on the way down, where `target` may be `source`.
    """
    channels, length, _ = source.shape
    links = np.empty(stop - start, source.dtype)
    last = np.empty((channels, stop - start), source.dtype)
    for c in range(channels):
        last[c] = source[c, 0, start:stop]
        target[c, 0, start:stop] = last[c]
    for n in range(1, length):
        links[:] = weights[n - 1, start:stop]
        for _ in range(squarings):
            for k in range(stop - start):
                links[k] *= links[k]
        for c in range(channels):
            x, y = source[c, n, start:stop], last[c]
            for k in range(stop - start):
                y[k] = x[k] + links[k] * (y[k] - x[k])
            target[c, n, start:stop] = y
    for n in range(length - 2, -1, -1):
        links[:] = weights[n, start:stop]
        for _ in range(squarings):
            for k in range(stop - start):
                links[k] *= links[k]
        for c in range(channels):
            x, y = target[c, n, start:stop], target[c, n + 1, start:stop]
            for k in range(stop - start):
                x[k] += links[k] * (y[k] - x[k])


def steps(guide: Array, across: Array, down: Array, start: int, stop: int) -> None:
    """Differences of neighbours in rows of `guide` ``(C, H, W)``, summed over channels.

    `across` is ``(H, W - 1)``; row ``r`` of `down` ``(H - 1, W)`` leads to the row below.
    """
    channels, height, width = guide.shape
    for r in range(start, stop):
        total = across[r]
        total[:] = 0
        for c in range(channels):
            here, right = guide[c, r], guide[c, r, 1:]
            for k in range(width - 1):
                total[k] += abs(right[k] - here[k])
        if r < height - 1:
            total = down[r]
            total[:] = 0
            for c in range(channels):
                here, below = guide[c, r], guide[c, r + 1]
                for k in range(width):
                    total[k] += abs(below[k] - here[k])


def steps_adjoint(
    guide: Array, across: Array, down: Array, grad: Array, start: int, stop: int
) -> None:
    """Adjoint of `steps`: `across` and `down` hold gradients; rows of `grad` are added to."""
    channels, height, width = guide.shape
    for r in range(start, stop):
        for c in range(channels):
            here, right, total = guide[c, r], guide[c, r, 1:], grad[c, r]
            pull, next_total = across[r], grad[c, r, 1:]
            for k in range(width - 1):
                total[k] -= pull[k] * np.sign(right[k] - here[k])
            for k in range(width - 1):
                next_total[k] += pull[k] * np.sign(right[k] - here[k])
            if r < height - 1:
                below, pull = guide[c, r + 1], down[r]
                for k in range(width):
                    total[k] -= pull[k] * np.sign(below[k] - here[k])
            if r > 0:
                above, pull = guide[c, r - 1], down[r - 1]
                for k in range(width):
                    total[k] += pull[k] * np.sign(here[k] - above[k])
