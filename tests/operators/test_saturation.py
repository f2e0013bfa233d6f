"""Saturation and vibrance: luma and hue stay, nothing clips, skin and strong colours are spared."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from enhance.operators.luma import luma
from enhance.operators.saturation import Saturation


def pixel(*rgb: float) -> Tensor:
    return torch.tensor(rgb, dtype=torch.float64).reshape(1, 3, 1, 1)


def gain(image: Tensor, **settings: float) -> float:
    chroma = image - luma(image)[:, None]
    rendered = Saturation()(image, **settings)
    return ((rendered - luma(rendered)[:, None]).norm() / chroma.norm()).item()


def test_minus_one_is_grey(coffee: Tensor) -> None:
    rendered = Saturation()(coffee, saturation=-1)
    torch.testing.assert_close(rendered, luma(coffee)[:, None].expand_as(rendered))


def test_chroma_is_multiplied_where_there_is_room() -> None:
    assert gain(pixel(0.5, 0.502, 0.498), saturation=0.5) == pytest.approx(1.5, abs=1e-4)
    assert gain(pixel(0.9, 0.2, 0.1), saturation=-0.4) == pytest.approx(0.6, abs=1e-9)


def test_known_value_where_room_is_short() -> None:
    # luma .299 * .8 + .701 * .3 = .4495; red fills (.8 - .4495) / (1 - .4495) of its way
    fill = (0.8 - 0.4495) / (1 - 0.4495)
    room = (1 - fill) / fill
    expected = 1 + 0.5 / np.sqrt(1 + (0.5 / room) ** 2)
    assert gain(pixel(0.8, 0.3, 0.3), saturation=0.5) == pytest.approx(expected, abs=1e-5)


@given(st.tuples(*[st.floats(0, 1)] * 3), st.floats(-1, 1), st.floats(-1, 1))
def test_luma_and_hue_stay(
    rgb: tuple[float, float, float], saturation: float, vibrance: float
) -> None:
    image = pixel(*rgb)
    rendered = Saturation()(image, saturation=saturation, vibrance=vibrance)
    torch.testing.assert_close(luma(rendered), luma(image), atol=5e-6, rtol=0)
    before, after = (x - luma(x)[:, None] for x in (image, rendered))
    # parallel, and never reversed
    assert (before * after).sum() >= before.norm() * after.norm() - 1e-5


def test_what_is_full_stays_and_nothing_clips() -> None:
    primaries = torch.eye(3).reshape(3, 3, 1, 1)
    rendered = Saturation()(primaries, saturation=1, vibrance=1)
    torch.testing.assert_close(rendered, primaries, atol=1e-5, rtol=0)
    strong = torch.rand(1, 3, 40, 40, generator=torch.Generator().manual_seed(0))
    inside = (strong.amin(1) > 0.02) & (strong.amax(1) < 0.98)
    pushed = Saturation()(strong, saturation=1, vibrance=1)
    assert bool(((pushed.amin(1) > 0) & (pushed.amax(1) < 1))[inside].all())


def test_colours_keep_their_order_under_a_strong_gain() -> None:
    shares = torch.linspace(0, 1, 101, dtype=torch.float64)
    direction = pixel(0.299, -0.299, 0.754)
    ramp = 0.4 + 0.4 * shares * direction / direction.abs().max()
    rendered = Saturation()(ramp, saturation=0.9, vibrance=0.5)
    chroma = (rendered - luma(rendered)[:, None]).norm(dim=1).flatten()
    assert bool((chroma.diff() > 0).all())


def test_vibrance_moves_weak_colours_more() -> None:
    weak, strong = pixel(0.5, 0.5, 0.56), pixel(0.4, 0.4, 0.9)
    assert gain(weak, vibrance=0.5) > 1.4
    assert gain(strong, vibrance=0.5) < 1.1
    assert gain(weak, vibrance=-0.5) < 0.6


@pytest.mark.parametrize(
    "skin", [(0.95, 0.78, 0.68), (0.78, 0.57, 0.44), (0.55, 0.37, 0.26), (0.32, 0.2, 0.14)]
)
def test_vibrance_spares_skin(skin: tuple[float, float, float]) -> None:
    own = pixel(*skin)
    opposite = 2 * luma(own)[:, None] - own  # the same chroma, turned to blue
    moved, compared = gain(own, vibrance=-0.6), gain(opposite, vibrance=-0.6)
    assert (1 - moved) < 0.6 * (1 - compared)


def test_grey_has_no_colour_to_strengthen() -> None:
    grey = torch.linspace(0, 1, 16).reshape(1, 1, 4, 4).expand(1, 3, 4, 4)
    torch.testing.assert_close(
        Saturation()(grey, saturation=1, vibrance=1), grey, atol=1e-6, rtol=0
    )


def test_equals_pillows_colour_balance_where_there_is_room(coffee: Tensor) -> None:
    from PIL import Image, ImageEnhance

    muted = 0.35 + 0.3 * coffee
    array = muted[0].permute(1, 2, 0).mul(255).round().byte().numpy()
    peer = np.asarray(ImageEnhance.Color(Image.fromarray(array)).enhance(0.6))
    image = torch.from_numpy(array.copy()).permute(2, 0, 1)[None] / 255
    ours = Saturation()(image, saturation=-0.4)[0].permute(1, 2, 0) * 255
    assert np.abs(ours.numpy() - peer).max() < 1.51  # Pillow rounds luma and the blend to 8 bits
