"""More than 8 bits, in and out, against other decoders; and camera and phone formats."""

from __future__ import annotations

import sys
import types
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
import torch
from PIL import Image

from enhance.errors import ReadError
from enhance.imaging.files import read, write
from enhance.imaging.photo import as_photo


def deep(rng: np.random.Generator, channels: int) -> np.ndarray:
    shape = (7, 9) if channels == 1 else (7, 9, channels)
    return rng.integers(0, 65536, shape, dtype=np.uint16)


def swap(array: np.ndarray) -> np.ndarray:
    """OpenCV's channel order to ours, and back."""
    if array.ndim == 2:
        return array
    return np.ascontiguousarray(array[..., [2, 1, 0, 3][: array.shape[-1]]])


@pytest.mark.parametrize(
    ("name", "channels"), [("a.png", 1), ("a.png", 3), ("a.png", 4), ("a.tif", 1), ("a.tif", 3)]
)
def test_16_bits_survive_a_round_trip(
    name: str, channels: int, folder: Path, rng: np.random.Generator
) -> None:
    array = deep(rng, channels)
    cv2.imwrite(name, swap(array))
    photo = read(name)
    colour = array if channels < 4 else array[..., :3]
    expected = colour.reshape(7, 9, -1).astype(np.float32) / np.float32(65535)
    seen = photo.pixels[0].permute(1, 2, 0).numpy()
    assert np.array_equal(seen, np.broadcast_to(expected, seen.shape))
    write(photo, photo.pixels, f"b{Path(name).suffix}")
    assert np.array_equal(swap(cv2.imread(f"b{Path(name).suffix}", cv2.IMREAD_UNCHANGED)), array)


@pytest.mark.parametrize("compression", [None, "zlib", "lzw"])
def test_16_bit_tiff_of_any_lossless_compression(
    compression: str | None, folder: Path, rng: np.random.Generator
) -> None:
    array = deep(rng, 3)
    if compression == "lzw":
        cv2.imwrite("a.tif", swap(array), [cv2.IMWRITE_TIFF_COMPRESSION, 5])
    else:
        tifffile.imwrite("a.tif", array, compression=compression, photometric="rgb")
    photo = read("a.tif")
    write(photo, photo.pixels, "b.tif")
    assert np.array_equal(tifffile.imread("b.tif"), array)
    with tifffile.TiffFile("b.tif") as file:
        assert (file.pages[0].compression != 1) == (compression is not None)


def test_16_bit_files_keep_their_tags(folder: Path, rng: np.random.Generator) -> None:
    extra = [(315, "s", 0, "an artist", True), (65000, "s", 0, "private", True)]
    array = deep(rng, 3)
    tifffile.imwrite("a.tif", array, extratags=extra, resolution=(300, 300), photometric="rgb")
    photo = read("a.tif")
    write(photo, photo.pixels, "b.tif")
    write(photo, photo.pixels, "b.png")
    with tifffile.TiffFile("b.tif") as file:
        tags = file.pages[0].tags
        assert tags[315].value == "an artist"
        assert tags[65000].value == "private"
        assert tags["XResolution"].value == (300, 1)
    assert np.array_equal(swap(cv2.imread("b.png", cv2.IMREAD_UNCHANGED)), array)
    with Image.open("b.png") as image:
        assert image.getexif()[315] == "an artist"


def test_16_bit_orientation_and_profile(folder: Path, rng: np.random.Generator) -> None:
    from PIL import ImageCms

    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    array = deep(rng, 3)
    tifffile.imwrite(
        "a.tif", array, photometric="rgb", iccprofile=icc, extratags=[(274, "H", 1, 8, True)]
    )
    photo = read("a.tif")
    assert photo.size == (9, 7)
    write(photo, photo.pixels, "b.tif")
    with tifffile.TiffFile("b.tif") as file:
        assert np.array_equal(file.asarray(), np.rot90(array))
        assert file.pages[0].tags[274].value == 1
        assert file.pages[0].tags[34675].value == icc


@pytest.mark.parametrize("layout", ["RGB", "grey"])
def test_float_tiff_survives_a_round_trip(
    layout: str, folder: Path, rng: np.random.Generator
) -> None:
    array = rng.random((7, 9, 3) if layout == "RGB" else (7, 9), np.float32)
    tifffile.imwrite("a.tif", array, photometric="rgb" if layout == "RGB" else "minisblack")
    photo = read("a.tif")
    write(photo, photo.pixels, "b.tif")
    assert tifffile.imread("b.tif").dtype == np.float32
    assert np.array_equal(tifffile.imread("b.tif"), array)
    assert photo.like_input(photo.pixels).size == (9, 7)


