"""The recursive domain transform against OpenCV, a chunked scan, a dense solve and its limits."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from enhance.errors import ImageError, ParameterError
from enhance.operators import compiled, opencv
from enhance.operators.domain_transform import DomainTransform, domain_transform


@pytest.fixture(autouse=True, params=["torch", "compiled"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The filter written in torch and the compiled one, also where OpenCV would be asked."""
    monkeypatch.setattr(opencv, "_module", lambda: None)
    if request.param == "torch":
        monkeypatch.setattr(compiled, "_module", lambda: None)
    else:
        pytest.importorskip("numba")


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def reference(image: Tensor, guide: Tensor, sigma_s: float, sigma_r: float, scan: object) -> Tensor:
    """The paper's algorithm on ``(C, H, W)``, with any one-directional filter of lines."""
    for i in range(1, 4):
        sigma = sigma_s * math.sqrt(3) * 2 ** (3 - i) / math.sqrt(4**3 - 1)
        a = math.exp(-math.sqrt(2) / sigma)
        for axis in (-1, -2):
            d = 1 + sigma_s / sigma_r * guide.diff(dim=axis).abs().sum(0)
            lines, weights = image.movedim(axis, 0), (a**d).movedim(axis, 0)
            lines = scan(lines, weights)  # type: ignore[operator]
            lines = scan(lines.flip(0), weights.flip(0)).flip(0)  # type: ignore[operator]
            image = lines.movedim(0, axis)
    return image


def by_loop(lines: Tensor, weights: Tensor) -> Tensor:
    rows = [lines[0]]
    for x, w in zip(lines[1:], weights, strict=True):
        rows.append(x + w * (rows[-1] - x))
    return torch.stack(rows)


def by_chunks(lines: Tensor, weights: Tensor, size: int = 4) -> Tensor:
    """Each chunk from rest, then what the chunk before hands over, times the product of weights."""
    weights = torch.cat([torch.zeros_like(weights[:1]), weights])
    done: list[Tensor] = []
    for start in range(0, len(lines), size):
        x, w = lines[start : start + size], weights[start : start + size]
        local = [(1 - w[0]) * x[0]]
        for n in range(1, len(x)):
            local.append((1 - w[n]) * x[n] + w[n] * local[-1])
        carry = done[-1] if done else torch.zeros_like(x[0])
        products = w.cumprod(0)
        done.extend(y + p * carry for y, p in zip(local, products, strict=True))
    return torch.stack(done)


def by_solve(lines: Tensor, weights: Tensor) -> Tensor:
    """``(I - shift w) y = (1 - w) x`` with ``w[0] = 0``, one dense triangular system a line."""
    length, _, count = lines.shape
    solved = torch.empty_like(lines)
    for line in range(count):
        w = torch.cat([torch.zeros(1).to(weights), weights[:, line]])
        system = torch.eye(length).to(weights) - torch.diag(w[1:], -1)
        right = (1 - w)[:, None] * lines[:, :, line]
        solved[:, :, line] = torch.linalg.solve_triangular(system, right, upper=False)
    return solved


@pytest.mark.parametrize(
    ("sigma_s", "sigma_r", "iterations"),
    [(5, 0.1, 3), (20, 0.3, 3), (60, 0.4, 3), (2, 0.05, 3), (10, 1.0, 2), (40, 0.2, 1)],
)
def test_equals_opencv(coffee: Tensor, sigma_s: float, sigma_r: float, iterations: int) -> None:
    pixels = np.ascontiguousarray(coffee[0].permute(1, 2, 0).numpy())
    expected = cv2.ximgproc.dtFilter(
        pixels, pixels, sigma_s, sigma_r, mode=cv2.ximgproc.DTF_RF, numIters=iterations
    )
    seen = domain_transform(coffee, None, sigma_s, sigma_r, iterations)[0].permute(1, 2, 0)
    assert np.abs(seen.numpy() - expected).max() < 1e-5


def test_equals_opencv_with_another_guide(coffee: Tensor) -> None:
    guide = coffee.flip(-1)[:, :1].contiguous()
    pixels = np.ascontiguousarray(coffee[0].permute(1, 2, 0).numpy())
    expected = cv2.ximgproc.dtFilter(guide[0, 0].numpy(), pixels, 8, 0.2, mode=cv2.ximgproc.DTF_RF)
    seen = domain_transform(coffee, guide, 8.0, 0.2)[0].permute(1, 2, 0)
    assert np.abs(seen.numpy() - expected).max() < 1e-5


@pytest.mark.parametrize("scan", [by_loop, by_chunks, by_solve])
@pytest.mark.parametrize(("sigma_s", "sigma_r"), [(3.0, 0.3), (30.0, 2.0)])
def test_equals_three_other_ways_to_compute_it(
    scan: object, sigma_s: float, sigma_r: float
) -> None:
    image, guide = random(2, 7, 11), random(3, 7, 11, seed=1)
    expected = reference(image, guide, sigma_s, sigma_r, scan)
    seen = domain_transform(image[None], guide[None], sigma_s, sigma_r)[0]
    torch.testing.assert_close(seen, expected, rtol=0, atol=1e-12)


