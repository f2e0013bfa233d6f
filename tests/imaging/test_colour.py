from __future__ import annotations

import torch

from enhance.imaging.colour import linear_to_srgb, luma, srgb_to_linear


def test_the_transfer_curve_and_its_inverse() -> None:
    encoded = torch.linspace(0, 1, 1001, dtype=torch.float64)
    linear = srgb_to_linear(encoded)
    assert torch.allclose(linear_to_srgb(linear), encoded, atol=1e-6)
    assert (linear.diff() > 0).all()
    # IEC 61966-2-1: mid grey 0.5 is 21.4 % of the light
    assert abs(linear[500].item() - 0.21404) < 1e-5


def test_gradients_are_right_and_finite_at_black() -> None:
    for curve in (srgb_to_linear, linear_to_srgb):
        values = torch.tensor([0.0, 0.001, 0.3, 1.0], dtype=torch.float64, requires_grad=True)
        assert torch.autograd.gradcheck(curve, values)


def test_luma_of_neutral_is_exact_and_of_primaries_the_weights() -> None:
    grey = torch.rand(1, 1, 5, 5)
    assert torch.equal(luma(grey.expand(1, 3, 5, 5)), grey)
    primaries = torch.eye(3).reshape(3, 3, 1, 1)
    assert torch.allclose(luma(primaries).ravel(), torch.tensor([0.2126, 0.7152, 0.0722]))
