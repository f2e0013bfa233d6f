"""Guided detail: the paper's filter, no halos at edges, a scale that follows the photo."""

from __future__ import annotations

import torch
from torch import Tensor

from enhance.operators.guided_detail import TAU, GuidedDetail
from enhance.operators.guided_filter import guided_filter
from enhance.operators.luma import luma

WHOLE = (512, 512)  # on a photo of this size a radius counts pixels


def test_minus_one_is_close_to_the_filter_itself(coffee: Tensor) -> None:
    muted = (0.3 + 0.4 * coffee).double()
    plane = luma(muted)
    smooth = guided_filter(plane[None], plane[None], 4, torch.tensor([0.01], dtype=torch.float64))[
        0
    ]
    rendered = luma(GuidedDetail()(muted, extent=WHOLE, amount=-1))
    detail = plane - smooth
    # the boost levels off as tau tanh(d / tau), which is within d^3 / (3 tau^2) of d
    assert bool(((rendered - smooth).abs() <= detail.abs() ** 3 / (3 * TAU**2) + 1e-9).all())


def test_weak_texture_is_doubled_and_a_strong_edge_gets_no_halo() -> None:
    x = torch.arange(64, dtype=torch.float64)
    ripple = 0.01 * torch.sin(2 * torch.pi * x / 5)
    image = (0.5 + ripple).expand(1, 3, 64, 64)
    centre = (..., 32, slice(20, 44))
    gain = (GuidedDetail()(image, extent=WHOLE, amount=1.0) - 0.5)[
        centre
    ].abs().max() / ripple.abs().max()
    assert 1.85 < gain < 2.01
    step = torch.where(x < 32, 0.2, 0.8).double().expand(1, 3, 64, 64)
    rendered = GuidedDetail()(step, extent=WHOLE, amount=3.0, edge=0.03)
    assert (rendered - step).abs().max() < 0.02


def test_radius_is_relative_to_the_photo(coffee: Tensor) -> None:
    operator = GuidedDetail()
    as_crop = operator(coffee, extent=(1024, 1024), amount=1.0, radius=2.0)
    assert torch.equal(as_crop, operator(coffee, extent=WHOLE, amount=1.0, radius=4.0))
    assert operator.halo((1024, 512)) == 64


def test_several_radii_in_a_batch_keep_their_order(coffee: Tensor) -> None:
    radii = torch.tensor([8.0, 2.0, 8.0, 1.0])
    together = GuidedDetail()(coffee, extent=WHOLE, amount=1.0, radius=radii)
    for radius, rendered in zip(radii.tolist(), together, strict=True):
        alone = GuidedDetail()(coffee, extent=WHOLE, amount=1.0, radius=radius)[0]
        torch.testing.assert_close(rendered, alone, atol=1e-6, rtol=0)
