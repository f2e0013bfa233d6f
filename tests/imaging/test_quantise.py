"""Levels: exact where nothing changed, unbiased in between."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from enhance.imaging.quantise import STRIP_ROWS, quantise, thresholds


@pytest.mark.parametrize(("levels", "dtype"), [(255, np.uint8), (65535, np.uint16)])
@pytest.mark.parametrize("dither", [True, False])
def test_every_level_comes_back_exactly(levels: int, dtype: type, dither: bool) -> None:
    expected = np.arange(levels + 1, dtype=dtype).reshape(-1, 64, 1)
    values = expected.astype(np.float32) / np.float32(levels)
    assert np.array_equal(quantise(values, levels=levels, dtype=dtype, dither=dither), expected)


@given(value=st.floats(0, 1, width=32))
def test_dither_keeps_the_local_mean_and_moves_less_than_a_level(value: float) -> None:
    flat = np.full((64, 64, 1), value, np.float32)
    result = quantise(flat, levels=255, dtype=np.uint8).astype(np.float64)
    assert np.abs(result - 255 * value).max() < 1 + 1e-3
    assert abs(result.mean() - 255 * value) < 0.01
    # in small blocks the mean is kept better than independent random thresholds would
    blocks = result.reshape(8, 8, 8, 8).mean((1, 3)) - 255 * value
    share = 255 * value % 1
    random = np.sqrt(share * (1 - share) / 64)
    assert np.sqrt((blocks**2).mean()) <= max(0.5 * random, 1 / 64)


def test_dither_breaks_the_bands_that_rounding_leaves() -> None:
    # a ramp of four levels over 256 px: rounding gives runs of about 64 px
    ramp = np.broadcast_to(np.linspace(0.5, 0.5 + 4 / 255, 256, dtype=np.float32), (32, 256))
    longest = {}
    for dither in (True, False):
        row = quantise(ramp[..., None], levels=255, dtype=np.uint8, dither=dither)[0, :, 0]
        changes = np.flatnonzero(np.diff(row.astype(int)))
        longest[dither] = np.diff(np.r_[-1, changes, 255]).max()
    assert longest[False] > 50
    assert longest[True] < 30


def test_dither_keeps_neutral_pixels_neutral(rng: np.random.Generator) -> None:
    grey = np.repeat(rng.random((9, 11, 1), np.float32), 3, -1)
    result = quantise(grey, levels=255, dtype=np.uint8)
    assert (result == result[..., :1]).all()


def test_strips_join_without_a_seam() -> None:
    whole = thresholds(range(STRIP_ROWS + 8), 16)
    parts = [
        thresholds(range(STRIP_ROWS), 16),
        thresholds(range(STRIP_ROWS, STRIP_ROWS + 8), 16),
    ]
    assert np.array_equal(whole, np.concatenate(parts))
    tall = np.full((STRIP_ROWS + 8, 16, 1), 0.3, np.float32)
    top = quantise(tall[:STRIP_ROWS], levels=255, dtype=np.uint8)
    assert np.array_equal(quantise(tall, levels=255, dtype=np.uint8)[:STRIP_ROWS], top)


def test_what_lies_outside_is_clipped() -> None:
    values = np.array([-1.0, 2.0], np.float32).reshape(1, 2, 1)
    assert quantise(values, levels=255, dtype=np.uint8).ravel().tolist() == [0, 255]
