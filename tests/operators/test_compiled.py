"""Compiled loops against the same operators in torch, values and gradients; and doing without."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from enhance.operators import compiled, opencv
from enhance.operators.adjoint_kernels import RUN
from enhance.operators.domain_transform import domain_transform
from enhance.operators.laplacian import Laplacian
from enhance.operators.turbo import Turbo

DTYPES = {torch.float32: 1e-6, torch.float64: 1e-12}


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def both_ways(
    monkeypatch: pytest.MonkeyPatch, run: Callable[..., Tensor], values: list[Tensor]
) -> list[list[Tensor]]:
    """Result and gradients to all values: compiled, then in torch."""
    pytest.importorskip("numba")
    ways = []
    for module in (compiled._module, lambda: None):
        monkeypatch.setattr(compiled, "_module", module)
        inputs = [value.clone().requires_grad_() for value in values]
        result = run(*inputs)
        weights = torch.linspace(-1, 1, result.numel(), dtype=result.dtype)
        gradients = torch.autograd.grad((weights.reshape(result.shape) * result).mean(), inputs)
        ways.append([result.detach(), *gradients])
    return ways


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("channels", "guides"), [(3, 3), (1, 3), (5, 1)])
def test_domain_transform(
    monkeypatch: pytest.MonkeyPatch, dtype: torch.dtype, channels: int, guides: int
) -> None:
    images = random(2, channels, 23, 31), random(1, guides, 23, 31, seed=1)
    sigmas = torch.tensor([1.5, 20.0]), torch.tensor([0.1, 0.6])
    values = [value.to(dtype) for value in (*images, *sigmas)]
    for seen, expected in zip(*both_ways(monkeypatch, domain_transform, values), strict=True):
        torch.testing.assert_close(seen, expected, rtol=0, atol=DTYPES[dtype])


@pytest.mark.parametrize("height", [RUN, RUN + 1, 2 * RUN, 2 * RUN + 2])
def test_columns_filtered_again_in_runs_of_any_length(
    monkeypatch: pytest.MonkeyPatch, height: int
) -> None:
    values = [random(1, 2, height, 3), random(1, 1, height, 3, seed=1), torch.tensor(4.0).double()]
    for seen, expected in zip(*both_ways(monkeypatch, domain_transform, values), strict=True):
        torch.testing.assert_close(seen, expected, rtol=0, atol=1e-12)


def test_lines_may_go_to_several_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("numba")
    image = random(3, 2, 9, 14)
    whole = domain_transform(image)
    monkeypatch.setattr("enhance.operators.threads.SLAB", 100)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 4)
    assert torch.equal(domain_transform(image), whole)


def test_without_numba_torch_filters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "_module", lambda: None)
    monkeypatch.setattr(opencv, "_module", lambda: None)
    assert not compiled.usable(torch.zeros(1))
    image = torch.full((1, 1, 5, 6), 0.25)
    torch.testing.assert_close(domain_transform(image), image)


def test_what_loops_cannot_work_on_is_left_to_torch() -> None:
    assert not compiled.usable(torch.zeros(1, dtype=torch.int32))
    assert not compiled.usable(torch.zeros(1), torch.zeros(1, device="meta"))


def test_a_folder_that_cannot_be_written_to_costs_time_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    numba = pytest.importorskip("numba")
    translate = numba.njit

    def without_folder(function: Callable[..., object], cache: bool = False, **options: object):
        if cache:
            raise RuntimeError("no locator available")
        return translate(function, **options)

    monkeypatch.setattr(numba, "njit", without_folder)
    add_one = compiled.compiled.__wrapped__(lambda x: x + 1)
    assert add_one(2) == 3


@pytest.mark.parametrize("size", [(23, 31), (3, 40), (1, 1)])
@pytest.mark.parametrize("dilation", [1.0, 3.0])
def test_laplacian(monkeypatch: pytest.MonkeyPatch, size: tuple[int, int], dilation: float) -> None:
    """Where no gradient is asked for; on images that reach both ends of the range."""
    pytest.importorskip("numba")
    images = (1.4 * random(2, 3, *size) - 0.2).clamp(0, 1).float()
    settings = {
        "detail": torch.tensor([[5.0], [-1.0], [0.0]]),
        "shadow": torch.tensor([[1.0], [-0.4], [0.0]]),
        "brightness": 0.3,
        "saturation": torch.tensor([[1.0], [0.3], [0.0]]),
        "h": torch.tensor([0.05, 0.4]),
        "dilation": dilation,
        "extent": (512, 512),
    }
    operator = Laplacian()
    seen = operator(images, **settings)
    monkeypatch.setattr(compiled, "_module", lambda: None)
    expected = operator(images, **settings)
    assert seen.shape == expected.shape
    torch.testing.assert_close(seen, expected, rtol=0, atol=2e-6)
    exact = operator(images.double(), **settings)
    assert (seen - exact).abs().max() < 4e-6


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", [(23, 31), (3, 40), (1, 1)])
def test_turbo(monkeypatch: pytest.MonkeyPatch, size: tuple[int, int], dtype: torch.dtype) -> None:
    """Where no gradient is asked for: batches of settings, of noise, and of both with images."""
    pytest.importorskip("numba")
    images = (1.4 * random(2, 3, *size) - 0.2).clamp(0, 1).to(dtype)
    batches = [
        {"sigma_s": torch.tensor([[1.0], [4.0], [10.0]]), "sigma_n": torch.tensor([0.1, 0.02])},
        {"tilt": torch.tensor([-1.0, 0.5]), "sigma_n": torch.tensor([[0.02], [0.3], [0.05]])},
        {"luma": torch.tensor([0.2, 1.0]), "chroma": 0.4, "strength": 0.7, "sigma_c": 0.1},
    ]
    operator = Turbo()
    seen = [operator(images, **settings) for settings in batches]
    monkeypatch.setattr(compiled, "_module", lambda: None)
    monkeypatch.setattr(opencv, "_module", lambda: None)
    for result, settings in zip(seen, batches, strict=True):
        expected = operator(images, **settings)
        assert result.shape == expected.shape
        # noise read from a tiny image makes either way 4e-6 off in float32
        torch.testing.assert_close(result, expected, rtol=0, atol=10 * DTYPES[dtype])


def test_turbo_in_several_threads_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows reach over to the rows of the next thread."""
    pytest.importorskip("numba")
    image, operator = random(2, 3, 29, 14), Turbo()
    whole = operator(image, sigma_n=0.05, tilt=0.4)
    monkeypatch.setattr("enhance.operators.threads.SLAB", 100)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 4)
    assert torch.equal(operator(image, sigma_n=0.05, tilt=0.4), whole)


def test_the_gradient_to_the_image_alone_keeps_nothing_but_weights() -> None:
    """What it needs to remember is less than one copy of the image's six states."""
    pytest.importorskip("numba")
    image, guide = random(1, 3, 20, 30), random(1, 1, 20, 30, seed=1)
    kept: dict[bool, int] = {}
    gradients = []
    for everything in (False, True):
        pixels = image.clone().requires_grad_()
        sigma_s = torch.tensor(4.0).double().requires_grad_(everything)
        saved: list[Tensor] = []
        with torch.autograd.graph.saved_tensors_hooks(
            lambda tensor, saved=saved: saved.append(tensor) or tensor, lambda tensor: tensor
        ):
            smoothed = domain_transform(pixels, guide, sigma_s, 0.3)
        kept[everything] = sum(tensor.numel() for tensor in saved)
        gradients.append(torch.autograd.grad(smoothed.square().sum(), pixels)[0])
    assert torch.equal(*gradients)
    assert kept[False] < 4 * guide.numel() < kept[True]
