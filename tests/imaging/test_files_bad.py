"""Every bad input is one line that names the rule and the value, and nothing gets lost."""

from __future__ import annotations

import io
import os
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from enhance.errors import (
    EnhanceError,
    ImageError,
    MissingExtraError,
    ReadError,
    RecipeError,
    WriteError,
)
from enhance.imaging import files, reading
from enhance.imaging.files import check_target, read, write
from enhance.imaging.intake import as_photo
from enhance.imaging.photo import Photo
from enhance.recipe import Recipe

SUFFIXES = [".jpg", ".png", ".tif", ".webp", ".avif", ".gif", ".bmp", ".jp2"]


def encoded(suffix: str, folder: Path, side: int = 64) -> bytes:
    values = np.random.default_rng(3).integers(0, 256, (side, side, 3), dtype=np.uint8)
    Image.fromarray(values).save(folder / f"whole{suffix}")
    return (folder / f"whole{suffix}").read_bytes()


def one_line(error: BaseException, path: str) -> str:
    message = str(error)
    assert "\n" not in message
    assert message.startswith(f"cannot read {path}: ")
    return message


def test_no_such_file(folder: Path) -> None:
    with pytest.raises(ReadError, match=r"^cannot read nowhere\.jpg: no such file$"):
        read("nowhere.jpg")
    with pytest.raises(OSError, match="no such file"):
        as_photo("nowhere.jpg")


def test_a_folder(folder: Path) -> None:
    (folder / "photos.jpg").mkdir()
    with pytest.raises(ReadError, match=r"^cannot read photos\.jpg: it is a folder$"):
        read("photos.jpg")


def test_an_empty_file(folder: Path) -> None:
    (folder / "a.jpg").touch()
    with pytest.raises(ReadError, match=r"^cannot read a\.jpg: the file is empty$"):
        read("a.jpg")


def test_a_path_through_a_file(photo: Photo) -> None:
    with pytest.raises(ReadError, match=r"^cannot read a\.png/b\.png: Not a directory$"):
        read("a.png/b.png")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("a\0.png", ".*embedded null .*"),
        (300 * "a" + ".png", "File name too long"),
        (300 * "a" + "/a.png", "File name too long"),
    ],
)
def test_an_impossible_path(name: str, reason: str, photo: Photo) -> None:
    with pytest.raises(ReadError, match=rf"^cannot read .*: {reason}$"):
        read(name)
    with pytest.raises(WriteError, match=rf"^cannot write .*: {reason}$"):
        write(photo, photo.pixels, name)
    with pytest.raises(WriteError, match=rf"^cannot write .*: {reason}$"):
        Recipe(("laplacian",), {}).save(name)
    with pytest.raises(RecipeError, match=rf"^cannot read recipe .*: {reason}$"):
        Recipe.load(name)
    assert os.listdir() == ["a.png"]


@pytest.mark.parametrize("content", [b"II*\0", b"MM\0*\0\0", b"II*\0\x08\0\0\0\xff\xff"])
def test_the_start_of_a_tiff(content: bytes, folder: Path) -> None:
    (folder / "a.tif").write_bytes(content)
    with pytest.raises(ReadError, match=r"^cannot read a\.tif: (trunc|dam)[^\n]+TIFF[^\n]+$"):
        read("a.tif")


