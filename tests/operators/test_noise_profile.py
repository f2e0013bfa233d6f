"""Noise read from photos: white, smeared, following the light, coloured, under texture."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from enhance.operators import noise
from enhance.operators.luma import WEIGHTS
from enhance.operators.noise import estimate_noise, noise_profile

HEIGHT, WIDTH = 192, 256


def white(seed: int = 0, channels: int = 3) -> Tensor:
    """Noise of unit std."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(1, channels, HEIGHT, WIDTH, generator=generator)


def scene() -> Tensor:
    """A slope from dark to bright, crossed by an edge, in three channels."""
    across = torch.linspace(0.25, 0.75, WIDTH).expand(HEIGHT, -1).clone()
    across[HEIGHT // 2 :] = across[HEIGHT // 2 :].flip(-1)
    return across.expand(1, 3, -1, -1)


def smeared(noise: Tensor) -> Tensor:
    """Noise blurred by a Gaussian of .8 px, as demosaicing and denoising leave it."""
    taps = torch.exp(-torch.arange(-3.0, 4.0).square() / (2 * 0.8**2))
    kernel = torch.outer(taps, taps)[None, None] / taps.sum() ** 2
    padded = functional.pad(noise, (3, 3, 3, 3), mode="circular")
    return functional.conv2d(padded.transpose(0, 1), kernel).transpose(0, 1)


@pytest.mark.parametrize("level", [0.01, 0.03, 0.08])
def test_white_noise(level: float) -> None:
    seen = noise_profile(scene() + level * white())
    of_luma = sum(weight**2 for weight in WEIGHTS) ** 0.5
    assert seen.level.item() == pytest.approx(level * of_luma, rel=0.05)
    assert seen.chroma.item() == pytest.approx(level * 1.0165, rel=0.07)
    assert seen.grain.item() == pytest.approx(1, abs=0.08)
    assert abs(seen.tilt.item()) < 0.2


def test_a_large_photo_is_read_at_squares_spread_over_it(monkeypatch: pytest.MonkeyPatch) -> None:
    noisy = functional.interpolate(scene(), scale_factor=8, mode="bilinear")
    generator = torch.Generator().manual_seed(2)
    noisy = noisy + 0.03 * torch.randn(noisy.shape, generator=generator)
    whole = noise_profile(noisy)
    seen: list[tuple[int, ...]] = []
    read = noise._of_one
    monkeypatch.setattr(noise, "_of_one", lambda photo: seen.append(photo.shape) or read(photo))
    monkeypatch.setattr(noise, "MAX_PIXELS", 1 << 20)
    part = noise_profile(noisy)
    (shape,) = seen
    assert (1 << 19) < shape[-1] * shape[-2] <= 1 << 20
    assert part.level.item() == pytest.approx(whole.level.item(), rel=0.03)
    assert part.chroma.item() == pytest.approx(whole.chroma.item(), rel=0.03)


def test_smeared_noise_is_read_at_its_level_and_as_coarser() -> None:
    noise = smeared(white(1)) * 0.1
    noisy = scene() + noise
    of_luma = (noise * torch.tensor(WEIGHTS)[:, None, None]).sum(1).std().item()
    seen = noise_profile(noisy)
    assert seen.level.item() == pytest.approx(of_luma, rel=0.15)
    assert seen.grain.item() > 1.3
    assert estimate_noise(noisy[:, 1]).item() < 0.5 * noise[:, 1].std().item()  # why there are two


@pytest.mark.parametrize("tilt", [-0.9, 0.9])
def test_noise_that_follows_the_light(tilt: float) -> None:
    clean = scene().repeat(1, 1, 2, 2)
    noise = torch.cat([torch.cat([white(n), white(n + 1)], -1) for n in (20, 22)], -2)
    seen = noise_profile(clean + 0.03 * torch.exp2(tilt * (clean - 0.5)) * noise)
    assert 0.4 < seen.tilt.item() / tilt < 1.2  # a line through four bins, shrunk towards none
    assert seen.level.item() == pytest.approx(0.03 * 0.6684, rel=0.06)


def test_colour_noise_is_not_taken_for_lumas() -> None:
    noise = white(3)
    noise = noise - (noise * torch.tensor(WEIGHTS)[:, None, None]).sum(1, keepdim=True)
    seen = noise_profile(scene() + 0.05 * noise)
    assert seen.level.item() < 0.002
    assert seen.chroma.item() == pytest.approx(0.05 * 1.0165, rel=0.07)


def test_texture_is_not_taken_for_noise() -> None:
    """Half the photo is texture ten times stronger than the noise of the other half."""
    texture = torch.zeros(1, 3, HEIGHT, WIDTH)
    texture[..., : WIDTH // 2] = 0.15 * smeared(white(4, 1))[..., : WIDTH // 2]
    noisy = scene() + texture + 0.01 * white(5)
    assert noise_profile(noisy).level.item() == pytest.approx(0.01 * 0.6684, rel=0.1)


def test_clipped_blocks_are_left_out() -> None:
    clean = scene().clone()
    clean[..., : WIDTH // 2] = 1.02
    noisy = (clean + 0.03 * white(6)).clamp(0, 1)
    assert noise_profile(noisy).level.item() == pytest.approx(0.03 * 0.6684, rel=0.1)


def test_photos_are_read_one_by_one() -> None:
    photos = torch.cat([scene() + level * white(7) for level in (0.01, 0.05)])
    together = noise_profile(photos)
    alone = noise_profile(photos[1:])
    assert together.level.shape == (2,)
    for name in ("level", "tilt", "grain", "chroma"):
        assert getattr(together, name)[1].item() == getattr(alone, name).item()


def test_small_and_noiseless_photos() -> None:
    small = noise_profile(0.5 + 0.1 * white(8)[..., :40, :40])
    assert small.level.item() == pytest.approx(0.1 * 0.6684, rel=0.15)
    assert (small.tilt.item(), small.grain.item()) == (0, 1)
    flat = noise_profile(torch.full((1, 3, 128, 128), 0.3))
    assert flat.level.item() < 1e-6
    assert noise_profile(torch.zeros(1, 3, 128, 128)).level.item() < 1e-6
    assert noise_profile(torch.rand(1, 3, 2, 3)).level.item() == 0


def test_texture_everywhere_is_told_from_noise_by_its_lack_of_colour() -> None:
    """Grey texture twice as strong as white noise: colour noise tells what luma's can be."""
    texture = 0.1 * smeared(white(9, 1))
    seen = noise_profile(scene() + texture + 0.03 * white(10))
    assert seen.level.item() == pytest.approx(0.03 * 0.6684, rel=0.15)


def test_grain_of_film_is_not_taken_for_texture() -> None:
    """The same noise in all channels has no colour at all."""
    seen = noise_profile(scene() + 0.03 * white(11, 1))
    assert seen.level.item() == pytest.approx(0.03, rel=0.08)
    assert seen.chroma.item() < 1e-6
