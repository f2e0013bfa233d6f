"""Local contrast: the public suite, and that each gain acts on its own scale."""

from __future__ import annotations

import pytest
import torch

from enhance.operators.local_contrast import SCALES, LocalContrast

PLAIN = LocalContrast()
EXTENT = (512, 512)


def wave(period: int) -> torch.Tensor:
    """Stripes of low contrast, ``(1, 3, 24, 192)``."""
    position = torch.arange(192.0)
    stripes = 0.5 + 0.03 * torch.sin(2 * torch.pi * position / period)
    return stripes.expand(1, 3, 24, -1)


@pytest.mark.parametrize(("name", "period"), [("fine", 4), ("medium", 14), ("coarse", 40)])
def test_each_gain_acts_most_on_stripes_of_its_own_scale(name: str, period: int) -> None:
    def gain(image: torch.Tensor, of: str) -> float:
        changed = PLAIN(image, extent=EXTENT, **{of: 2.0})
        return (changed.std() / image.std()).item()

    image = wave(period)
    gains = {of: gain(image, of) for of in SCALES}
    assert max(gains, key=lambda of: gains[of]) == name
    assert all(value > 0.999 for value in gains.values())


def test_minus_one_smooths() -> None:
    image = wave(4)
    assert PLAIN(image, extent=EXTENT, fine=-1.0).std() < image.std()


def test_an_edge_gets_no_halo() -> None:
    position = torch.arange(96) - 47.5
    step = (0.3 + 0.4 * torch.special.ndtr(position / 1.5)).expand(1, 3, 24, -1)
    enhanced = PLAIN(step, extent=EXTENT, fine=1.0, medium=1.0, coarse=1.0)
    overshoot = max(enhanced.max() - step.max(), step.min() - enhanced.min())
    assert overshoot < 0.03


def test_wide_windows_grow_with_the_photo() -> None:
    assert PLAIN.halo((512, 512)) == 2 * sum(SCALES.values())
    assert PLAIN.halo((2048, 512)) == 8 * sum(SCALES.values())
