"""Pictures on a page: small, upright, and coloured as the photo."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms
from torch import Tensor

from enhance.errors import ReadError
from enhance.imaging.deep import encode_png
from enhance.report.pictures import Picture, picture_of, picture_of_file


def opened(picture: Picture) -> Image.Image:
    prefix = "data:image/jpeg;base64,"
    assert picture.uri.startswith(prefix)
    image = Image.open(io.BytesIO(base64.b64decode(picture.uri.removeprefix(prefix))))
    assert (image.format, image.mode, image.size) == (
        "JPEG",
        "RGB",
        (picture.width, picture.height),
    )
    return image


def levels(image: Image.Image) -> np.ndarray:
    return np.asarray(image).astype(float)


def test_large_photos_shrink_and_small_ones_stay(coffee: Tensor) -> None:
    assert opened(picture_of(coffee, 64)).size == (64, 48)
    same = opened(picture_of(coffee, 1000))
    expected = coffee[0].permute(1, 2, 0).mul(255).numpy()
    assert np.abs(levels(same) - expected).mean() < 4  # JPEG


@pytest.mark.parametrize(("name", "options"), [("a.jpg", {"quality": 95}), ("a.png", {})])
def test_orientation_is_applied(coffee: Tensor, tmp_path: Path, name: str, options: dict) -> None:
    array = coffee[0].permute(1, 2, 0).mul(255).byte().numpy()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(array).save(tmp_path / name, exif=exif, **options)
    shown = opened(picture_of_file(tmp_path / name, 128))
    assert shown.size == (96, 128)
    assert np.abs(levels(shown) - np.rot90(array, -1)).mean() < 4


def test_a_profile_stays_with_the_picture(tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.new("RGB", (8, 8), "red").save(tmp_path / "a.jpg", icc_profile=profile)
    assert opened(picture_of_file(tmp_path / "a.jpg", 8)).info["icc_profile"] == profile


def test_what_is_clear_is_white(tmp_path: Path) -> None:
    Image.new("RGBA", (8, 8), (255, 0, 0, 0)).save(tmp_path / "a.png")
    assert levels(opened(picture_of_file(tmp_path / "a.png", 8))).min() > 250


def test_deep_photos_are_scaled_not_cut(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encode_png(np.full((8, 8, 3), 0x8080, np.uint16)))
    Image.fromarray(np.full((8, 8), 0x8080, np.uint16)).save(tmp_path / "grey.png")
    for name in ("a.png", "grey.png"):
        assert np.abs(levels(opened(picture_of_file(tmp_path / name, 8))) - 128).max() <= 2


def test_no_photo_is_an_error_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_text("no photo")
    for name in ("a.jpg", "missing.jpg"):
        with pytest.raises(ReadError, match=name):
            picture_of_file(tmp_path / name, 8)
