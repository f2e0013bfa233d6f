"""Loops of the multi-layer Laplacian in float32, for `enhance.operators.compiled`.

The same as `enhance.operators.layers` and `enhance.operators.laplacian` write in torch, without
their temporaries. Each works on the rows from `start` to `stop` alone.
"""

from __future__ import annotations

import math

import numpy as np

from enhance.operators.affinity import ALPHA, LOG2_E, RADIUS
from enhance.operators.gamut import DARK, MARGIN

Array = np.ndarray
F = np.float32  # a number that is not float32 would have all that it meets be float64
ZERO, HALF, ONE, TWO = F(0), F(0.5), F(1), F(2)
LEAST = F(-126)  # exponent of the smallest normal number
SATURATED = F(80)  # argument beyond which a sigmoid is 0 or 1
TINY = F(1e-20)
A, LOG, DARKEST, BEND = F(ALPHA), F(LOG2_E), F(DARK), F(MARGIN)
# 2^f for |f| <= 1/2 by its series, to 1e-7: the compiler has no exponential for many at once
C1, C2, C3, C4, C5, C6 = (F(math.log(2) ** n / math.factorial(n)) for n in range(1, 7))


def split(
    luma: Array, base: Array, boost: Array, h: float, tau: float, step: int, start: int, stop: int
) -> None:
    """`layers.split` of one plane ``(H, W)`` with three levels: a pixel gathers from 24 others."""
    height, width = luma.shape
    gain1, gain2, gain4 = np.empty(width, F), np.empty(width, F), np.empty(width, F)
    unlike = np.empty(width, F)
    inverse, scale, limit = ONE / F(h), A * F(h), F(tau)
    for r in range(start, stop):
        gain1[:] = ZERO
        gain2[:] = ZERO
        gain4[:] = ZERO
        unlike[:] = ZERO
        for dy in range(-RADIUS, RADIUS + 1):
            other = r + dy * step
            if other < 0 or other >= height:
                continue
            for dx in range(-RADIUS, RADIUS + 1):
                right = dx * step
                first, last = max(0, -right), min(width, width - right)
                if last <= first or (dx == 0 and dy == 0):
                    continue
                here, there = luma[r, first:last], luma[other, first + right : last + right]
                g1, g2, g4 = gain1[first:last], gain2[first:last], gain4[first:last]
                u = unlike[first:last]
                for k in range(last - first):
                    d = (there[k] - here[k]) * inverse
                    t = max(-LOG * d * d, LEAST)
                    whole = np.floor(t + HALF)
                    f = t - whole
                    series = ONE + f * (C1 + f * (C2 + f * (C3 + f * (C4 + f * (C5 + f * C6)))))
                    power = np.int32((np.int32(whole) + 127) << 23)  # bits of 2^whole
                    affinity = series * power.view(F)
                    u[k] += ONE - affinity
                    g1[k] += affinity * d
                    affinity *= affinity
                    g2[k] += affinity * d
                    affinity *= affinity
                    g4[k] += affinity * d
        for k in range(width):
            base[r, k] = luma[r, k] + scale * gain1[k]
            limited = ZERO
            for z in (gain2[k] - gain1[k], gain4[k] - gain2[k], -gain4[k]):
                t = max(min(-z * scale * (TWO * LOG / limit), SATURATED), -SATURATED)
                whole = np.floor(t + HALF)
                f = t - whole
                series = ONE + f * (C1 + f * (C2 + f * (C3 + f * (C4 + f * (C5 + f * C6)))))
                power = np.int32((np.int32(whole) + 127) << 23)
                limited += ONE / (ONE + series * power.view(F)) - HALF
            boost[r, k] = limited * (TWO * limit * A) * unlike[k]


def render(
    image: Array,
    luma: Array,
    base: Array,
    boost: Array,
    target: Array,
    detail: float,
    lift: float,
    bend: float,
    saturation: float,
    start: int,
    stop: int,
) -> None:
    """`Laplacian.render` of one setting: `image` ``(3, H, W)`` into `target`."""
    width = luma.shape[1]
    gain, offset = np.empty(width, F), np.empty(width, F)
    amount, raised, curve, exponent = F(detail), F(lift), F(bend), F(saturation)
    for r in range(start, stop):
        for k in range(width):
            y, b = luma[r, k], base[r, k]
            bright = b / (ONE + curve * (ONE - b))
            light = ONE - bright
            toned = bright + (raised * bright) * (light * light * light)
            wanted = y + (toned - b) + amount * boost[r, k]
            ratio = (max(wanted, ZERO) + DARKEST) / (max(y, ZERO) + DARKEST)
            gain[k], offset[k] = ratio, wanted
        if exponent != ONE:
            for k in range(width):
                gain[k] = gain[k] ** exponent
        for k in range(width):
            offset[k] -= luma[r, k] * gain[k]
        for c in range(3):
            for k in range(width):
                x = image[c, r, k]
                wanted = x + (offset[k] + x * (gain[k] - ONE))
                # see gamut.within_range
                inner = min(max(wanted, min(x, BEND)), max(x, ONE - BEND))
                excess = wanted - inner
                room = inner if excess < ZERO else ONE - inner
                square, space = excess * excess, room * room
                root = np.sqrt(np.sqrt(square * square + space * space + TINY))
                target[c, r, k] = min(max(inner + excess * room / root, ZERO), ONE)
