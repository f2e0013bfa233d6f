"""J-invariance: the error on pixels that a filter did not see, and what it would choose."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage.restoration import calibrate_denoiser
from torch import Tensor
from torch.nn import functional

import enhance
from enhance.operators.chain import Chain
from enhance.operators.laplacian import Laplacian
from enhance.operators.registry import get
from enhance.operators.resolve import resolve_operator
from enhance.operators.turbo import Turbo
from enhance.tuning.invariance import Invariance, invariance, invariance_cost
from enhance.tuning.prior import reads_white
from enhance.tuning.space import Space


class Clean(Chain):
    """A chain that has a name of its own."""

    def __init__(self) -> None:
        super().__init__([Turbo(), Laplacian()])
        self.name = "clean"  # type: ignore[misc]


WIDTHS = [1.0, 1.5, 2.5, 4.0, 8.0]


@pytest.fixture
def noisy(coffee: Tensor) -> Tensor:
    noise = 0.08 * torch.randn(coffee.shape, generator=torch.Generator().manual_seed(0))
    return (coffee + noise).clamp(0, 1)


def witness_of(photo: Tensor, **options) -> Invariance:
    operator = get("turbo")
    space = Space.of(operator, **options).calibrated(operator, photo)
    names = {name: name for name in operator.parameters_spec}
    return Invariance(operator, space, photo, (photo.shape[-2], photo.shape[-1]), names)


def test_errors_are_those_of_scikit_image(noisy: Tensor) -> None:
    witness = witness_of(noisy)
    constant = witness.space.constant

    def denoise(pixels: np.ndarray, sigma_s: float, channel_axis: int) -> np.ndarray:
        image = torch.from_numpy(pixels).permute(2, 0, 1)[None]
        return witness.operator(image, sigma_s=sigma_s, **constant)[0].permute(1, 2, 0).numpy()

    _, (_, losses) = calibrate_denoiser(
        noisy[0].permute(1, 2, 0).numpy(),
        denoise,
        {"sigma_s": WIDTHS, "channel_axis": [-1]},
        extra_output=True,
    )
    points = torch.stack([witness.space.to_unit({"sigma_s": width}) for width in WIDTHS])
    assert witness.errors(points).tolist() == pytest.approx(losses, rel=1e-4)


def test_the_least_error_is_near_the_best_width(noisy: Tensor, coffee: Tensor) -> None:
    witness = witness_of(noisy)
    points = torch.linspace(0, 1, 25, dtype=torch.float64)[:, None]
    rendered = torch.cat(
        [
            witness.operator(noisy, **witness.space.constant, **witness.space.describe(point))
            for point in points
        ]
    )
    decibels = -10 * (rendered - coffee).square().mean((1, 2, 3)).log10()
    chosen = int(witness(points).argmin())
    assert decibels.max() - decibels[chosen] < 0.15
    assert decibels[chosen] > decibels[-1] + 0.15  # a choice that matters


def test_the_error_is_differentiable(noisy: Tensor) -> None:
    witness = witness_of(noisy.double())
    point = torch.tensor([[0.4]], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(witness, point, eps=1e-6, atol=1e-4)


def test_it_applies_to_denoising_of_the_photo_itself(noisy: Tensor) -> None:
    def made(operator, pixels: Tensor = noisy, **options) -> Invariance | None:
        chosen = resolve_operator(operator)
        return invariance(chosen, Space.of(chosen, **options), pixels)

    assert made("turbo") is not None
    assert made(["turbo", "laplacian"]) is not None
    assert made("laplacian") is None
    assert made(["laplacian", "turbo"]) is None  # what turbo sees depends on tone
    assert made("turbo", fixed={"sigma_s": 2.0}) is None
    assert made("turbo", bounds={"sigma_n": (0.01, 0.1)}) is None
    assert made("turbo", pixels=noisy[..., :4, :4]) is None


@pytest.mark.parametrize("operator", [Clean(), [Clean(), "saturation"]])
def test_it_is_asked_of_the_denoiser_within_a_chain_with_a_name(noisy: Tensor, operator) -> None:
    alone, within = (resolve_operator(given) for given in ("turbo", operator))
    points = torch.tensor([0.2, 0.8], dtype=torch.float64)[:, None]
    plain = invariance(alone, Space.of(alone), noisy)
    others = {name: 0.0 for name in Space.of(within).names if name != "sigma_s"}
    named = invariance(within, Space.of(within, others), noisy)
    assert plain is not None
    assert named is not None
    assert torch.equal(named(points), plain(points))


def test_both_choices_and_their_distance_are_reported(noisy: Tensor) -> None:
    def smooth_lover(images: Tensor) -> Tensor:
        return -images.diff(dim=-1).abs().mean((1, 2, 3))

    found = enhance.tune(noisy, "turbo", smooth_lover, crops=12, guards=["interval"]).witnesses
    assert found is not None
    ratio = found.scorer["sigma_s"] / found.invariance["sigma_s"]
    assert ratio > 1.2
    assert found.distance == pytest.approx(np.log10(ratio), abs=1e-4)  # of 1 to 10 px
    assert enhance.tune(noisy, "saturation", smooth_lover, guards=[]).witnesses is None


def test_its_vote_is_for_noise_that_is_white(noisy: Tensor, coffee: Tensor) -> None:
    turbo = resolve_operator("turbo")
    smeared = functional.avg_pool2d(functional.pad(noisy, (1, 1, 1, 1), mode="reflect"), 3, 1)

    def white(photo: Tensor) -> bool:
        return reads_white(turbo, Space.of(turbo).calibrated(turbo, photo), photo)

    assert white(noisy)
    assert not white(smeared)
    assert not white(coffee)


def test_its_cost_is_least_where_its_error_is(noisy: Tensor) -> None:
    turbo = resolve_operator("turbo")
    cost = invariance_cost(turbo, Space.of(turbo).calibrated(turbo, noisy), noisy)
    assert cost is not None
    points = torch.linspace(0, 1, 9, dtype=torch.float64)[:, None]
    assert float(cost(cost.invariance.space.defaults()[None])) == pytest.approx(0, abs=1e-6)
    assert int(cost(points).argmin()) == int(cost.invariance(points).argmin())
    assert invariance_cost(resolve_operator("saturation"), Space.of(turbo), noisy) is None
