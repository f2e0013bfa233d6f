"""Whatever comes in goes out as the same kind, and unchanged where nothing changed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from enhance.errors import EnhanceError, ImageError
from enhance.imaging.intake import as_photo
from enhance.imaging.photo import Photo

MODES = ["1", "L", "LA", "P", "RGB", "RGBA", "RGBX", "CMYK", "I;16", "I;16B", "I", "F"]


def image_of(mode: str, rng: np.random.Generator) -> Image.Image:
    if mode.startswith("I;16"):
        return Image.frombytes(mode, (9, 7), rng.bytes(126))
    if mode == "I":
        return Image.fromarray(rng.integers(0, 65536, (7, 9)).astype(np.int32))
    if mode == "F":
        return Image.fromarray(rng.random((7, 9), np.float32))
    if mode == "CMYK":
        return Image.fromarray(rng.integers(0, 256, (7, 9, 4), dtype=np.uint8), "CMYK")
    base = Image.fromarray(rng.integers(0, 256, (7, 9, 4), dtype=np.uint8), "RGBA")
    return base.convert(mode) if mode in ("LA", "RGBA") else base.convert("RGB").convert(mode)


def is_sound(photo: Photo) -> None:
    assert photo.pixels.shape == (1, 3, *photo.size)
    assert photo.pixels.dtype == torch.float32
    assert photo.pixels.min() >= 0
    assert photo.pixels.max() <= 1


def colours(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("RGB") if image.mode == "P" else image)


@pytest.mark.parametrize("mode", MODES)
def test_pil_modes_come_back_unchanged(mode: str, rng: np.random.Generator) -> None:
    image = image_of(mode, rng)
    photo = as_photo(image)
    is_sound(photo)
    back = photo.like_input(photo.pixels)
    assert (back.mode, back.size) == (mode, image.size)
    assert np.array_equal(colours(back), colours(image))


@pytest.mark.parametrize("mode", ["YCbCr", "HSV", "La", "RGBa"])
def test_modes_that_pillow_itself_rounds_come_back_in_their_mode(
    mode: str, rng: np.random.Generator
) -> None:
    base = image_of("RGBA", rng)
    image = base.convert({"La": "LA", "RGBa": "RGBA"}.get(mode, "RGB")).convert(mode)
    photo = as_photo(image)
    is_sound(photo)
    assert photo.like_input(photo.pixels).mode == mode


@pytest.mark.parametrize("mode", MODES)
def test_a_change_arrives(mode: str, rng: np.random.Generator) -> None:
    photo = as_photo(image_of(mode, rng))
    wanted = photo.pixels * 0.5 + 0.2
    again = as_photo(photo.like_input(wanted)).pixels
    if mode == "1":  # black or white: only the mean can follow
        assert abs(again.mean() - wanted.mean()) < 0.15
    elif mode == "P":  # all 63 colours fit a palette
        assert (again - wanted).abs().max() <= 0.51 / 255
    elif mode == "CMYK":  # four inks, each rounded
        assert (again - wanted).abs().max() < 2.5 / 255
    else:
        assert (again - wanted).abs().max() < 1.01 / 255


@pytest.mark.parametrize("mode", ["L", "LA", "I;16", "F"])
def test_grey_in_a_colour_result_stays_grey(mode: str, rng: np.random.Generator) -> None:
    photo = as_photo(image_of(mode, rng))
    tinted = (photo.pixels * torch.tensor([1.0, 0.9, 0.7]).reshape(1, 3, 1, 1)).clamp(0, 1)
    assert photo.like_input(tinted).mode == mode


@pytest.mark.parametrize("mode", ["LA", "RGBA", "P"])
def test_alpha_is_untouched(mode: str, rng: np.random.Generator) -> None:
    image = image_of("RGBA", rng)
    image = image.quantize(32, Image.Quantize.FASTOCTREE) if mode == "P" else image.convert(mode)
    photo = as_photo(image)
    assert photo.alpha is not None
    back = photo.like_input(1 - photo.pixels)
    assert back.mode == mode
    assert (
        back.convert("RGBA").getchannel("A").tobytes()
        == image.convert("RGBA").getchannel("A").tobytes()
    )


@pytest.mark.parametrize(("mode", "back"), [("L", "LA"), ("RGB", "RGBA"), ("P", "P"), ("1", "LA")])
def test_a_transparent_colour_becomes_alpha(mode: str, back: str, noise: np.ndarray) -> None:
    image = Image.fromarray(noise).convert(mode)
    image.info["transparency"] = image.getpixel((0, 0))
    photo = as_photo(image)
    assert photo.alpha is not None
    assert photo.alpha[0, 0, 0, 0] == 0
    assert photo.alpha.max() == 1
    result = photo.like_input(photo.pixels)
    assert result.mode == back
    assert np.array_equal(np.asarray(result.convert("RGBA")), np.asarray(image.convert("RGBA")))


@pytest.mark.parametrize("channels", [None, 1, 2, 3, 4])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float16", "float32", "float64"])
def test_arrays_come_back_alike(channels: int | None, dtype: str, rng: np.random.Generator) -> None:
    shape = (5, 6) if channels is None else (5, 6, channels)
    high = 1 if dtype.startswith("f") else np.iinfo(dtype).max
    array = (rng.random(shape) * high).astype(dtype)
    before = array.copy()
    photo = as_photo(array)
    is_sound(photo)
    back = photo.like_input(photo.pixels)
    assert (back.dtype, back.shape) == (array.dtype, array.shape)
    if dtype == "float64":
        assert np.abs(back - array).max() < 1e-7
    else:
        assert np.array_equal(back, array)
    photo.pixels.zero_()
    assert np.array_equal(array, before)


@pytest.mark.parametrize(
    "shape", [(5, 6), (1, 5, 6), (3, 5, 6), (4, 5, 6), (2, 5, 6), (1, 3, 5, 6), (1, 1, 5, 6)]
)
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float16", "bfloat16", "float32", "float64"])
def test_tensors_come_back_alike(shape: tuple[int, ...], dtype: str) -> None:
    kind = getattr(torch, dtype)
    values = torch.rand(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    tensor = (
        values.to(kind) if kind.is_floating_point else (values * torch.iinfo(kind).max).to(kind)
    )
    photo = as_photo(tensor)
    is_sound(photo)
    back = photo.like_input(photo.pixels)
    assert (back.dtype, back.shape, back.device) == (tensor.dtype, tensor.shape, tensor.device)
    assert torch.allclose(back.double(), tensor.double(), rtol=0, atol=1e-7)


@given(array=hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=9)))
def test_any_8_bit_image_survives(array: np.ndarray) -> None:
    photo = as_photo(array)
    assert np.array_equal(photo.like_input(photo.pixels), array)


def test_a_strided_view_and_a_tensor_with_gradient_are_taken(rng: np.random.Generator) -> None:
    array = rng.random((8, 8, 3))[::-2, ::2]
    assert as_photo(array).size == (4, 4)
    tensor = torch.rand(3, 4, 4, requires_grad=True)
    assert not as_photo(tensor).pixels.requires_grad


def test_a_photo_is_its_own_photo(noise: np.ndarray) -> None:
    photo = as_photo(noise)
    assert as_photo(photo) is photo


@pytest.mark.parametrize(
    ("orientation", "corner"),
    # where the stored top left pixel belongs, as (row, column) of the upright 9 x 7 or 7 x 9
    [
        (1, (0, 0)),
        (2, (0, 8)),
        (3, (6, 8)),
        (4, (6, 0)),
        (5, (0, 0)),
        (6, (0, 6)),
        (7, (8, 6)),
        (8, (8, 0)),
    ],
)
def test_orientation_is_applied_and_reset(
    orientation: int, corner: tuple[int, int], noise: np.ndarray
) -> None:
    image = Image.fromarray(noise)
    image.getexif()[0x0112] = orientation
    photo = as_photo(image)
    assert photo.size == ((7, 9) if orientation < 5 else (9, 7))
    assert np.array_equal(photo.pixels[0, :, *corner].mul(255).round().numpy(), noise[0, 0])
    back = photo.like_input(photo.pixels)
    assert back.getexif().get(0x0112, 1) == 1
    assert image.getexif()[0x0112] == orientation


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.full((4, 4), 255.0), r"float pixels must lie in [0, 1], got max 255 (pass 0..255"),
        (np.full((4, 4), 1.5), "float pixels must lie in [0, 1], got max 1.5"),
        (np.full((4, 4), -0.5), "float pixels must lie in [0, 1], got min -0.5"),
        (np.zeros((4, 4), np.int64), "dtype must be uint8, uint16 or float, got int64"),
        (np.zeros((4, 4), bool), "dtype must be uint8, uint16 or float, got bool"),
        (np.zeros((4, 4), complex), "dtype must be uint8, uint16 or float, got complex128"),
        (np.zeros((4, 4), object), "dtype must be uint8, uint16 or float, got object"),
        (np.zeros((0, 4), np.uint8), "an image must have at least one pixel, got 4 x 0"),
        (np.zeros((4, 0, 3), np.uint8), "an image must have at least one pixel, got 0 x 4"),
        (np.zeros(4, np.uint8), "an array must be (H, W) or (H, W, C) with C in 1..4, got (4,)"),
        (np.zeros((3, 8, 9), np.uint8), "got (3, 8, 9) (channels go last in an array)"),
        (np.zeros((2, 8, 9, 3), np.uint8), "got (2, 8, 9, 3)"),
        (np.zeros((8, 9, 5), np.uint8), "got (8, 9, 5)"),
        (torch.zeros(2, 3, 4, 4), "a tensor must hold one image, got a batch of 2"),
        (torch.zeros(8, 9, 3), "got (8, 9, 3) (channels go first in a tensor)"),
        (torch.zeros(3, 4, 4, dtype=torch.int64), "uint8, uint16 or float, got torch.int64"),
        (torch.zeros(3, 0, 4), "an image must have at least one pixel, got 4 x 0"),
        (torch.full((3, 4, 4), 2.0), "float pixels must lie in [0, 1], got max 2"),
        (Image.new("LAB", (2, 2)), "got LAB"),
        (Image.new("I", (2, 2), 70000), "must hold values in [0, 65535], got 70000 to 70000"),
        (Image.new("F", (2, 2), 9.0), "float pixels must lie in [0, 1], got max 9"),
        (Image.new("RGB", (0, 2)), "an image must have at least one pixel, got 0 x 2"),
        (12, "an image must be a path, PIL image, array or tensor, got int"),
        (None, "an image must be a path, PIL image, array or tensor, got NoneType"),
    ],
)  # fmt: skip
def test_what_is_no_photo_is_refused_in_one_line(value: Any, message: str) -> None:
    with pytest.raises(ImageError) as caught:
        as_photo(value)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, EnhanceError | ValueError)


@given(
    bad=st.sampled_from([np.nan, np.inf, -np.inf]),
    row=st.integers(0, 4),
    column=st.integers(0, 5),
    channel=st.integers(0, 2),
)
def test_what_is_not_finite_is_found(bad: float, row: int, column: int, channel: int) -> None:
    array = np.full((5, 6, 3), 0.5)
    array[row, column, channel] = bad
    with pytest.raises(ImageError, match=f"got {bad} at row {row}, column {column}"):
        as_photo(array)
    with pytest.raises(ImageError, match=f"got {bad} at row {row}, column {column}"):
        as_photo(torch.from_numpy(array).permute(2, 0, 1))


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1)])
def test_one_pixel_wide_is_a_photo(size: tuple[int, int]) -> None:
    photo = as_photo(np.full(size, 7, np.uint8))
    assert photo.size == size
    assert (photo.like_input(photo.pixels) == 7).all()


@pytest.mark.parametrize(
    ("pixels", "message"),
    [
        (torch.zeros(3, 7, 9), r"pixels must be \(1, 3, H, W\), got \(3, 7, 9\)"),
        (torch.zeros(2, 3, 7, 9), r"got \(2, 3, 7, 9\)"),
        (torch.full((1, 3, 7, 9), torch.nan), "pixels must be finite"),
    ],
)
def test_a_result_must_be_a_photo_too(
    pixels: torch.Tensor, message: str, noise: np.ndarray
) -> None:
    with pytest.raises(ImageError, match=message):
        as_photo(noise).like_input(pixels)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_result_must_keep_the_size(channels: int, rng: np.random.Generator) -> None:
    photo = as_photo(rng.random((7, 9, channels)))
    with pytest.raises(ImageError, match=r"must keep the photo's size \(7, 9\), got \(9, 7\)"):
        photo.like_input(torch.zeros(1, 3, 9, 7))


def test_a_photo_beyond_256_colours_still_becomes_a_palette(rng: np.random.Generator) -> None:
    image = Image.fromarray(rng.integers(0, 256, (40, 40), dtype=np.uint8)).convert("P")
    photo = as_photo(image)
    back = photo.like_input(photo.pixels * torch.rand(1, 3, 40, 40))
    assert back.mode == "P"


def test_a_palette_with_many_alphas_comes_back_as_what_holds_them() -> None:
    rng = np.random.default_rng(0)
    image = Image.fromarray(rng.integers(0, 256, (48, 48, 3), dtype=np.uint8)).convert("P")
    image = image.convert("PA")
    image.putalpha(Image.fromarray(rng.integers(0, 256, (48, 48), dtype=np.uint8)))
    photo = as_photo(image)
    back = photo.like_input(photo.pixels)
    assert back.mode == "RGBA"
    assert np.array_equal(np.asarray(back), np.asarray(image.convert("RGBA")))