def test_a_pil_image_of_a_truncated_file(folder: Path) -> None:
    data = encoded(".jpg", folder)
    with (
        Image.open(io.BytesIO(data[: len(data) // 2])) as image,
        pytest.raises(ImageError, match=r"^a PIL image must be decodable, got: [^\n]+truncated"),
    ):
        as_photo(image)


@pytest.mark.parametrize(
    "content", [b"hello", b"\0" * 5000, b"%PDF-1.4 ...", b"%!PS-Adobe-3.0 EPSF-3.0\n"]
)
def test_not_an_image(content: bytes, folder: Path) -> None:
    (folder / "a.jpg").write_bytes(content)
    with pytest.raises(ReadError, match=r"^cannot read a\.jpg: not an image of a known format$"):
        read("a.jpg")


def test_a_truncated_jpeg_says_after_how_much(folder: Path) -> None:
    data = encoded(".jpg", folder, side=400)
    (folder / "photo.jpg").write_bytes(data[:41000])
    with pytest.raises(ReadError, match=r"^cannot read photo\.jpg: truncated JPEG after 41 kB$"):
        read("photo.jpg")
    (folder / "photo.jpg").write_bytes(data[:900])
    with pytest.raises(
        ReadError, match=r"^cannot read photo\.jpg: truncated JPEG after 900 bytes$"
    ):
        read("photo.jpg")


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("share", [0.01, 0.3, 0.6, 0.9])
def test_a_truncated_file_of_any_format_is_named(suffix: str, share: float, folder: Path) -> None:
    data = encoded(suffix, folder)
    (folder / f"a{suffix}").write_bytes(data[: max(int(len(data) * share), 1)])
    with pytest.raises(ReadError) as caught:
        read(f"a{suffix}")
    one_line(caught.value, f"a{suffix}")


@pytest.mark.parametrize("suffix", [*SUFFIXES, "16.png", "16.tif"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1, exclude_max=True), value=st.integers(0, 255), count=st.integers(1, 9))
@example(place=0.48046875, value=0, count=1)  # AVIF: no primaries that the standard knows
@pytest.mark.filterwarnings("ignore:.*are read as sRGB:enhance.errors.EnhanceWarning")
def test_damaged_bytes_give_a_photo_or_one_line(
    suffix: str, place: float, value: int, count: int, folder: Path
) -> None:
    import cv2

    path = folder / f"whole{suffix}"
    if not path.exists():
        if suffix.startswith("16"):
            path = folder / f"whole{suffix}"
            cv2.imwrite(str(path), np.full((16, 16, 3), 4321, np.uint16))
        else:
            encoded(suffix, folder, side=16)
    data = bytearray(path.read_bytes())
    start = int(place * len(data))
    data[start : start + count] = bytes([value]) * len(data[start : start + count])
    damaged = folder / f"a.{suffix.removeprefix('16').removeprefix('.')}"
    damaged.write_bytes(data)
    try:
        assert read(damaged).pixels.isfinite().all()
    except ReadError as error:
        one_line(error, str(damaged))


@pytest.mark.parametrize("suffix", [".gif", ".png", ".webp", ".avif"])
def test_an_animation(suffix: str, folder: Path, noise: np.ndarray) -> None:
    frames = [Image.fromarray(np.roll(noise, shift, 1)) for shift in range(3)]
    frames[0].save(f"a{suffix}", save_all=True, append_images=frames[1:])
    with pytest.raises(
        ReadError, match=rf"^cannot read a\{suffix}: a photo has one frame, this has 3$"
    ):
        read(f"a{suffix}")


def test_several_pages(folder: Path, noise: np.ndarray) -> None:
    page = Image.fromarray(noise)
    page.save("a.tif", save_all=True, append_images=[page])
    with pytest.raises(ReadError, match=r"^cannot read a\.tif: a photo has one page, this has 2$"):
        read("a.tif")


def test_a_decompression_bomb_is_refused_before_it_goes_off(folder: Path) -> None:
    import struct
    import zlib

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    side = 100_000
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    rows = chunk(b"IDAT", zlib.compress(bytes(1000)))
    Path("a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + header + rows + chunk(b"IEND", b""))
    with pytest.raises(ReadError) as caught:
        read("a.png")
    assert str(caught.value) == (
        "cannot read a.png: at most 500000000 pixels are allowed, got 100000 x 100000 = 10000000000"
    )


def test_the_limit_of_pixels_can_be_set_and_pillows_own_is_left_alone(
    photo: Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    assert read("a.png").size == (7, 9)
    assert Image.MAX_IMAGE_PIXELS == 10
    with pytest.raises(ReadError, match="at most 62 pixels are allowed, got 9 x 7 = 63"):
        read("a.png", max_pixels=62)
    assert read("a.png", max_pixels=63).size == (7, 9)
    monkeypatch.setattr(reading, "MAX_PIXELS", 62)
    with pytest.raises(ReadError, match="at most 62 pixels"):
        read("a.png")


def test_threads_that_read_leave_pillow_and_the_warnings_as_they_were(photo: Photo) -> None:
    before = Image.MAX_IMAGE_PIXELS, list(warnings.filters)
    with ThreadPoolExecutor(8) as pool:
        sizes = list(pool.map(lambda _: read("a.png").size, range(200)))
    assert sizes == [(7, 9)] * 200
    assert (Image.MAX_IMAGE_PIXELS, list(warnings.filters)) == before


def test_a_tile_larger_than_any_photo_is_refused(folder: Path, noise: np.ndarray) -> None:
    import tifffile

    tifffile.imwrite("a.tif", noise, tile=(64, 64), photometric="rgb")
    assert read("a.tif").size == (7, 9)
    with pytest.raises(ReadError, match="at most 100 pixels are allowed, got 64 x 64 = 4096"):
        read("a.tif", max_pixels=100)


def test_a_float_tiff_beyond_the_range_or_the_limit(folder: Path) -> None:
    import tifffile

    tifffile.imwrite("a.tif", np.full((4, 4, 3), 3.0, np.float32), photometric="rgb")
    with pytest.raises(
        ReadError, match=r"^cannot read a\.tif: float pixels must lie in \[0, 1\], got max 3"
    ):
        read("a.tif")
    with pytest.raises(ReadError, match="at most 15 pixels are allowed, got 4 x 4 = 16"):
        read("a.tif", max_pixels=15)


@pytest.mark.parametrize(
    ("name", "extra", "module"),
    [("a.nef", "raw", "rawpy"), ("a.heic", "heif", "pillow_heif"), ("a.exr", "exr", "OpenEXR")],
)
def test_a_missing_extra_is_named(
    name: str, extra: str, module: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    Path(name).write_bytes(
        b"\x76\x2f\x31\x01" if extra == "exr" else b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"
    )
    with pytest.raises(MissingExtraError, match=rf"pip install 'enhance-tune\[{extra}\]'"):
        read(name)
    with pytest.raises(ImportError):
        read(name)
    if extra != "raw":
        with pytest.raises(MissingExtraError, match=rf"pip install 'enhance-tune\[{extra}\]'"):
            check_target(f"b{Path(name).suffix}")


def test_every_error_is_of_the_family() -> None:
    for error in (ReadError, WriteError, ImageError, MissingExtraError):
        assert issubclass(error, EnhanceError)
    assert files.read is reading.read
