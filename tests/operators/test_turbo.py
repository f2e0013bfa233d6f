"""Turbo denoising: what it gains in dB, what it leaves alone, and how it reads the noise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from enhance.operators.luma import luma
from enhance.operators.noise import NOISE_FLOOR, estimate_noise, noise_profile
from enhance.operators.turbo import Turbo
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


def ramp() -> Tensor:
    """A grey slope over 160 columns, 96 rows."""
    return torch.linspace(0.3, 0.6, 160).expand(1, 3, 96, -1)


def test_slopes_stay_slopes() -> None:
    """No bands: averaged over rows, a denoised slope rises as steadily as the clean one."""
    tall = ramp().repeat(1, 1, 5, 1)  # so that the mean of the noise itself is small
    dirty = noisy(tall, 15)
    columns = TURBO(dirty).mean((0, 1, 2))[10:-10]
    clean = ramp().mean((0, 1, 2))[10:-10]
    assert (columns - clean).std() < 1.2 * (dirty - tall).mean((0, 1, 2)).std()
    rise = (columns[8:] - columns[:-8]) / (clean[8:] - clean[:-8])
    assert rise.min() > 0.5
    assert rise.max() < 1.5


def test_colour_does_not_bleed_where_luma_shows_no_edge() -> None:
    clean = torch.full((1, 3, 64, 96), 0.5)
    clean[:, 0, :, 48:] += 0.3
    clean[:, 1, :, 48:] -= 0.3 * 0.299 / 0.587
    assert (luma(clean)[..., 0] - luma(clean)[..., -1]).abs().max() < 1e-6
    dirty = noisy(clean, 8)
    near = slice(40, 56)
    error = (TURBO(dirty, sigma_s=4.0) - clean)[..., near]
    spoilt = (TURBO(dirty, sigma_s=4.0, sigma_c=0.5) - clean)[..., near]  # takes all for noise
    assert error.square().mean() < (dirty - clean)[..., near].square().mean()
    assert error.square().mean() < 0.3 * spoilt.square().mean()


def test_luma_and_colour_have_their_own_strengths() -> None:
    dirty = noisy(ramp(), 15) * 0.9 + 0.05
    grainy, coloured = TURBO(dirty, luma=0.0), TURBO(dirty, chroma=0.0)
    torch.testing.assert_close(luma(grainy), luma(dirty), rtol=0, atol=1e-5)
    assert luma(coloured).diff().std() < 0.7 * luma(dirty).diff().std()

    def difference(image: Tensor) -> Tensor:
        return image[:, 0] - luma(image)

    torch.testing.assert_close(difference(coloured), difference(dirty), rtol=0, atol=1e-5)
    assert difference(grainy).std() < 0.5 * difference(dirty).std()


def test_noise_that_follows_the_light_is_smoothed_evenly() -> None:
    """With the tilt known, what is left is the same share of the noise in dark and bright."""
    clean = torch.full((1, 3, 64, 128), 0.2)
    clean[..., 64:] = 0.8
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(clean.shape, generator=generator) * 0.04 * torch.exp2(-(clean - 0.5))
    level = 0.04 * 0.6684

    def left(tilt: float) -> Tensor:
        error = TURBO(clean + noise, sigma_n=level, tilt=tilt) - clean
        shares = [error[..., half].std() / noise[..., half].std() for half in (SMALL, LARGE)]
        return torch.stack(shares)

    even, uneven = left(-1.0), left(0.0)
    assert (even[0] / even[1]).log().abs() < 0.1
    assert (uneven[0] / uneven[1]).log().abs() > 0.2


SMALL, LARGE = slice(4, 56), slice(72, 124)


def test_smeared_noise_wants_its_grain() -> None:
    """Read from the photo, level and grain take more of smeared noise than white noise's do."""
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(1, 3, 98, 162, generator=generator)
    dirty = ramp() + 0.08 * torch.nn.functional.avg_pool2d(noise, 3, stride=1)
    asked = TURBO.calibrate(dirty, TURBO.complete({}, like=dirty))
    level = asked["sigma_n"].item()
    read, fine, white = (
        (TURBO(dirty, **setting) - ramp()).std()
        for setting in ({}, {"sigma_n": level}, {"sigma_n": estimate_noise(luma(dirty)).item()})
    )
    assert asked["grain"] > 1.3
    assert read < fine < white
    assert read < 0.6 * (dirty - ramp()).std()


def test_calibration_answers_all_that_belongs_together() -> None:
    dirty = noisy(ramp(), 15)
    asked = TURBO.calibrate(dirty, TURBO.complete({}, like=dirty))
    seen = noise_profile(dirty)
    for name, value in {
        "sigma_n": seen.level,
        "tilt": seen.tilt,
        "grain": seen.grain,
        "sigma_c": seen.chroma,
    }.items():
        torch.testing.assert_close(asked[name], value)
    again = TURBO.calibrate(photo(64, 64), asked)
    assert all(torch.equal(again[name], asked[name]) for name in asked)
    given = TURBO.calibrate(dirty, TURBO.complete({"sigma_n": 0.05, "tilt": 0.5}, like=dirty))
    assert given["tilt"].item() == 0.5
    # independent channels: var(B-Y) = 1.219, var(R-Y) = .848, var(Y) = .447
    assert given["sigma_c"].item() == pytest.approx(0.05 * (1.0335 / 0.4468) ** 0.5, rel=1e-3)
    kept = TURBO.calibrate(dirty, TURBO.complete({"sigma_c": 0.3}, like=dirty))
    assert kept["sigma_c"].item() == pytest.approx(0.3)
    assert kept["sigma_n"].item() == asked["sigma_n"].item()


def test_real_noise_is_lessened(shared: Path) -> None:
    """The defaults on crops of real pairs, for which no figure of the operator was chosen."""
    gains = []
    for path in sorted((shared / "data" / "polyu_real_noise").glob("*real.JPG"))[::20]:
        pair = [path, path.with_name(path.name.replace("real.JPG", "mean.JPG"))]
        crops = [np.asarray(Image.open(p).convert("RGB"))[128:384, 128:384] for p in pair]
        dirty, clean = (torch.from_numpy(c.copy()).permute(2, 0, 1)[None] / 255 for c in crops)
        gains.append((psnr(TURBO(dirty), clean) - psnr(dirty, clean)).item())
    assert len(gains) == 5
    assert min(gains) > 0
    assert sum(gains) / len(gains) > 0.8
