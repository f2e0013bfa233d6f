from __future__ import annotations

import torch

from enhance.imaging.grey import grey_of


def test_neutral_is_exact_and_primaries_are_the_weights() -> None:
    grey = torch.rand(1, 1, 5, 5)
    assert torch.equal(grey_of(grey.expand(1, 3, 5, 5)), grey)
    primaries = torch.eye(3).reshape(3, 3, 1, 1)
    assert torch.allclose(grey_of(primaries).ravel(), torch.tensor([0.2126, 0.7152, 0.0722]))
