"""Non-local means: equals its formula written out, and denoises as scikit-image's does."""

from __future__ import annotations

import numpy as np
import torch
from skimage.metrics import peak_signal_noise_ratio
from skimage.restoration import denoise_nl_means
from torch import Tensor

from enhance.operators.nlm import CHANNEL, PATCH_RADIUS, SOFT, NonLocalMeans
from enhance.operators.noise import NOISE_FLOOR


def test_each_setting_searches_as_far_as_it_says(coffee: Tensor) -> None:
    crop = coffee[..., 30:46, 40:58]
    together = NonLocalMeans()(crop, search=torch.tensor([1, 3]), sigma_n=0.03)
    for search, rendered in zip((1, 3), together, strict=True):
        alone = NonLocalMeans()(crop, search=search, sigma_n=0.03)[0]
        torch.testing.assert_close(rendered, alone)
    assert not torch.equal(*together)


def written_out(image: np.ndarray, sigma: float, k_h: float, search: int) -> np.ndarray:
    """The filter on (H, W, 3), one pixel after another, where no window leaves the image."""
    margin = search + PATCH_RADIUS
    height, width = image.shape[:2]
    result = np.full_like(image, np.nan)
    for row, column in np.ndindex(height, width):
        if not (margin <= row < height - margin and margin <= column < width - margin):
            continue
        own = image[
            row - PATCH_RADIUS : row + PATCH_RADIUS + 1,
            column - PATCH_RADIUS : column + PATCH_RADIUS + 1,
        ]
        total, weights = image[row, column].copy(), 1.0
        for y, x in np.ndindex(2 * search + 1, 2 * search + 1):
            r, c = row + y - search, column + x - search
            if (r, c) == (row, column):
                continue
            other = image[
                r - PATCH_RADIUS : r + PATCH_RADIUS + 1, c - PATCH_RADIUS : c + PATCH_RADIUS + 1
            ]
            above = ((own - other) ** 2).mean() - 2 * sigma**2
            above = (above + np.hypot(above, SOFT * sigma**2)) / 2
            weight = np.exp(-above / (k_h * sigma) ** 2)
            total += weight * image[r, c]
            weights += weight
        result[row, column] = total / weights
    return result


def test_equals_the_formula_written_out(coffee: Tensor) -> None:
    crop = coffee[..., 30:46, 40:58].double()
    rendered = NonLocalMeans()(crop, k_h=0.9, search=3, sigma_n=0.03)[0].permute(1, 2, 0).numpy()
    sigma = CHANNEL * np.hypot(0.03, NOISE_FLOOR)
    expected = written_out(crop[0].permute(1, 2, 0).numpy(), sigma, 0.9, search=3)
    inside = ~np.isnan(expected)
    assert inside.sum() == 3 * 6 * 8
    np.testing.assert_allclose(rendered[inside], expected[inside], atol=1e-9)


def test_denoises_as_well_as_scikit_images(chelsea: Tensor) -> None:
    clean = chelsea[0].permute(1, 2, 0).double().numpy()
    sigma = 20 / 255
    noisy = np.clip(clean + sigma * np.random.default_rng(0).standard_normal(clean.shape), 0, 1)
    image = torch.from_numpy(noisy).permute(2, 0, 1)[None].float()

    def quality(result: np.ndarray) -> float:
        return peak_signal_noise_ratio(clean, result, data_range=1)

    strengths = torch.tensor([0.4, 0.6, 0.8])
    ours = NonLocalMeans()(image, k_h=strengths, sigma_n=sigma / CHANNEL)
    best = max(quality(one.permute(1, 2, 0).double().numpy()) for one in ours)
    peers = (
        denoise_nl_means(noisy, 5, 5, k * sigma, sigma=sigma, channel_axis=-1) for k in strengths
    )
    assert best > max(quality(np.clip(one, 0, 1)) for one in peers) - 0.1
    assert best > quality(noisy) + 5


def test_gradients_live_where_patches_differ_by_noise_alone() -> None:
    noise = 0.01 * torch.randn(1, 3, 9, 9, generator=torch.Generator().manual_seed(0))
    k_h = torch.tensor(1.0, requires_grad=True)
    rendered = NonLocalMeans()(0.5 + noise, k_h=k_h, search=2, sigma_n=0.02)
    (slope,) = torch.autograd.grad(rendered.std(), k_h)
    assert slope < 0  # a larger k_h smooths more


def test_how_far_is_searched_is_what_was_analysed(coffee: Tensor) -> None:
    crop, operator = coffee[..., 30:46, 40:58], NonLocalMeans()
    near, far = (operator.complete({"search": s, "sigma_n": 0.03}, like=crop) for s in (1, 3))
    rendered = operator.render(operator.analyse(crop, far), near)
    assert torch.equal(rendered, operator(crop, search=3, sigma_n=0.03))
