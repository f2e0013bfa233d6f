"""Unsharp masking: equals scikit-image's, leaves noise below its threshold and hues alone."""

from __future__ import annotations

import pytest
import torch
from skimage.filters import unsharp_mask
from torch import Tensor

from enhance.operators.luma import luma
from enhance.operators.unsharp import Unsharp


@pytest.mark.parametrize(("sigma", "amount"), [(1.0, 1.5), (2.5, 0.7), (1.5, -0.8)])
def test_equals_scikit_images_where_nothing_is_cored(
    coffee: Tensor, sigma: float, amount: float
) -> None:
    muted = (0.3 + 0.4 * coffee).double()
    rendered = luma(Unsharp()(muted, amount=amount, sigma=sigma, threshold=0.0))
    peer = unsharp_mask(luma(muted)[0].numpy(), radius=sigma, amount=amount)
    inside = slice(12, -12)  # scikit-image mirrors at the border, we repeat
    torch.testing.assert_close(
        rendered[0, inside, inside], torch.from_numpy(peer)[inside, inside], atol=2e-4, rtol=0
    )


def test_differences_below_the_threshold_are_left_alone() -> None:
    noise = torch.randn(1, 1, 48, 48, generator=torch.Generator().manual_seed(0))
    image = (0.5 + 0.002 * noise).expand(1, 3, 48, 48)
    cored = Unsharp()(image, amount=3.0, threshold=0.05)
    assert (cored - image).std() < 0.02 * image.std()
    assert Unsharp()(image, amount=3.0, threshold=0.0).std() > 2.5 * image.std()


def test_colour_keeps_its_ratio_at_an_edge() -> None:
    x = torch.linspace(-1, 1, 40, dtype=torch.float64)
    edge = torch.sigmoid(20 * x).expand(1, 1, 24, 40)
    image = edge * torch.tensor([0.6, 0.4, 0.2]).reshape(1, 3, 1, 1) + 0.15
    rendered = Unsharp()(image, amount=1.0, sigma=2.0)
    ratio = (rendered + 0.01) / (image + 0.01)
    assert (ratio.amax(1) - ratio.amin(1)).max() < 1e-9
    assert luma(rendered).max() > luma(image).max() + 0.01


def test_sigma_is_relative_to_large_photos(coffee: Tensor) -> None:
    as_crop = Unsharp()(coffee, extent=(1024, 1024), amount=1.0, sigma=1.0)
    # the window is longer on the larger photo, by tails of the Gaussian that are all but zero
    torch.testing.assert_close(as_crop, Unsharp()(coffee, amount=1.0, sigma=2.0))
