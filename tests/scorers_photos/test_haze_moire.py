"""Haze and moire do what optics says."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from scorers.errors import InputError
from scorers.photos.haze import haze, random_haze, typical_depth
from scorers.photos.moire import demosaic, moire, screen


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_haze_is_nothing_at_depth_0_and_airlight_far_away(coffee: Tensor) -> None:
    airlight = torch.tensor([0.7, 0.8, 0.9])
    near, far = torch.zeros(1, 1, 96, 128), torch.full((1, 1, 96, 128), 100.0)
    assert torch.equal(haze(coffee, near, 1.0, airlight), coffee)
    veiled = haze(coffee, far, 1.0, airlight)
    torch.testing.assert_close(veiled, airlight.view(1, 3, 1, 1).expand_as(veiled))


def test_haze_halves_contrast_where_transmission_is_one_half() -> None:
    pair = torch.tensor([0.2, 0.6]).view(1, 1, 1, 2).expand(1, 3, 1, 2)
    depth = torch.full((1, 1, 1, 2), 2.0)
    hazy = haze(pair, depth, math.log(2) / 2, torch.ones(3))
    assert (hazy[..., 1] - hazy[..., 0]).unique().item() == pytest.approx(0.2, abs=1e-6)


def test_a_negative_depth_is_refused(coffee: Tensor) -> None:
    with pytest.raises(InputError, match="negative, got -1"):
        haze(coffee, torch.full((1, 1, 96, 128), -1.0), 1.0, torch.ones(3))


def test_random_haze_lowers_contrast_most_at_the_top(coffee: Tensor) -> None:
    hazy = random_haze(coffee, seeded())
    assert hazy.std() < coffee.std()
    assert bool(((hazy >= 0) & (hazy <= 1)).all())
    depth = torch.cat([typical_depth(64, 48, seeded(i)) for i in range(20)])
    assert depth[..., :16, :].mean() > depth[..., -16:, :].mean() + 0.3
    assert torch.equal(hazy, random_haze(coffee, seeded()))
    assert not torch.equal(hazy, random_haze(coffee, seeded(1)))


def test_a_screen_shows_each_colour_in_a_column_of_its_own() -> None:
    light = torch.rand(1, 3, 4, 5)
    lit = screen(light)
    assert bool(((lit > 0).sum(1) == 1).all())
    torch.testing.assert_close(torch.nn.functional.avg_pool2d(lit, 3), light)


def test_demosaicing_keeps_what_the_sensor_saw_and_flat_colour() -> None:
    from scorers.photos.moire import _bayer

    seen = _bayer(6, 8).float()
    flat = torch.tensor([0.2, 0.5, 0.7]).view(1, 3, 1, 1).expand(1, 3, 6, 8)
    torch.testing.assert_close(demosaic(flat * seen), flat.contiguous())
    raw = torch.rand(1, 3, 6, 8) * seen
    assert bool((demosaic(raw)[:, 1, 1:-1, 1:-1][seen[:, 1, 1:-1, 1:-1] > 0] > 0).all())


def test_moire_lays_waves_on_a_flat_photo_and_keeps_its_light() -> None:
    flat = torch.full((1, 3, 96, 96), 0.5)
    shot = moire(flat, seeded(3))
    assert shot.mean().item() == pytest.approx(0.5, abs=0.05)
    spectrum = torch.fft.rfft2(shot[0].mean(0) - shot.mean()).abs()
    # a few waves, not noise: they stand far above the rest
    assert spectrum.max() > 10 * spectrum.median()


def test_moire_stays_registered(astronaut: Tensor) -> None:
    from kornia.filters import gaussian_blur2d

    shot = moire(astronaut, seeded(1))
    smooth, wanted = (
        gaussian_blur2d(x, (13, 13), (3.0, 3.0)).mean(1)[0] for x in (shot, astronaut)
    )

    def error(shift: int) -> float:
        moved = smooth.roll(shift, -1)
        return float((moved - wanted)[12:-12, 12:-12].abs().mean())

    assert error(0) == min(error(shift) for shift in range(-4, 5))
    assert torch.equal(shot, moire(astronaut, seeded(1)))
