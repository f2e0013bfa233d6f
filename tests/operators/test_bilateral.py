"""Bilateral: equals its formula written out, and takes off noise."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from enhance.operators.bilateral import RADIUS, Bilateral
from enhance.operators.noise import NOISE_FLOOR


def written_out(image: np.ndarray, sigma_s: float, sigma_r: float) -> np.ndarray:
    """The filter on (H, W, 3), one pixel after another."""
    padded = np.pad(image, ((RADIUS, RADIUS), (RADIUS, RADIUS), (0, 0)), mode="edge")
    y, x = np.mgrid[-RADIUS : RADIUS + 1, -RADIUS : RADIUS + 1]
    near = np.exp(-(x**2 + y**2) / (2 * sigma_s**2))
    result = np.empty_like(image)
    side = 2 * RADIUS + 1
    for row, column in np.ndindex(*image.shape[:2]):
        window = padded[row : row + side, column : column + side]
        alike = np.exp(-((window - image[row, column]) ** 2).sum(-1) / (2 * sigma_r**2))
        weights = (near * alike)[..., None]
        result[row, column] = (weights * window).sum((0, 1)) / weights.sum()
    return result


def test_equals_the_formula_written_out(coffee: Tensor) -> None:
    crop = coffee[..., 30:50, 40:64].double()
    rendered = Bilateral()(crop, sigma_s=1.5, k_r=3.0, sigma_n=0.04)
    sigma_r = 3 * np.hypot(0.04, NOISE_FLOOR)
    expected = written_out(crop[0].permute(1, 2, 0).numpy(), 1.5, sigma_r)
    np.testing.assert_allclose(rendered[0].permute(1, 2, 0).numpy(), expected, atol=1e-9)


def test_halves_the_noise_of_a_photo_and_keeps_its_edges(coffee: Tensor) -> None:
    noise = 0.06 * torch.randn(coffee.shape, generator=torch.Generator().manual_seed(0))
    noisy = (coffee + noise).clamp(0, 1)
    denoised = Bilateral()(noisy)
    assert (denoised - coffee).square().mean() < 0.4 * (noisy - coffee).square().mean()
    step = torch.where(torch.arange(24) < 12, 0.2, 0.8).expand(1, 3, 24, 24)
    assert (Bilateral()(step, sigma_n=0.02) - step).abs().max() < 1e-4


def test_noise_is_read_from_the_photo_unless_it_is_given(coffee: Tensor) -> None:
    operator = Bilateral()
    noise = 0.06 * torch.randn(coffee.shape, generator=torch.Generator().manual_seed(0))
    asked = operator.calibrate(coffee + noise, operator.complete({}))["sigma_n"]
    assert 0.03 < asked.item() < 0.055  # luma averages the channels: .06 * .67 = .04
    given = operator.calibrate(coffee, operator.complete({"sigma_n": 0.1}))["sigma_n"]
    assert given.item() == torch.tensor(0.1).item()