def test_a_pil_image_of_a_16_bit_file_has_8_bits(folder: Path, rng: np.random.Generator) -> None:
    array = deep(rng, 4)
    cv2.imwrite("a.png", swap(array))
    photo = read("a.png")
    image = photo.like_input(photo.pixels)
    assert image.mode == "RGBA"
    assert np.abs(np.asarray(image) * 257.0 - array).max() <= 257


@pytest.mark.parametrize(("suffix", "levels"), [(".jpg", 255), (".webp", 255), (".bmp", 255)])
def test_8_bit_formats_get_a_dithered_photo(suffix: str, levels: int, folder: Path) -> None:
    ramp = np.broadcast_to(np.linspace(20000, 20514, 64).astype(np.uint16), (64, 64))
    cv2.imwrite("a.png", ramp)
    photo = read("a.png")
    write(photo, photo.pixels, f"b{suffix}")
    with Image.open(f"b{suffix}") as image:
        assert image.mode in ("L", "RGB")
        assert abs(np.asarray(image).mean() * 257 - ramp.mean()) < 100


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("kind", ["array", "tensor"])
def test_16_bit_arrays_are_written_with_16_bits_where_there_is_a_way(
    suffix: str, channels: int, kind: str, folder: Path, rng: np.random.Generator
) -> None:
    array = rng.integers(0, 65536, (7, 9, channels), dtype=np.uint16)
    photo = as_photo(array if kind == "array" else torch.from_numpy(array).permute(2, 0, 1))
    write(photo, photo.pixels, f"b{suffix}")
    again = cv2.imread(f"b{suffix}", cv2.IMREAD_UNCHANGED)
    if channels in (1, 3) or (channels == 4 and suffix == ".png"):
        assert np.array_equal(swap(again), array.squeeze())
    else:
        assert again.dtype == np.uint8


def test_a_layout_that_cannot_be_read_deep_says_so(folder: Path, rng: np.random.Generator) -> None:
    array = deep(rng, 4)
    tifffile.imwrite("a.tif", array, photometric="rgb", extrasamples=["unassalpha"])
    with pytest.warns(UserWarning, match=r"a\.tif: 16 bits of this layout are read as 8"):
        photo = read("a.tif")
    write(photo, photo.pixels, "b.tif")
    again = tifffile.imread("b.tif")
    assert again.dtype == np.uint8
    assert np.abs(again.astype(int) - array // 257).max() <= 1


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_a_truncated_deep_file(suffix: str, folder: Path, rng: np.random.Generator) -> None:
    cv2.imwrite(f"a{suffix}", deep(rng, 3))
    data = Path(f"a{suffix}").read_bytes()
    Path(f"a{suffix}").write_bytes(data[:-150])
    with pytest.raises(ReadError, match=rf"^cannot read a\{suffix}: "):
        read(f"a{suffix}")


class FakeRaw:
    """What rawpy.imread returns, as far as it is used; rawpy itself needs a camera's file."""

    sizes = types.SimpleNamespace(width=9, height=7)

    def __enter__(self) -> FakeRaw:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def postprocess(self, *, output_bps: int, **_: object) -> np.ndarray:
        assert output_bps == 16
        return np.full((7, 9, 3), 30000, np.uint16)


def test_raw_is_read_at_16_bits(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rawpy = types.ModuleType("rawpy")
    rawpy.LibRawError = RuntimeError  # type: ignore[attr-defined]
    rawpy.imread = lambda path: FakeRaw()  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "rawpy", rawpy)
    Path("a.NEF").write_bytes(b"II*\0")
    photo = read("a.NEF")
    assert photo.pixels.unique().tolist() == [np.float32(30000) / np.float32(65535)]
    with pytest.raises(ReadError, match="at most 62 pixels are allowed, got 9 x 7 = 63"):
        read("a.NEF", max_pixels=62)
    write(photo, photo.pixels, "b.png")
    assert cv2.imread("b.png", cv2.IMREAD_UNCHANGED).max() == 30000

    def fail(path: str) -> None:
        raise RuntimeError(b"Unsupported file format")  # bytes, as rawpy does

    rawpy.imread = fail  # type: ignore[attr-defined]
    with pytest.raises(ReadError, match=r"^cannot read a\.NEF: damaged or unknown RAW: Unsupp"):
        read("a.NEF")


@pytest.mark.parametrize("suffix", [".heic", ".heif"])
def test_heif_with_the_extra(suffix: str, folder: Path, noise: np.ndarray) -> None:
    pytest.importorskip("pillow_heif", reason="needs the extra heif")
    exif = Image.Exif()
    exif[0x010F] = "Maker"
    source = as_photo(np.kron(noise, np.ones((16, 16, 1), np.uint8)))
    write(source, source.pixels, f"a{suffix}")
    photo = read(f"a{suffix}")
    assert (photo.pixels - source.pixels).abs().mean() < 0.03
    write(photo, photo.pixels, f"b{suffix}")
    assert read(f"b{suffix}").size == photo.size
