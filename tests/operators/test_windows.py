"""Normalised and interpolated convolution against OpenCV, their definitions and their limits."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from enhance.errors import ParameterError, UnknownNameError
from enhance.operators import compiled
from enhance.operators.domain_transform import DomainTransform, Mode, domain_transform

OPENCV = {"nc": cv2.ximgproc.DTF_NC, "ic": cv2.ximgproc.DTF_IC}


@pytest.fixture(autouse=True, params=["torch", "compiled"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "torch":
        monkeypatch.setattr(compiled, "_module", lambda: None)
    else:
        pytest.importorskip("numba")


@pytest.fixture(params=list(OPENCV))
def mode(request: pytest.FixtureRequest) -> Mode:
    chosen: Mode = request.param
    return chosen


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def by_opencv(image: Tensor, guide: Tensor, sigma_s: float, sigma_r: float, mode: Mode) -> Tensor:
    pixels, joint = (
        np.ascontiguousarray(planes[0].permute(1, 2, 0).numpy()) for planes in (image, guide)
    )
    filtered = cv2.ximgproc.dtFilter(joint, pixels, sigma_s, sigma_r, mode=OPENCV[mode], numIters=3)
    return torch.from_numpy(filtered.reshape(pixels.shape)).permute(2, 0, 1)[None]


def by_pixels(x: np.ndarray, t: np.ndarray, reach: float) -> np.ndarray:
    """Normalised convolution as it is defined: each pixel looks at all others."""
    inside = np.abs(t[:, None] - t) <= reach
    return inside @ x / inside.sum(1)


def by_quadrature(x: np.ndarray, t: np.ndarray, reach: float) -> np.ndarray:
    """Interpolated convolution as it is defined: trapezia between all corners in the window."""
    means = []
    for place in t:
        corners = t[(t > place - reach) & (t < place + reach)]
        points = np.concatenate([[place - reach], corners, [place + reach]])
        means.append(np.trapezoid(np.interp(points, t, x), points) / (2 * reach))
    return np.array(means)


def by_definition(
    image: Tensor, guide: Tensor, sigma_s: float, sigma_r: float, mode: Mode, iterations: int
) -> Tensor:
    average = {"nc": by_pixels, "ic": by_quadrature}[mode]
    lines, joint = image[0].numpy(), guide[0].numpy()
    for i in range(1, iterations + 1):
        sigma = sigma_s * math.sqrt(3) * 2 ** (iterations - i) / math.sqrt(4**iterations - 1)
        for _ in range(2):
            d = 1 + sigma_s / sigma_r * np.abs(np.diff(joint, axis=-1)).sum(0)
            t = np.concatenate([np.zeros_like(d[:, :1]), d.cumsum(-1)], axis=-1)
            rows = [
                [average(x, t[r], math.sqrt(3) * sigma) for r, x in enumerate(c)] for c in lines
            ]
            lines, joint = np.array(rows).swapaxes(-1, -2), joint.swapaxes(-1, -2)
    return torch.from_numpy(lines)[None]


@pytest.mark.parametrize(
    ("sigma_s", "sigma_r", "iterations"), [(3, 0.3, 3), (30, 2.0, 2), (0.4, 0.1, 3), (8, 0.5, 1)]
)
@pytest.mark.parametrize("guides", [1, 3])
def test_equals_its_definition(
    mode: Mode, sigma_s: float, sigma_r: float, iterations: int, guides: int
) -> None:
    image, guide = random(1, 2, 9, 14), random(1, guides, 9, 14, seed=1)
    expected = by_definition(image, guide, sigma_s, sigma_r, mode, iterations)
    seen = domain_transform(image, guide, sigma_s, sigma_r, iterations, mode)
    torch.testing.assert_close(seen, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("sigma_s", "sigma_r"), [(5, 0.1), (20, 0.3), (60, 0.4), (2, 0.5)])
def test_equals_opencv(coffee: Tensor, mode: Mode, sigma_s: float, sigma_r: float) -> None:
    """On short lines: OpenCV sums them in float32, and the longer they are, the more that loses."""
    image = coffee[..., 20:68, 40:96].contiguous()
    expected = by_opencv(image, image, sigma_s, sigma_r, mode)
    seen = domain_transform(image, None, sigma_s, sigma_r, mode=mode)
    assert (seen - expected).abs().max() < 1e-5


def test_on_long_lines_opencv_is_the_one_that_rounds(coffee: Tensor, mode: Mode) -> None:
    image = coffee.repeat(1, 1, 2, 6)
    exact = domain_transform(image.double(), None, 5.0, 0.1, mode=mode)
    seen = domain_transform(image, None, 5.0, 0.1, mode=mode)
    theirs = (by_opencv(image, image, 5.0, 0.1, mode) - exact).abs().max()
    assert (seen - exact).abs().max() < theirs / 10
    assert theirs < 2e-4


def test_constants_are_preserved_and_the_range_kept(mode: Mode) -> None:
    guide = random(1, 3, 6, 25)
    constant = torch.full((1, 1, 6, 25), -2.5, dtype=torch.float64)
    smoothed = domain_transform(constant, guide, 9.0, 0.7, mode=mode)
    torch.testing.assert_close(smoothed, constant, rtol=0, atol=1e-12)
    image = random(1, 1, 6, 25, seed=2)
    smoothed = domain_transform(image, guide, 9.0, 0.7, mode=mode)
    assert image.min() - 1e-12 <= smoothed.min()
    assert smoothed.max() <= image.max() + 1e-12


def test_sigma_is_the_standard_deviation_on_a_flat_guide(mode: Mode) -> None:
    image = torch.zeros(1, 1, 1, 401, dtype=torch.float64)
    image[..., 200] = 1
    response = domain_transform(image, torch.zeros_like(image), 20.0, 1.0, mode=mode)[0, 0, 0]
    position = torch.arange(401).double() - 200
    assert response.sum().item() == pytest.approx(1)
    assert (response * position**2).sum().sqrt().item() == pytest.approx(20, rel=0.03)


def test_a_vanishing_sigma_is_the_identity(mode: Mode) -> None:
    image = random(1, 3, 8, 9)
    for sigmas in ((1e-7, 0.3), (20.0, 1e-8)):
        smoothed = domain_transform(image, None, *sigmas, mode=mode)
        torch.testing.assert_close(smoothed, image, rtol=0, atol=1e-6)


def test_a_flip_is_a_flip(mode: Mode) -> None:
    """Unlike the recursive form, windows look both ways at once; rows still come first."""
    image = random(1, 3, 12, 17)
    flipped = domain_transform(image.flip(-1, -2), None, 4.0, 0.5, mode=mode).flip(-1, -2)
    expected = domain_transform(image, None, 4.0, 0.5, mode=mode)
    torch.testing.assert_close(flipped, expected, rtol=0, atol=1e-12)


def test_batches_of_settings_and_photos_equal_one_by_one(mode: Mode) -> None:
    image, guide = random(3, 2, 9, 8), random(1, 1, 9, 8, seed=1)
    sigma_s, sigma_r = torch.tensor([1.0, 4.0, 20.0]), torch.tensor([0.1, 0.4, 1.0])
    for photos in (image, image[:1]):
        together = domain_transform(photos, guide, sigma_s, sigma_r, mode=mode)
        for n, seen in enumerate(together):
            one = photos[n : n + 1] if len(photos) > 1 else photos
            alone = domain_transform(one, guide, sigma_s[n], sigma_r[n], mode=mode)[0]
            torch.testing.assert_close(seen, alone, rtol=0, atol=1e-14)


@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (1, 2, 1, 5), (1, 2, 5, 1)])
def test_lines_of_one_pixel(mode: Mode, shape: tuple[int, ...]) -> None:
    image = random(*shape)
    smoothed = domain_transform(image, sigma_s=1000.0, sigma_r=1e3, mode=mode)
    assert smoothed.shape == shape
    torch.testing.assert_close(
        smoothed, image.mean((-1, -2), keepdim=True).expand(shape), rtol=0, atol=0.3
    )


def test_half_precision_comes_back_as_it_came(mode: Mode) -> None:
    image = random(1, 3, 16, 16).half()
    smoothed = domain_transform(image, None, 20.0, 0.5, mode=mode)
    assert torch.equal(smoothed, domain_transform(image.float(), None, 20.0, 0.5, mode=mode).half())


def test_threads_and_blocks_do_not_show(monkeypatch: pytest.MonkeyPatch, mode: Mode) -> None:
    image = random(2, 3, 9, 14)
    expected = domain_transform(image, mode=mode)
    monkeypatch.setattr("enhance.operators.windows.BLOCK", 100)
    monkeypatch.setattr("enhance.operators.threads.SLAB", 100)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    with torch.inference_mode():
        assert torch.equal(domain_transform(image, mode=mode), expected)


def test_a_gradient_is_refused(mode: Mode) -> None:
    image, sigma_s = random(1, 1, 4, 5), torch.tensor(3.0, requires_grad=True)
    with pytest.raises(ParameterError, match=f'mode "{mode}" has no gradient') as caught:
        domain_transform(image, None, sigma_s, mode=mode)
    assert "\n" not in str(caught.value)
    with torch.no_grad():
        module = DomainTransform(sigma_s, mode=mode)
        assert torch.equal(module(image), domain_transform(image, None, 3.0, mode=mode))


def test_another_mode_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="unknown mode 'RF'"):
        domain_transform(random(1, 1, 4, 4), mode="RF")  # type: ignore[arg-type]
