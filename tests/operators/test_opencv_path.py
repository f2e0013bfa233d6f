"""OpenCV as the filter where no gradient is asked for: the same result, or None."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from enhance.operators import compiled, opencv
from enhance.operators.domain_transform import domain_transform


@pytest.fixture(autouse=True)
def without_compiled_loops(monkeypatch: pytest.MonkeyPatch) -> None:
    """They would be asked first."""
    monkeypatch.setattr(compiled, "_module", lambda: None)


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def by_torch(image: Tensor, guide: Tensor | None, *sigmas: float | Tensor, n: int = 3) -> Tensor:
    """The filter written in torch, which a gradient asks for."""
    return domain_transform(image.clone().requires_grad_(), guide, *sigmas, iterations=n).detach()


def by_opencv(image: Tensor, guide: Tensor, s: Tensor, r: Tensor, n: int = 3) -> Tensor:
    smoothed = opencv.smooth(image, guide, s, r, n)
    assert smoothed is not None
    return smoothed


@pytest.mark.parametrize("sigma_r", [2.0, 0.3, 0.01, 0.003, 1e-4])
@pytest.mark.parametrize("sigma_s", [1.0, 3.0, 40.0])
@pytest.mark.parametrize("n", [1, 3])
def test_equals_torch(sigma_s: float, sigma_r: float, n: int) -> None:
    """Also below the least sigma_r that OpenCV itself accepts."""
    image, guide = random(1, 3, 30, 41), random(1, 2, 30, 41, seed=1)
    for joint in (image, guide):
        seen = by_opencv(image, joint, torch.tensor([sigma_s]), torch.tensor([sigma_r]), n)
        expected = by_torch(image, joint, sigma_s, sigma_r, n=n)
        torch.testing.assert_close(seen, expected, rtol=0, atol=2e-6)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("guides", [1, 3])
def test_channels(channels: int, guides: int) -> None:
    image, guide = random(1, channels, 17, 23), random(1, guides, 17, 23, seed=1)
    seen = by_opencv(image, guide, torch.tensor([4.0]), torch.tensor([0.2]))
    torch.testing.assert_close(seen, by_torch(image, guide, 4.0, 0.2), rtol=0, atol=2e-6)


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (7, 1), (2, 2)])
def test_small_images(size: tuple[int, int]) -> None:
    image = random(1, 3, *size)
    torch.testing.assert_close(
        domain_transform(image, sigma_s=3.0, sigma_r=0.5),
        by_torch(image, None, 3.0, 0.5),
        rtol=0,
        atol=2e-6,
    )


def test_batches_of_settings_and_of_crops() -> None:
    whole = random(3, 3, 40, 50)
    crops = whole[..., 5:25, 7:33]  # not contiguous
    sigma_s, sigma_r = torch.tensor([1.0, 5.0, 20.0]), torch.tensor([0.004, 0.1, 1.0])
    for image in (crops, crops[:1]):
        expected = by_torch(image, None, sigma_s, sigma_r)
        seen = domain_transform(image, None, sigma_s, sigma_r)
        torch.testing.assert_close(seen, expected, rtol=0, atol=2e-6)


def test_left_to_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Doubles, many channels, narrow filters, and machines without OpenCV."""
    image = random(1, 3, 8, 9)
    one, fifth = torch.tensor([1.0]), torch.tensor([0.2])
    assert opencv.smooth(image.double(), image.double(), one, fifth, 3) is None
    assert opencv.smooth(random(1, 5, 8, 9), image, one, fifth, 3) is None
    assert opencv.smooth(image, image, 0.5 * one, fifth, 3) is None
    monkeypatch.setattr(opencv, "_module", lambda: None)
    assert opencv.smooth(image, image, one, fifth, 3) is None
    torch.testing.assert_close(
        domain_transform(image, sigma_s=3.0), by_torch(image, None, 3.0), rtol=0, atol=0
    )
