"""8 bits of what is looked at."""

from __future__ import annotations

import numpy as np
import torch

from enhance.imaging.eight_bits import eight_bits


def test_levels_come_back_and_what_is_beyond_is_clipped() -> None:
    levels = np.arange(256 * 3, dtype=np.uint8).reshape(16, 16, 3)
    pixels = torch.from_numpy(levels).permute(2, 0, 1)[None] / 255
    assert np.array_equal(eight_bits(pixels), levels)
    assert np.array_equal(eight_bits(pixels.double().requires_grad_()), levels)
    beyond = torch.tensor([-0.5, 1.5, 300.0]).reshape(1, 3, 1, 1)
    assert eight_bits(beyond).flatten().tolist() == [0, 255, 255]
