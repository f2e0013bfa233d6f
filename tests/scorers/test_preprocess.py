"""Preprocessing: where pixels are sampled, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from scorers.errors import InputError
from scorers.preprocess import Preprocess


@given(st.integers(1, 900), st.integers(1, 300))
def test_nearest_takes_the_pixels_that_pillow_takes(length: int, size: int) -> None:
    row = np.arange(length, dtype=np.int32)[None].repeat(2, 0)
    expected = np.asarray(Image.fromarray(row).resize((size, size), Image.Resampling.NEAREST))[0]
    image = torch.arange(length).double().expand(1, 3, 2, length)
    found = Preprocess(size=size, method="nearest").resize(image)[0, 0, 0]
    assert found.tolist() == expected.tolist()


@pytest.mark.parametrize(
    ("height", "width"), [(512, 768), (768, 512), (240, 320), (1, 1), (3000, 7), (336, 448)]
)
def test_nearest_equals_pillow_on_both_axes(height: int, width: int) -> None:
    values = torch.randint(0, 256, (height, width, 3), dtype=torch.uint8).numpy()
    expected = np.asarray(Image.fromarray(values).resize((224, 224), Image.Resampling.NEAREST))
    image = torch.from_numpy(values).permute(2, 0, 1)[None].float()
    found = Preprocess(method="nearest").resize(image)[0].permute(1, 2, 0)
    assert np.array_equal(found.numpy(), expected)


def test_area_keeps_the_mean_where_pixels_divide_evenly() -> None:
    image = torch.rand(1, 3, 64, 96, dtype=torch.float64)
    found = Preprocess(size=32, method="area").resize(image)
    torch.testing.assert_close(found.mean((-2, -1)), image.mean((-2, -1)))


@pytest.mark.parametrize(
    "shown",
    [
        Preprocess(size=8, method="nearest"),
        Preprocess(size=8, method="area"),
        Preprocess(size=8, method="bilinear"),
        Preprocess(size=8, method="bilinear", antialias=True),
        Preprocess(size=8, method="bicubic", antialias=True),
    ],
)
@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 40), (8, 8), (13, 5)])
def test_every_method_takes_every_size_and_is_differentiable(
    shown: Preprocess, height: int, width: int
) -> None:
    image = torch.full((2, 3, height, width), 0.25, requires_grad=True)
    found = shown(image)
    assert found.shape == (2, 3, 8, 8)
    torch.testing.assert_close(found, torch.full_like(found, -0.5))  # a constant stays one
    found.sum().backward()
    assert image.grad is not None
    assert image.grad.sum().item() == pytest.approx(found.numel() * 2, rel=1e-4)


def test_a_photo_of_the_right_size_is_not_resampled() -> None:
    image = torch.rand(1, 3, 16, 16)
    assert Preprocess(size=16, method="bicubic").resize(image) is image


def test_normalisation_is_per_channel() -> None:
    shown = Preprocess(size=1, mean=(0.1, 0.2, 0.3), std=(0.1, 0.2, 0.5))
    found = shown(torch.tensor([0.2, 0.6, 0.8]).view(1, 3, 1, 1))
    torch.testing.assert_close(found.flatten(), torch.tensor([1.0, 2.0, 1.0]))


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ({"size": 0}, "size=0"),
        ({"method": "lanczos"}, "'lanczos'"),
        ({"method": "nearest", "antialias": True}, "'nearest'"),
        ({"mean": (0.5,)}, r"mean must have 3 finite values, got \(0.5,\)"),
        ({"std": (0.5, 0.0, 0.5)}, "std must be positive"),
        ({"std": (float("nan"), 1.0, 1.0)}, "std must have 3 finite values"),
        ({"size": 16, "blur": 8.0}, "the blur must be narrower than a view"),
    ],
)
def test_what_makes_no_sense_is_refused(values: dict[str, object], rule: str) -> None:
    with pytest.raises(InputError, match=rule):
        Preprocess(**values)  # type: ignore[arg-type]


def test_native_views_are_the_photos_own_pixels_from_corner_to_corner() -> None:
    photo = torch.rand(2, 3, 40, 24)
    show = Preprocess(size=16, view="native", crops=2, mean=(0, 0, 0), std=(1, 1, 1))
    views = show.views(photo)
    assert views.shape == (2, 4, 3, 16, 16)
    assert torch.equal(views[:, 0], photo[..., :16, :16])
    assert torch.equal(views[:, -1], photo[..., -16:, -16:])


def test_a_native_view_of_the_networks_size_is_the_photo_itself() -> None:
    photo = torch.rand(1, 3, 16, 16)
    show = Preprocess(size=16, view="native", mean=(0, 0, 0), std=(1, 1, 1))
    assert torch.equal(show.views(photo)[:, 0], photo)


def test_a_photo_smaller_than_a_native_view_is_enlarged() -> None:
    assert Preprocess(size=16, view="native").views(torch.rand(1, 3, 1, 40)).shape == (
        1,
        3,
        3,
        16,
        16,
    )


def test_a_native_scorer_averages_the_opinions_of_its_squares() -> None:
    from scorers.card import Architecture, ModelCard
    from scorers.scorer import Scorer

    show = Preprocess(size=16, view="native", crops=2)
    card = ModelCard("tiny", Architecture("mobilenet_v1", {"width": 0.25}), show)
    scorer = Scorer.untrained(card)
    photo = torch.rand(1, 3, 32, 16)
    apart = [scorer.opinion(photo[..., :16, :]), scorer.opinion(photo[..., 16:, :])]
    torch.testing.assert_close(scorer.opinion(photo), torch.stack(apart).mean(0))


def test_blur_takes_what_two_ways_of_shrinking_disagree_about() -> None:
    texture = torch.rand(1, 3, 96, 96, generator=torch.Generator().manual_seed(0))
    plain, soft = (Preprocess(size=32, method="area", blur=blur) for blur in (0.0, 1.0))
    sampled = Preprocess(size=32, method="nearest").resize(texture)
    apart = [(show(texture) - show(sampled)).abs().mean() for show in (plain, soft)]
    assert apart[1] < 0.5 * apart[0]


def test_blur_keeps_a_flat_photo_and_is_a_gaussian_elsewhere() -> None:
    show = Preprocess(size=31, blur=1.0, mean=(0, 0, 0), std=(1, 1, 1))
    torch.testing.assert_close(
        show(torch.full((1, 3, 31, 31), 0.3)), torch.full((1, 3, 31, 31), 0.3)
    )
    point = torch.zeros(1, 3, 31, 31)
    point[..., 15, 15] = 1.0
    row = show(point)[0, 0, 15]
    assert row[16] / row[15] == pytest.approx(np.exp(-0.5), rel=1e-4)
    assert row[17] / row[15] == pytest.approx(np.exp(-2.0), rel=1e-4)


def test_blur_out_of_range_is_refused() -> None:
    with pytest.raises(InputError, match="0 <= blur <= 8"):
        Preprocess(blur=-1)
