"""Geometry of the page's charts, in the units of their SVG view boxes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from enhance.tuning.curve import GainCurve

WIDTH, HEIGHT = 320, 190
LEFT, RIGHT, TOP, BOTTOM = 46, 10, 10, 34
"""Margins of a curve's plot, which hold its labels."""


@dataclass(frozen=True)
class Tick:
    """A labelled place on an axis."""

    at: float
    value: float


@dataclass(frozen=True)
class CurveChart:
    """A gain curve, ready to be drawn.

    Attributes:
        curve: what is drawn.
        line, band: SVG paths of the gain and of its interval.
        across, up: ticks of the axes.
        zero: height of no gain.
        chosen: place of the chosen value, and height of its gain.
    """

    curve: GainCurve
    line: str
    band: str
    across: Sequence[Tick]
    up: Sequence[Tick]
    zero: float
    chosen: tuple[float, float]


def curve_chart(curve: GainCurve, low: float, high: float) -> CurveChart:
    """Lay out a curve on a gain axis from `low` to `high`, zero among them."""
    first, last = curve.values[0], curve.values[-1]
    log = curve.parameter.scale == "log"

    def x(value: float) -> float:
        if first == last:
            return LEFT + (WIDTH - LEFT - RIGHT) / 2
        share = (
            math.log(value / first) / math.log(last / first)
            if log
            else (value - first) / (last - first)
        )
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 2)

    def y(gain: float) -> float:
        return round(TOP + (high - gain) / (high - low) * (HEIGHT - TOP - BOTTOM), 2)

    places = [x(value) for value in curve.values]
    tops = [(at, y(gain.high)) for at, gain in zip(places, curve.gains, strict=True)]
    bottoms = [(at, y(gain.low)) for at, gain in zip(places, curve.gains, strict=True)]
    means = [(at, y(gain.mean)) for at, gain in zip(places, curve.gains, strict=True)]
    across = [first, math.sqrt(first * last) if log else (first + last) / 2, last]
    return CurveChart(
        curve,
        _path(means),
        _path([*tops, *reversed(bottoms)]) + "Z",
        [Tick(x(value), value) for value in sorted(set(across))],
        [Tick(y(value), value) for value in nice_ticks(low, high)],
        y(0),
        means[curve.values.index(curve.chosen)],
    )


def gain_range(curves: Sequence[GainCurve]) -> tuple[float, float]:
    """A gain axis that holds every curve with its interval, and zero."""
    gains = [gain for curve in curves for gain in curve.gains]
    low = min(0.0, *(gain.low for gain in gains))
    high = max(0.0, *(gain.high for gain in gains))
    return (low, high) if high > low else (low - 0.1, high + 0.1)


def nice_ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round values between two bounds, at most so many.

    >>> nice_ticks(-0.13, 0.42)
    [0.0, 0.2, 0.4]
    """
    step = finer = 10 ** math.floor(math.log10((high - low) / most))
    while (high - low) / step > most:
        finer, step = step, step * (2 if f"{step:e}"[0] in "15" else 2.5)
    # between bounds less than a step apart there may be no multiple of it, but of the finer one
    return _multiples(step, low, high) or _multiples(finer, low, high)


def _multiples(step: float, low: float, high: float) -> list[float]:
    count = range(math.ceil(low / step), math.floor(high / step) + 1)
    return [round(index * step, 12) + 0.0 for index in count]


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:g},{y:g}" for x, y in points)


@dataclass(frozen=True)
class Bars:
    """A histogram of opinions before and after: heights in [0, 1] of the tallest bar.

    Attributes:
        ratings: what each pair of bars stands for.
        before, after: shares of the opinions.
    """

    ratings: Sequence[float]
    before: Sequence[float]
    after: Sequence[float]

    @property
    def tallest(self) -> float:
        """The largest share."""
        return max(*self.before, *self.after)
