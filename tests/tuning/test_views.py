from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from enhance.errors import ParameterError
from enhance.operators.registry import get
from enhance.tuning.views import native_views, whole_views


def photo(height: int, width: int) -> Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(0))


@given(st.integers(1, 60), st.integers(1, 60), st.integers(2, 6))
def test_whole_views_fit_and_stay_in_range(height: int, width: int, count: int) -> None:
    views = whole_views(photo(height, width), count, size=24)
    assert views.images.shape == (count, 3, min(height, 24), min(width, 24))
    assert 0 <= views.images.min() <= views.images.max() <= 1


def test_whole_views_keep_the_mean_and_differ() -> None:
    pixels = photo(120, 90)
    images = whole_views(pixels, 4, size=24).images
    assert torch.allclose(images[0].mean(), pixels.mean(), atol=0.01)
    for first in range(4):
        for second in range(first):
            assert (images[first] - images[second]).abs().max() > 0.01


@given(st.integers(2, 70), st.integers(2, 70), st.integers(0, 9), st.integers(2, 8))
def test_native_views_are_crops_of_the_photo(
    height: int, width: int, halo: int, count: int
) -> None:
    pixels = torch.arange(height * width).float().reshape(1, 1, height, width).repeat(1, 3, 1, 1)
    views = native_views(pixels, count, size=16, halo=halo, seed=3)
    seen = set()
    for image in views.images[:, 0]:
        top, left = divmod(int(image[0, 0]), width)
        seen.add((top, left))
        size = image.shape
        assert torch.equal(image, pixels[0, 0, top : top + size[0], left : left + size[1]])
    assert len(seen) == len(views)
    assert 2 <= len(views) <= count


def test_small_photo_has_views_of_its_own_size_or_less() -> None:
    views = native_views(photo(30, 300), 5, size=224)
    assert views.size == (27, 224)
    assert len(native_views(photo(1, 1), 5).images) == 1


def test_halo_makes_crops_equal_the_whole() -> None:
    operator, pixels = get("turbo"), photo(90, 700)
    settings = operator.complete({"sigma_s": 2.0, "sigma_n": 0.05}, like=pixels)
    whole = native_views(pixels, 3, size=32, halo=200, seed=5)
    cut = native_views(pixels, 3, size=32, halo=operator.halo((90, 700)) // 3, seed=5)
    assert len(whole.windows) == 1
    assert len(cut.windows) == 3
    rendered = [
        v.cut(operator.render(operator.analyse(v.windows, settings, extent=v.extent), settings))
        for v in (whole, cut)
    ]
    assert (rendered[0] - rendered[1]).abs().max() < 1 / 512


def test_same_seed_same_views() -> None:
    pixels = photo(60, 80)
    for draw in (whole_views, native_views):
        first, again, other = (draw(pixels, 4, 20, seed=seed).images for seed in (1, 1, 2))
        assert torch.equal(first, again)
        assert not torch.equal(first, other)


@given(st.integers(1, 6), st.integers(1, 7))
def test_batches_hold_every_view_once_in_order(count: int, per_batch: int) -> None:
    views = whole_views(photo(50, 50), count, size=10)
    batches = list(views.batches(per_batch))
    assert torch.equal(torch.cat([batch.images for batch in batches]), views.images)
    assert torch.equal(views.first(1).images, views.images[:1])


def test_wrong_photo_or_count() -> None:
    with pytest.raises(ParameterError, match=r"\(1, 3, H, W\), got \(3, 8, 8\)"):
        whole_views(torch.zeros(3, 8, 8))
    with pytest.raises(ParameterError, match="at least 1, got 0"):
        native_views(photo(8, 8), 0)


@pytest.mark.parametrize("size", [(24, 24), (20, 60), (60, 20), (9, 7)])
def test_views_of_a_photo_that_is_not_shrunk_differ_too(size: tuple[int, int]) -> None:
    pixels = photo(*size)
    images = whole_views(pixels, 4, size=24).images
    assert len({tuple(image.flatten().tolist()) for image in images}) == 4
    if max(size) <= 24:
        assert torch.equal(images[0], pixels[0])
        assert torch.equal(images[3][:, :-1, :-1], pixels[0, :, 1:, 1:])
