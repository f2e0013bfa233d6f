"""Pixels stay in range, whatever the image and the change."""

from __future__ import annotations

import pytest
import torch

from enhance.operators.gamut import DARK, follow_luma, within_range
from enhance.operators.registry import get


def test_colour_keeps_its_ratio_to_luma() -> None:
    image = torch.tensor([0.2, 0.4, 0.6], dtype=torch.float64).reshape(1, 3, 1, 1)
    luma = torch.full((1, 1, 1), 0.4, dtype=torch.float64)
    changed = follow_luma(image, luma, torch.full_like(luma, -0.2))
    ratio = (changed + DARK) / (image + DARK)
    torch.testing.assert_close(ratio, torch.full_like(ratio, 1 - 0.2 / (0.4 + DARK)))


def test_no_change_is_none_beyond_the_range_too() -> None:
    image = torch.linspace(-0.05, 1.05, 101).reshape(1, 1, 1, -1).expand(1, 3, 1, -1)
    kept = follow_luma(image, image[:, 0], torch.zeros(1, 1, 101))
    assert torch.equal(kept, image.clamp(0, 1))


def test_no_image_near_the_range_leaves_it() -> None:
    image = torch.linspace(-0.05, 1.05, 101)[:, None]
    bent = within_range(image, torch.linspace(-3, 3, 61))
    assert bool(((bent >= 0) & (bent <= 1)).all())


@pytest.mark.parametrize("name", ["contrast", "highlights", "laplacian", "tone", "guided_detail"])
@pytest.mark.parametrize("gradient", [False, True])  # other code renders where one is asked for
def test_images_a_little_below_black_are_rendered(name: str, gradient: bool) -> None:
    image = torch.full((1, 3, 4, 4), -DARK).requires_grad_(gradient)
    operator = get(name)
    for ends in ("low", "high"):
        setting = {n: float(getattr(p, ends)) for n, p in operator.parameters_spec.items()}
        rendered = operator(image, **setting)
        assert bool(((rendered >= 0) & (rendered <= 1)).all())
