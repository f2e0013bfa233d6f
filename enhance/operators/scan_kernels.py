"""Loops of the recursive filter, its adjoint and its distances, for a compiler.

Plain Python on NumPy arrays, a row or a column at a time; `enhance.operators.compiled` has Numba
translate them where it is installed. Each works on the rows or columns from `start` to `stop`
alone, so that threads can share a photo. A weight links two neighbours; ``squarings`` says how
often it is squared before use, since rates double from one iteration to the next.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray
Optional = Any  # an array, or None: what asks for it is then not even compiled


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


def adjoint_rows(
    grad: Array,
    weights: Array,
    before: Optional,
    after: Optional,
    middle: Optional,
    slope: Optional,
    squarings: int,
    rate: float,
    start: int,
    stop: int,
) -> None:
    """Adjoint of `scan_rows` from `before` to `after`: `grad` in place, `slope` added to.

    ``y = x + w (y' - x)`` with the pixel ``y'`` before it has ``dx = (1 - w) g``, passes
    ``w g`` on to ``y'``, and ``dw = g (y' - x)``; ``w = exp(-rate d)`` makes that
    ``dd = -rate w dw``, summed over channels in `slope` ``(H, W - 1)``. What lay between the
    two directions is filtered again in `middle` ``(C, H, W)``: it costs less than to keep it.
    The last four are None where no gradient of the weights is wanted: the filter is linear in
    the image.
    """
    channels, _, length = grad.shape
    one, scale = grad.dtype.type(1), grad.dtype.type(rate)
    if slope is not None:
        row = middle[0, start]  # no other thread's
    for r in range(start, stop):
        for c in range(channels):
            if slope is not None:
                y = before[c, r, 0]
                row[0] = y
            g = grad[c, r, 0]
            for n in range(length - 1):
                w = weights[r, n]
                for _ in range(squarings):
                    w *= w
                grad[c, r, n] = (one - w) * g
                if slope is not None:
                    slope[r, n] -= scale * w * g * (after[c, r, n + 1] - y)
                    y = (one - w) * before[c, r, n + 1] + w * y
                    row[n + 1] = y
                g = grad[c, r, n + 1] + w * g
            for n in range(length - 1, 0, -1):
                w = weights[r, n - 1]
                for _ in range(squarings):
                    w *= w
                grad[c, r, n] = (one - w) * g
                if slope is not None:
                    slope[r, n - 1] -= scale * w * g * (row[n - 1] - before[c, r, n])
                g = grad[c, r, n - 1] + w * g
            grad[c, r, 0] = g


def adjoint_columns(
    grad: Array,
    weights: Array,
    before: Optional,
    after: Optional,
    middle: Optional,
    slope: Optional,
    squarings: int,
    rate: float,
    start: int,
    stop: int,
) -> None:
    """Adjoint of `scan_columns`, as `adjoint_rows` is; `middle` keeps ``y' - x`` of each pixel."""
    channels, length, _ = grad.shape
    size, scale = stop - start, grad.dtype.type(rate)
    links = np.empty(size, grad.dtype)
    if slope is not None:
        last = np.empty((channels, size), grad.dtype)
        for c in range(channels):
            last[c] = before[c, 0, start:stop]
    for n in range(length - 1):
        links[:] = weights[n, start:stop]
        for _ in range(squarings):
            for k in range(size):
                links[k] *= links[k]
        for c in range(channels):
            here, below = grad[c, n, start:stop], grad[c, n + 1, start:stop]
            if slope is None:
                for k in range(size):
                    passed = links[k] * here[k]
                    here[k] -= passed
                    below[k] += passed
            else:
                x, y, z = before[c, n + 1, start:stop], last[c], after[c, n + 1, start:stop]
                step, total = middle[c, n + 1, start:stop], slope[n, start:stop]
                for k in range(size):
                    passed = links[k] * here[k]
                    here[k] -= passed
                    below[k] += passed
                    total[k] -= scale * passed * (z[k] - y[k])
                    difference = y[k] - x[k]
                    step[k] = difference
                    y[k] = x[k] + links[k] * difference
    for n in range(length - 1, 0, -1):
        links[:] = weights[n - 1, start:stop]
        for _ in range(squarings):
            for k in range(size):
                links[k] *= links[k]
        for c in range(channels):
            here, above = grad[c, n, start:stop], grad[c, n - 1, start:stop]
            if slope is None:
                for k in range(size):
                    passed = links[k] * here[k]
                    here[k] -= passed
                    above[k] += passed
            else:
                step, total = middle[c, n, start:stop], slope[n - 1, start:stop]
                for k in range(size):
                    passed = links[k] * here[k]
                    here[k] -= passed
                    above[k] += passed
                    total[k] -= scale * passed * step[k]


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
