"""Loops of the recursive filter's adjoint, for a compiler; see `enhance.operators.scan_kernels`."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray
Optional = Any  # an array, or None: what asks for it is then not even compiled
RUN = 16  # rows whose lines are filtered again at once


def adjoint_rows(
    grad: Array,
    weights: Array,
    before: Optional,
    after: Optional,
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
    two directions is filtered again: it costs less than to keep it. `before`, `after` and
    `slope` are None where no gradient of the weights is wanted: the filter is linear in the
    image.
    """
    channels, _, length = grad.shape
    one, scale = grad.dtype.type(1), grad.dtype.type(rate)
    if slope is not None:
        row = np.empty(length, grad.dtype)
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
    slope: Optional,
    squarings: int,
    rate: float,
    start: int,
    stop: int,
) -> None:
    """Adjoint of `scan_columns`, as `adjoint_rows` is.

    On the way back what the way down had left is needed in reverse: it is filtered again, a run
    of rows at a time, from rows noted on the way down.
    """
    channels, length, _ = grad.shape
    size, scale = stop - start, grad.dtype.type(rate)
    links = np.empty(size, grad.dtype)
    if slope is not None:
        last = np.empty((channels, size), grad.dtype)
        notes = np.empty((length // RUN + 1, channels, size), grad.dtype)
        steps = np.empty((RUN, channels, size), grad.dtype)
        for c in range(channels):
            last[c] = before[c, 0, start:stop]
    for n in range(length - 1):
        links[:] = weights[n, start:stop]
        for _ in range(squarings):
            for k in range(size):
                links[k] *= links[k]
        if slope is not None and n % RUN == 0:
            notes[n // RUN] = last
        for c in range(channels):
            here, below = grad[c, n, start:stop], grad[c, n + 1, start:stop]
            if slope is None:
                for k in range(size):
                    passed = links[k] * here[k]
                    here[k] -= passed
                    below[k] += passed
            else:
                x, y, z = before[c, n + 1, start:stop], last[c], after[c, n + 1, start:stop]
                total = slope[n, start:stop]
                for k in range(size):
                    passed = links[k] * here[k]
                    here[k] -= passed
                    below[k] += passed
                    total[k] -= scale * passed * (z[k] - y[k])
                    y[k] = x[k] + links[k] * (y[k] - x[k])
    for n in range(length - 1, 0, -1):
        if slope is not None and (n == length - 1 or n % RUN == 0):
            first = (n - 1) // RUN * RUN
            last[:] = notes[first // RUN]
            for m in range(first, n):
                links[:] = weights[m, start:stop]
                for _ in range(squarings):
                    for k in range(size):
                        links[k] *= links[k]
                for c in range(channels):
                    x, y, step = before[c, m + 1, start:stop], last[c], steps[m - first, c]
                    for k in range(size):
                        difference = y[k] - x[k]
                        step[k] = difference
                        y[k] = x[k] + links[k] * difference
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
                step, total = steps[(n - 1) % RUN, c], slope[n - 1, start:stop]
                for k in range(size):
                    passed = links[k] * here[k]
                    here[k] -= passed
                    above[k] += passed
                    total[k] -= scale * passed * step[k]
