"""The multi-layer Laplacian: what its filters, layers and tone curve promise."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from enhance.operators.affinity import ALPHA, fluxes
from enhance.operators.gamut import MARGIN
from enhance.operators.laplacian import Laplacian
from enhance.operators.layers import LEVELS, TAU
from enhance.operators.luma import luma
from enhance.operators.scale import REFERENCE, step_in_pixels
from enhance.testing.images import photo

PLAIN = Laplacian()


def dense_filters(plane: Tensor, h: float, dilation: int, levels: int) -> tuple[Tensor, Tensor]:
    """``W_l`` as matrices ``(levels, P, P)`` and the structure, straight from the definition."""
    height, width = plane.shape
    y = plane.reshape(-1)
    row, column = (
        index.reshape(-1)
        for index in torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    )
    down = (row[:, None] - row) % dilation == 0
    right = (column[:, None] - column) % dilation == 0
    near = ((row[:, None] - row).abs() <= 2 * dilation) & (
        (column[:, None] - column).abs() <= 2 * dilation
    )
    window = (near & down & right).to(plane)
    affinity = torch.exp(-((y[:, None] - y) ** 2) / h**2)
    filters = []
    for level in range(levels):
        k = affinity ** (2**level) * window
        filters.append(torch.eye(len(y)).to(plane) + ALPHA * (k - torch.diag(k.sum(1))))
    structure = ((1 - affinity) * window).sum(1) / 25
    return torch.stack(filters), structure.reshape(height, width)


@pytest.mark.parametrize(
    ("height", "width", "dilation"), [(9, 8, 1), (9, 8, 3), (3, 11, 2), (1, 6, 1)]
)
def test_fluxes_equal_the_dense_filters(height: int, width: int, dilation: int) -> None:
    plane = torch.rand(height, width, dtype=torch.float64)
    filters, structure = dense_filters(plane, 0.2, dilation, 3)
    flux, seen_structure = fluxes(plane[None], torch.tensor(0.2, dtype=torch.float64), dilation, 3)
    expected = (filters @ plane.reshape(-1)).reshape(3, height, width)
    torch.testing.assert_close(plane + flux[:, 0], expected, rtol=0, atol=1e-12)
    torch.testing.assert_close(seen_structure[0], structure, rtol=0, atol=1e-12)


def test_strips_of_rows_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    plane = torch.rand(2, 23, 9, dtype=torch.float64)
    h = torch.tensor([0.1, 0.3], dtype=torch.float64)
    whole = fluxes(plane, h, 2, 3)
    monkeypatch.setattr("enhance.operators.strips.STRIP", 40)
    for in_strips, at_once in zip(fluxes(plane, h, 2, 3), whole, strict=True):
        torch.testing.assert_close(in_strips, at_once, rtol=0, atol=1e-12)


def test_rendering_in_strips_equals_rendering_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    image = photo(37, 20, batch=2).double()
    values = {
        name: torch.tensor(value, dtype=torch.float64)
        for name, value in {
            "detail": [[2.0], [-0.5]],
            "shadow": 0.4,
            "brightness": -0.2,
            "saturation": 0.9,
            "h": 0.2,
        }.items()
    }

    def run() -> list[Tensor]:
        pixels = image.clone().requires_grad_()
        own = {name: value.clone().requires_grad_() for name, value in values.items()}
        rendered = PLAIN(pixels, **own)
        gradients = torch.autograd.grad(rendered.square().sum(), [pixels, *own.values()])
        return [rendered.detach(), *gradients]

    at_once = run()
    monkeypatch.setattr("enhance.operators.strips.STRIP", 500)
    for in_strips, expected in zip(run(), at_once, strict=True):
        torch.testing.assert_close(in_strips, expected, rtol=1e-10, atol=1e-12)


@given(
    seed=st.integers(0, 999),
    height=st.integers(1, 12),
    width=st.integers(1, 12),
    h=st.floats(0.05, 0.4),
    dilation=st.integers(1, 4),
)
def test_filters_keep_the_mean_and_the_range(
    seed: int, height: int, width: int, h: float, dilation: int
) -> None:
    plane = torch.rand(1, height, width, generator=torch.Generator().manual_seed(seed)).double()
    flux, structure = fluxes(plane, torch.tensor(h, dtype=torch.float64), dilation, 3)
    assert flux.mean((-2, -1)).abs().max() < 1e-15
    smooth = plane + flux
    assert smooth.min() >= plane.min() - 1e-12
    assert smooth.max() <= plane.max() + 1e-12
    assert structure.min() >= -1e-12
    assert structure.max() <= 24 / 25


def test_layers_sum_to_luma_and_boost_follows_the_definition() -> None:
    image = photo(12, 10).double()
    y = luma(image)
    layers = PLAIN.analyse(image)
    flux, structure = fluxes(y, torch.tensor(0.15, dtype=torch.float64), 1, LEVELS)
    smooth = [y + part for part in flux]
    parts = [smooth[0], smooth[1] - smooth[0], smooth[2] - smooth[1], y - smooth[2]]
    torch.testing.assert_close(sum(parts), y, rtol=0, atol=1e-14)
    torch.testing.assert_close(layers.base, smooth[0], rtol=0, atol=1e-14)
    boost = structure * sum(TAU * torch.tanh(part / TAU) for part in parts[1:])
    torch.testing.assert_close(layers.boost, boost, rtol=0, atol=1e-14)


def test_the_default_is_the_identity_to_the_last_bit(coffee: Tensor) -> None:
    assert torch.equal(PLAIN(coffee), coffee)
    assert torch.equal(PLAIN(coffee, saturation=0.3, h=0.4, dilation=8), coffee)


@pytest.mark.parametrize("value", [0.0, 0.2, 0.7, 1.0])
def test_flat_grey_changes_by_the_tone_curve_alone(value: float) -> None:
    image = torch.full((1, 3, 6, 6), value)
    assert torch.equal(PLAIN(image, detail=5.0), image)
    toned = PLAIN(image, detail=5.0, brightness=0.5, shadow=0.3)
    assert (toned - toned.mean()).abs().max() < 1e-6
    if value in (0.0, 1.0):
        assert torch.equal(toned, image)


@given(shadow=st.floats(-1, 1), brightness=st.floats(-1, 1))
def test_tone_is_monotone_and_fixes_black_and_white(shadow: float, brightness: float) -> None:
    ramp = torch.linspace(0, 1, 257, dtype=torch.float64).reshape(257, 1, 1, 1).expand(-1, 3, 1, 1)
    toned = PLAIN(ramp, shadow=shadow, brightness=brightness)[:, 0, 0, 0]
    assert toned.diff().min() > 0
    assert toned[0] == 0
    assert toned[-1].item() == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize(("shadow", "c"), [(1.0, 2.5), (0.0, 0.0), (-1.0, -0.9)])
def test_shadow_is_its_polynomial_at_the_ends_of_its_range(shadow: float, c: float) -> None:
    v = torch.linspace(0.1, 0.9, 9, dtype=torch.float64)
    toned = PLAIN(v.reshape(9, 1, 1, 1).expand(-1, 3, 1, 1), shadow=shadow)[:, 1, 0, 0]
    torch.testing.assert_close(toned, v + c * v * (1 - v) ** 3, rtol=0, atol=1e-3)


@pytest.mark.parametrize("brightness", [-1.0, -0.4, 0.0, 0.6, 1.0])
def test_brightness_is_schlicks_bias(brightness: float) -> None:
    beta = 0.5 * (1 + 0.8 * brightness)
    v = torch.linspace(0, 1, 17, dtype=torch.float64)
    expected = v / ((1 / beta - 2) * (1 - v) + 1)
    toned = PLAIN(v.reshape(17, 1, 1, 1).expand(-1, 3, 1, 1), brightness=brightness)[:, 1, 0, 0]
    # the bend towards the ends takes at most a sixth of its width
    torch.testing.assert_close(toned, expected, rtol=0, atol=MARGIN / 6)


def test_noise_in_flats_is_spared_by_the_mask() -> None:
    generator = torch.Generator().manual_seed(0)
    noise = 0.02 * torch.randn(1, 1, 64, 64, generator=generator).expand(-1, 3, -1, -1)
    enhanced = PLAIN(0.5 + noise, detail=3.0)
    gain = (enhanced.std() / noise.std()).item()
    assert 1 < gain < 1.3  # every pixel alike would be magnified by up to 4


def test_a_blurred_step_keeps_its_slope_and_gets_no_halo() -> None:
    position = torch.arange(48) - 23.5
    step = 0.3 + 0.4 * torch.special.ndtr(position / 1.5)
    image = step.expand(1, 3, 24, 48)
    enhanced = PLAIN(image, detail=3.0)[0, 0, 12]
    assert enhanced.diff().max() > 0.85 * step.diff().max()
    overshoot = max(enhanced.max() - step.max(), step.min() - enhanced.min())
    assert overshoot < 0.03


def test_detail_strengthens_texture_and_minus_one_weakens_it(chelsea: Tensor) -> None:
    def energy(image: Tensor) -> float:
        plane = luma(image)
        return (plane[..., 1:] - plane[..., :-1]).square().mean().item()

    energies = [energy(PLAIN(chelsea, detail=detail)) for detail in (-1.0, 0.0, 2.0, 5.0)]
    assert energies == sorted(energies)
    assert energies[0] < 0.95 * energies[1]


def test_colour_keeps_its_ratio_at_full_saturation() -> None:
    image = torch.tensor([0.30, 0.18, 0.12]).reshape(1, 3, 1, 1).double()
    lifted = PLAIN(image, brightness=0.3)
    ratio = (lifted / image).flatten()
    assert ratio.min() > 1.1
    assert ratio.max() / ratio.min() < 1.03  # but for the offset that keeps black finite
    kept_difference = PLAIN(image, brightness=0.3, saturation=0.0)
    change = (kept_difference - image).flatten()
    assert change.max() - change.min() < 0.01


def test_black_and_white_keep_a_gradient_at_the_identity() -> None:
    for value in (0.0, 1.0):
        image = torch.full((1, 3, 3, 3), value, requires_grad=True)
        (gradient,) = torch.autograd.grad(PLAIN(image).sum(), image)
        assert gradient.abs().min() > 0.1


def test_dilation_follows_the_size_of_the_photo() -> None:
    assert [step_in_pixels(2, (size, 8)) for size in (64, REFERENCE, 4 * REFERENCE)] == [1, 2, 8]
    small = photo(32, 48)
    assert not torch.equal(
        PLAIN(small, detail=2.0, dilation=4, extent=(REFERENCE, REFERENCE)),
        PLAIN(small, detail=2.0, dilation=4),
    )


def test_analysis_parameters_may_differ_within_a_batch() -> None:
    images = torch.cat([photo(16, 16, seed=seed) for seed in range(3)])
    h, dilation = torch.tensor([0.1, 0.2, 0.3]), torch.tensor([8.0, 2.0, 8.0])
    extent = (REFERENCE, REFERENCE)
    together = PLAIN(images, detail=2.0, h=h, dilation=dilation, extent=extent)
    for n in range(3):
        alone = PLAIN(
            images[n : n + 1], detail=2.0, h=h[n].item(), dilation=dilation[n].item(), extent=extent
        )
        torch.testing.assert_close(together[n : n + 1], alone, rtol=0, atol=1e-6)


def test_detail_contains_the_identity_in_the_papers_grid() -> None:
    spec = Laplacian.parameters_spec
    grid = spec["detail"].grid
    assert grid is not None
    assert 0.0 in grid
    sizes = [len(grid), spec["shadow"].levels, spec["brightness"].levels]
    assert math.prod(sizes) == 726
