"""Charts: axes hold what is drawn, and are labelled with round values."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from enhance.operators.base import Parameter
from enhance.report import charts
from enhance.tuning.curve import GainCurve
from enhance.tuning.gain import Gain

SMALL = st.floats(-1e3, 1e3).map(lambda value: round(value, 6))


@given(SMALL, st.floats(1e-4, 1e3), st.integers(2, 9))
@example(1.0, 401.0, 2)  # no multiple of 500 within
def test_ticks_are_round_even_and_within(low: float, width: float, most: int) -> None:
    high = low + width
    ticks = charts.nice_ticks(low, high, most)
    assert 1 <= len(ticks) <= most + 1
    slack = 1e-9 * max(1, abs(low), abs(high))
    assert all(low - slack <= tick <= high + slack for tick in ticks)
    steps = {round(b - a, 9) for a, b in pairwise(ticks)}
    if steps:
        assert max(steps) - min(steps) < 1e-6
        assert f"{max(steps):.3e}"[0] in "125"


def curve(scale: str, values: list[float], chosen: float) -> GainCurve:
    parameter = Parameter(values[0], values[-1], chosen, "", scale=scale)
    gains = [Gain(0.1 * i, 0.1 * i - 0.05, 0.1 * i + 0.2) for i in range(len(values))]
    return GainCurve("p", parameter, values, gains, chosen)


@pytest.mark.parametrize(("scale", "middle"), [("linear", 50.5), ("log", 10.0)])
def test_a_curve_lies_within_its_axes(scale: str, middle: float) -> None:
    drawn = curve(scale, [1.0, 10.0, 100.0], 10.0)
    low, high = charts.gain_range([drawn])
    assert (low, high) == (-0.05, pytest.approx(0.4))
    chart = charts.curve_chart(drawn, low, high)
    left, right = charts.LEFT, charts.WIDTH - charts.RIGHT
    top, bottom = charts.TOP, charts.HEIGHT - charts.BOTTOM
    for path in (chart.line, chart.band):
        for x, y in re.findall(r"([\d.]+),([\d.]+)", path):
            assert left <= float(x) <= right
            assert top <= float(y) <= bottom
    assert [tick.value for tick in chart.across] == pytest.approx([1, middle, 100])
    assert [tick.at for tick in chart.across] == [left, (left + right) / 2, right]
    if scale == "log":
        assert chart.chosen[0] == (left + right) / 2
    assert chart.zero == next(tick.at for tick in chart.up if tick.value == 0)


def test_a_curve_of_one_value_and_no_gain_can_be_drawn() -> None:
    flat = GainCurve("p", Parameter(1, 1, 1, ""), [1.0], [Gain(0, 0, 0)], 1.0)
    low, high = charts.gain_range([flat])
    assert low < 0 < high
    chart = charts.curve_chart(flat, low, high)
    assert len(chart.across) == 1
    assert charts.LEFT < chart.chosen[0] < charts.WIDTH
