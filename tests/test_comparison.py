from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from enhance.comparison import before_after, save_before_after
from enhance.errors import ParameterError


def test_both_photos_stand_side_by_side_unchanged() -> None:
    before, after = torch.zeros(1, 3, 60, 80), torch.full((1, 3, 60, 80), 0.6)
    picture = np.asarray(before_after(before, after))
    assert picture.shape == (60, 168, 3)
    # below the labels
    assert (picture[30:, :80] == 0).all()
    assert (picture[30:, 80:88] == 255).all()
    assert (picture[30:, 88:] == 153).all()


@pytest.mark.parametrize("shape", [(1, 3, 50, 400), (1, 3, 2, 3000), (1, 3, 400, 1)])
def test_a_wide_picture_is_shrunk(shape: tuple[int, ...]) -> None:
    picture = before_after(torch.rand(shape), torch.rand(shape), width=300)
    assert picture.width <= 300
    assert picture.height >= 1


def test_it_can_be_saved(tmp_path: Path) -> None:
    path = tmp_path / "both.jpg"
    save_before_after(torch.rand(1, 3, 20, 30), torch.rand(1, 3, 20, 30), path)
    with Image.open(path) as image:
        assert image.size == (68, 20)


def test_a_width_that_holds_no_picture_is_refused() -> None:
    with pytest.raises(ParameterError, match="width must be at least 10, got 9"):
        before_after(torch.rand(3, 4, 4), torch.rand(3, 4, 4), width=9)
    assert before_after(torch.rand(3, 4, 4), torch.rand(3, 4, 4), width=10).width == 10
