"""Tiles cover a photo exactly once, and tiled equals whole."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from enhance.errors import ParameterError
from enhance.imaging.tiling import apply_tiled, tiles

sizes = st.integers(1, 40)


@given(height=sizes, width=sizes, size=st.integers(1, 17), halo=st.integers(0, 9))
def test_every_pixel_is_in_one_core_and_every_core_has_its_halo(
    height: int, width: int, size: int, halo: int
) -> None:
    covered = np.zeros((height, width), int)
    for tile in tiles(height, width, size=size, halo=halo):
        covered[tile.core] += 1
        for core, padded, limit in zip(tile.core, tile.padded, (height, width), strict=True):
            assert padded.start == max(core.start - halo, 0)
            assert padded.stop == min(core.stop + halo, limit)
            assert core.stop - core.start <= size
    assert (covered == 1).all()


@given(height=sizes, width=sizes, size=st.integers(1, 17), radius=st.integers(0, 4))
def test_tiled_equals_whole_when_the_halo_suffices(
    height: int, width: int, size: int, radius: int
) -> None:
    image = torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(1))

    def maximum(tile: torch.Tensor) -> torch.Tensor:
        return functional.max_pool2d(tile, 2 * radius + 1, stride=1, padding=radius)

    assert torch.equal(apply_tiled(maximum, image, halo=radius, size=size), maximum(image))


def test_a_halo_that_is_too_small_shows() -> None:
    image = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(1))

    def maximum(tile: torch.Tensor) -> torch.Tensor:
        return functional.max_pool2d(tile, 5, stride=1, padding=2)

    assert not torch.equal(apply_tiled(maximum, image, halo=1, size=8), maximum(image))


def test_no_tile_exceeds_its_size() -> None:
    seen = []
    apply_tiled(lambda t: seen.append(t.shape) or t, torch.zeros(1, 3, 50, 70), halo=3, size=16)
    assert max(max(shape[-2:]) for shape in seen) <= 16 + 2 * 3


def test_the_result_may_have_other_channels_and_dtype() -> None:
    result = apply_tiled(
        lambda t: t.mean(1, keepdim=True).double(), torch.ones(2, 3, 9, 9), halo=0, size=4
    )
    assert result.shape == (2, 1, 9, 9)
    assert result.dtype == torch.float64


@pytest.mark.parametrize(("size", "halo"), [(0, 1), (4, -1)])
def test_impossible_tiles_are_refused(size: int, halo: int) -> None:
    with pytest.raises(ParameterError, match=f"got size={size} and halo={halo}"):
        list(tiles(8, 8, size=size, halo=halo))