def test_gradients_to_image_guide_and_both_sigmas() -> None:
    image = random(2, 2, 5, 6).requires_grad_()
    guide = random(1, 1, 5, 6, seed=1).requires_grad_()
    sigma_s = torch.tensor([2.0, 5.0], dtype=torch.float64, requires_grad=True)
    sigma_r = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(domain_transform, (image, guide, sigma_s, sigma_r))


def test_gradient_where_the_image_is_its_own_guide() -> None:
    image = random(1, 2, 5, 6).requires_grad_()
    sigma_s = torch.tensor(4.0, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(
        lambda x, s: domain_transform(x, None, s, 0.4), (image, sigma_s)
    )


@pytest.mark.parametrize("channels", [1, 3])
def test_an_image_that_guides_itself_sums_both_gradients(channels: int) -> None:
    image = random(1, channels, 9, 14).requires_grad_()
    sigma_s = torch.tensor([2.0, 6.0], dtype=torch.float64, requires_grad=True)
    apart = [image.detach().clone().requires_grad_() for _ in range(2)]
    smoothed = domain_transform(*apart, sigma_s, 0.4)
    own, guide, expected_s = torch.autograd.grad(smoothed.square().sum(), [*apart, sigma_s])
    together = domain_transform(image, None, sigma_s, 0.4).square().sum()
    for keep in (True, False):  # a second backward pass finds what the first one found
        seen, seen_s = torch.autograd.grad(together, [image, sigma_s], retain_graph=keep)
        torch.testing.assert_close(seen, own + guide, rtol=1e-10, atol=1e-12)
        torch.testing.assert_close(seen_s, expected_s, rtol=1e-10, atol=1e-12)
    (alone,) = torch.autograd.grad(
        domain_transform(image.detach(), None, sigma_s, 0.4).square().sum(), sigma_s
    )
    torch.testing.assert_close(alone, expected_s, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("needed", range(4))
def test_each_gradient_alone_equals_all_together(needed: int) -> None:
    values = [
        random(1, 2, 5, 6),
        random(1, 1, 5, 6, seed=1),
        torch.tensor(3.0).double(),
        torch.tensor(0.3).double(),
    ]
    everything = [value.clone().requires_grad_() for value in values]
    expected = torch.autograd.grad(domain_transform(*everything).square().sum(), everything)
    values[needed].requires_grad_()
    (seen,) = torch.autograd.grad(domain_transform(*values).square().sum(), values[needed])
    torch.testing.assert_close(seen, expected[needed], rtol=1e-10, atol=1e-12)


@given(value=st.floats(-3, 3), sigma_s=st.floats(0.1, 200), sigma_r=st.floats(0.01, 10))
def test_constants_are_preserved(value: float, sigma_s: float, sigma_r: float) -> None:
    image = torch.full((1, 1, 6, 5), value, dtype=torch.float64)
    smoothed = domain_transform(image, random(1, 3, 6, 5), sigma_s, sigma_r)
    torch.testing.assert_close(smoothed, image, rtol=1e-12, atol=1e-12)


@given(seed=st.integers(0, 999), sigma_s=st.floats(0.1, 200), sigma_r=st.floats(0.01, 10))
def test_output_stays_in_the_range_of_the_input(seed: int, sigma_s: float, sigma_r: float) -> None:
    image = random(1, 2, 7, 6, seed=seed)
    smoothed = domain_transform(image, None, sigma_s, sigma_r)
    for channel in range(2):
        low, high = image[:, channel].min(), image[:, channel].max()
        assert smoothed[:, channel].min() >= low - 1e-12
        assert smoothed[:, channel].max() <= high + 1e-12


def test_an_impulse_sums_to_one() -> None:
    image = torch.zeros(1, 1, 161, 161, dtype=torch.float64)
    image[..., 80, 80] = 1
    flat = torch.full_like(image, 0.5)
    smoothed = domain_transform(image, flat, 4.0, 0.3)
    assert smoothed.sum().item() == pytest.approx(1, abs=1e-9)
    assert smoothed.min() >= 0


def test_sigma_is_the_standard_deviation_on_a_flat_guide() -> None:
    image = torch.zeros(1, 1, 1, 401, dtype=torch.float64)
    image[..., 200] = 1
    response = domain_transform(image, torch.zeros_like(image), 10.0, 1.0)[0, 0, 0]
    position = torch.arange(401).double() - 200
    assert (response * position**2).sum().sqrt().item() == pytest.approx(10, rel=0.1)


@pytest.mark.parametrize("sigmas", [(1e-3, 0.3), (20.0, 1e-7)])
def test_vanishing_sigmas_are_the_identity(sigmas: tuple[float, float]) -> None:
    image = random(1, 3, 8, 9)
    torch.testing.assert_close(domain_transform(image, None, *sigmas), image, rtol=0, atol=1e-6)


def test_edges_of_the_guide_are_kept() -> None:
    noise = random(1, 1, 24, 24) * 0.2
    step = (torch.arange(24) >= 12).double().expand(1, 1, 24, 24)
    smoothed = domain_transform(step + noise, step, 20.0, 0.1)
    left, right = smoothed[..., :12], smoothed[..., 12:]
    assert (right.mean() - left.mean()).item() == pytest.approx(1, abs=0.02)
    assert left.std() < 0.1 * noise[..., :12].std()


def test_a_batch_of_sigmas_equals_one_by_one() -> None:
    image = random(1, 3, 9, 8)
    sigma_s, sigma_r = torch.tensor([1.0, 4.0, 20.0]), torch.tensor([0.1, 0.4, 1.0])
    together = domain_transform(image, None, sigma_s, sigma_r)
    alone = [domain_transform(image, None, s, r) for s, r in zip(sigma_s, sigma_r, strict=True)]
    torch.testing.assert_close(together, torch.cat(alone), rtol=0, atol=1e-14)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_worked_on_in_float32(dtype: torch.dtype) -> None:
    image = random(1, 3, 16, 16).to(dtype)
    smoothed = domain_transform(image, None, 20.0, 0.5)
    assert smoothed.dtype == dtype
    assert torch.equal(smoothed, domain_transform(image.float(), None, 20.0, 0.5).to(dtype))


def test_the_module_is_the_function() -> None:
    image, guide = random(1, 3, 6, 7), random(1, 1, 6, 7, seed=1)
    module = DomainTransform(sigma_s=4.0, sigma_r=0.2, iterations=2)
    assert torch.equal(module(image, guide), domain_transform(image, guide, 4.0, 0.2, 2))


@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (1, 2, 1, 5), (1, 2, 5, 1)])
def test_lines_of_one_pixel(shape: tuple[int, ...]) -> None:
    image = random(*shape).requires_grad_()
    smoothed = domain_transform(image)
    assert smoothed.shape == shape
    smoothed.sum().backward()
    assert image.grad is not None


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"sigma_s": 0.0}, ParameterError, "sigma_s must be greater than 0, got 0"),
        ({"sigma_r": -1.0}, ParameterError, "sigma_r must be greater than 0, got -1"),
        ({"sigma_s": float("nan")}, ParameterError, "sigma_s must be greater than 0, got nan"),
        ({"iterations": 0}, ParameterError, "iterations must be a whole number, at least 1, got 0"),
        ({"iterations": 600}, ParameterError, "iterations must be at most 64, got 600"),
        ({"sigma_r": 1e-40}, ParameterError, "sigma_r must be at least 3e-39, got 1e-40"),
        ({"sigma_s": 1e-40}, ParameterError, "sigma_s must be at least 3e-39, got 1e-40"),
        ({"guide": torch.rand(1, 1, 4, 5)}, ImageError, "of one height and width"),
        ({"sigma_s": torch.ones(2, 3)}, ImageError, "must broadcast to one batch"),
        ({"sigma_s": torch.ones(3)}, ImageError, "must broadcast to one batch"),
    ],
)
def test_what_cannot_be_filtered_is_refused(
    arguments: dict[str, object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        domain_transform(torch.rand(2, 1, 4, 4), **arguments)  # type: ignore[arg-type]


def test_threads_and_blocks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    values = [random(2, 3, 9, 14), random(2, 1, 9, 14, seed=1), torch.tensor([2.0, 6.0]).double()]

    def run() -> list[Tensor]:
        inputs = [value.clone().requires_grad_() for value in values]
        smoothed = domain_transform(*inputs, 0.4)
        return [smoothed.detach(), *torch.autograd.grad(smoothed.square().sum(), inputs)]

    expected = run()
    monkeypatch.setattr("enhance.operators.recursive.BLOCK", 100)
    monkeypatch.setattr("enhance.operators.threads.SLAB", 100)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    for seen, result in zip(run(), expected, strict=True):
        torch.testing.assert_close(seen, result, rtol=0, atol=1e-13)
    with torch.inference_mode():
        inference = domain_transform(values[0], values[1], values[2], 0.4)
    torch.testing.assert_close(inference, expected[0], rtol=0, atol=1e-13)


def test_an_image_of_whole_numbers_is_refused_as_such() -> None:
    with pytest.raises(ImageError, match=r"image must be floating, got torch\.uint8"):
        domain_transform(torch.zeros(1, 3, 4, 4, dtype=torch.uint8))


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ({"iterations": 2.5}, "iterations must be a whole number, at least 1, got 2.5"),
        ({"sigma_s": "a"}, "sigma_s must be a number or a tensor, got 'a'"),
    ],
)
def test_what_is_no_number_is_named(options: dict, rule: str) -> None:
    with pytest.raises(ParameterError, match=rule):
        domain_transform(torch.rand(1, 3, 8, 8), **options)
    with pytest.raises(ImageError, match=r"got \(1, 3, 0, 5\)"):
        domain_transform(torch.rand(1, 3, 0, 5))
