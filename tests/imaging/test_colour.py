from __future__ import annotations

import torch

from enhance.imaging.colour import luma


def test_luma_of_neutral_is_exact_and_of_primaries_the_weights() -> None:
    grey = torch.rand(1, 1, 5, 5)
    assert torch.equal(luma(grey.expand(1, 3, 5, 5)), grey)
    primaries = torch.eye(3).reshape(3, 3, 1, 1)
    assert torch.allclose(luma(primaries).ravel(), torch.tensor([0.2126, 0.7152, 0.0722]))
