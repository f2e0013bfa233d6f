"""How photos are shrunk for training: every filter, and photos continued by their mirror images."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor

from scorers.photos.resampling import METHODS, mirrored, resample

ALL = (*METHODS, "lanczos")


@pytest.mark.parametrize("method", ALL)
def test_every_filter_keeps_a_constant_and_the_range(method: str) -> None:
    constant = torch.tensor([0.0, 0.3, 1.0]).view(1, 3, 1, 1).expand(2, 3, 31, 45)
    torch.testing.assert_close(resample(constant, 8, method), constant[..., :8, :8])
    noise = torch.rand(2, 3, 31, 45, generator=torch.Generator().manual_seed(0)).round()
    shrunk = resample(noise, 8, method)
    assert shrunk.shape == (2, 3, 8, 8)
    assert shrunk.dtype == noise.dtype
    assert 0 <= shrunk.min() <= shrunk.max() <= 1


@pytest.mark.parametrize("method", ALL)
def test_no_filter_moves_the_photo(method: str) -> None:
    ramp = torch.linspace(0, 1, 96).expand(1, 3, 96, 96)
    kept = resample(ramp, 24, method)[..., 4:-4]
    wanted = ramp.reshape(1, 3, 24, 4, 24, 4).mean((3, 5))[..., 4:-4]
    # nearest looks at one of four pixels: up to half a pixel of 96 beside the middle of its cell
    torch.testing.assert_close(kept, wanted, atol=0.51 / 95, rtol=0)


def test_lanczos_is_pillows_without_rounding(coffee: Tensor) -> None:
    levels = (0.2 + 0.6 * coffee).mul(255).round()  # whose overshoot is within the range
    image = Image.fromarray(levels[0].permute(1, 2, 0).byte().numpy())
    small = np.array(image.resize((40, 40), Image.Resampling.LANCZOS), dtype=np.float32)
    ours = resample(levels / 255, 40, "lanczos")[0].permute(1, 2, 0).mul(255).numpy()
    # Pillow rounds after each of its two passes over an 8-bit photo
    assert np.abs(ours - small).max() <= 1.2


@given(
    st.integers(1, 6), st.integers(1, 6), st.integers(0, 20), st.integers(0, 20), st.integers(0, 99)
)
def test_mirrored_is_symmetric_padding(
    height: int, width: int, below: int, right: int, seed: int
) -> None:
    photo = torch.rand(2, 3, height, width, generator=torch.Generator().manual_seed(seed))
    padded = np.pad(photo.numpy(), ((0, 0), (0, 0), (0, below), (0, right)), mode="symmetric")
    continued = mirrored(photo, height + below, width + right)
    np.testing.assert_array_equal(continued.numpy(), padded)
