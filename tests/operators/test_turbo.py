"""Turbo denoising: what it gains in dB, what it leaves alone, and how it reads the noise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from enhance.operators.luma import luma
from enhance.operators.noise import estimate_noise
from enhance.operators.turbo import NOISE_FLOOR, Turbo
from enhance.testing.images import photo

TURBO = Turbo()
SIGMAS = torch.tensor([1.0, 1.25, 1.75, 2.25, 3.0, 4.5, 6.0, 8.0])


def noisy(clean: Tensor, level: float, seed: int = 0) -> Tensor:
    """`clean` with white noise of this std, on a scale of 255, in each channel."""
    generator = torch.Generator().manual_seed(seed)
    return (clean + level / 255 * torch.randn(clean.shape, generator=generator)).clamp(0, 1)


def psnr(image: Tensor, clean: Tensor) -> Tensor:
    return -10 * torch.log10((image - clean).square().mean((-1, -2, -3)))


def photograph(name: str) -> Tensor:
    from skimage import data

    pixels = getattr(data, name)()[..., :3].copy()
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255


@pytest.mark.parametrize(
    ("name", "expected"),
    [("astronaut", 29.30), ("chelsea", 30.10), ("coffee", 28.54), ("rocket", 28.92)],
)
def test_psnr_at_noise_30_is_in_its_band(name: str, expected: float) -> None:
    """The best of eight widths, on noise that no clipping has shifted, from .2 dB below."""
    clean = photograph(name)
    generator = torch.Generator().manual_seed(0)
    dirty = clean + 30 / 255 * torch.randn(clean.shape, generator=generator)
    best = psnr(TURBO(dirty, sigma_s=SIGMAS), clean).max().item()
    assert expected - 0.2 < best < expected + 0.5


def test_texture_wants_less_smoothing() -> None:
    from skimage import data

    grass = torch.from_numpy(data.grass()[:256, :256].copy())[None, None].float() / 255
    clean = grass.expand(-1, 3, -1, -1)
    smooth = photograph("astronaut")[..., :256, :256]
    widths = [
        SIGMAS[psnr(TURBO(noisy(c, 30), sigma_s=SIGMAS), c).argmax()] for c in (clean, smooth)
    ]
    assert widths[0] < widths[1]


@pytest.mark.parametrize(("level", "gain"), [(10, 4.0), (20, 6.0), (30, 7.5), (50, 8.5)])
def test_gain_on_kodak(shared: Path, level: int, gain: float) -> None:
    """The default settings, noise estimated, on four crops: at least this many dB gained."""
    gains = []
    for path in sorted((shared / "data" / "kodak24").glob("*.png"))[::6]:
        pixels = np.asarray(Image.open(path).convert("RGB"))[128:384, 256:512]
        clean = torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].float() / 255
        dirty = noisy(clean, level)
        gains.append((psnr(TURBO(dirty), clean) - psnr(dirty, clean)).item())
    assert len(gains) == 4
    assert sum(gains) / len(gains) > gain
    assert min(gains) > 0


@pytest.mark.parametrize("level", [2, 10, 30, 60])
def test_white_noise_is_read_within_two_percent(level: float) -> None:
    generator = torch.Generator().manual_seed(1)
    slope = torch.linspace(0.2, 0.8, 384).expand(256, -1)
    plane = slope + level / 255 * torch.randn(256, 384, generator=generator)
    assert estimate_noise(plane).item() * 255 == pytest.approx(level, rel=0.02)


@pytest.mark.parametrize("level", [10, 20, 30, 50])
def test_noise_of_a_photo_is_read_within_a_fifth(level: float) -> None:
    dirty = noisy(photograph("coffee"), level)
    expected = level * (0.299**2 + 0.587**2 + 0.114**2) ** 0.5  # luma averages the channels
    assert estimate_noise(luma(dirty)).item() * 255 == pytest.approx(expected, rel=0.2)


def test_noise_estimate_is_per_image_and_zero_where_none_shows() -> None:
    flat = torch.full((40, 40), 0.3)
    generator = torch.Generator().manual_seed(0)
    planes = torch.stack([flat, flat + 0.1 * torch.randn(40, 40, generator=generator)])
    estimate = estimate_noise(planes)
    assert estimate.shape == (2,)
    assert estimate[0] == 0
    assert estimate[1].item() == pytest.approx(0.1, rel=0.15)
    assert estimate_noise(torch.rand(3, 3)).item() == 0  # too small to tell


def test_noise_estimate_scales_with_the_plane() -> None:
    plane = torch.rand(64, 64, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(estimate_noise(plane * 3), estimate_noise(plane) * 3)


def test_clean_flats_stay_and_edges_stay() -> None:
    image = torch.full((1, 3, 24, 24), 0.3)
    image[..., 12:] = 0.7
    assert (TURBO(image, sigma_s=10.0) - image).abs().max() < 0.01


def test_strength_blends_with_the_photo() -> None:
    dirty = noisy(photo(32, 32), 20)
    full = TURBO(dirty)
    half = TURBO(dirty, strength=0.5)
    assert torch.equal(TURBO(dirty, strength=0.0), dirty)
    torch.testing.assert_close(half, (dirty + full) / 2, rtol=0, atol=1e-6)


def test_calibration_answers_once_for_all_crops() -> None:
    dirty = noisy(photo(48, 64), 25)
    settings = TURBO.complete({}, like=dirty)
    answered = TURBO.calibrate(dirty, settings)
    assert answered["sigma_n"].item() == pytest.approx(estimate_noise(luma(dirty)).item())
    whole = TURBO.render(TURBO.analyse(dirty, answered), answered)
    assert torch.equal(whole, TURBO(dirty))
    given = TURBO.complete({"sigma_n": 0.05}, like=dirty)
    assert TURBO.calibrate(dirty, given)["sigma_n"].item() == pytest.approx(0.05)
    still = TURBO.calibrate(torch.full((1, 3, 8, 8), 0.5), settings)
    assert still["sigma_n"].item() == pytest.approx(NOISE_FLOOR)


def test_more_noise_is_smoothed_more() -> None:
    dirty = noisy(photo(32, 32), 20)
    changes = [(TURBO(dirty, sigma_n=s) - dirty).abs().mean().item() for s in (0.002, 0.02, 0.1)]
    assert changes == sorted(changes)
    assert changes[0] < 0.7 * changes[2]
