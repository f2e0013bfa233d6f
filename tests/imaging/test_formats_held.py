"""What a format cannot hold becomes the nearest that it can, and is found out before any work."""

from __future__ import annotations

import re
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
import torch
from PIL import Image

from enhance.errors import WriteError
from enhance.imaging import formats
from enhance.imaging.files import check_holds, read, write
from enhance.imaging.icc import srgb_profile
from enhance.imaging.intake import as_photo

ENDINGS = sorted({format: suffix for suffix, format in formats.FORMAT_OF.items()}.values())
LOSSY = {"JPEG": 4, "WEBP": 5, "AVIF": 5, "HEIF": 5}
"""Levels that a smooth picture may move by, on average."""


@pytest.fixture
def smooth() -> np.ndarray:
    """A (64, 64, 3) ramp of about 200 colours."""
    ramp = np.add.outer(np.arange(64), np.arange(64)) // 9 * 9
    return np.stack([ramp, ramp[::-1], 60 + ramp // 2], -1).astype(np.uint8)


def palette(array: np.ndarray) -> Image.Image:
    method = Image.Quantize.FASTOCTREE if array.shape[-1] == 4 else Image.Quantize.MEDIANCUT
    return Image.fromarray(array).quantize(200, method)


def with_hole(array: np.ndarray) -> np.ndarray:
    alpha = np.full((*array.shape[:2], 1), 255, np.uint8)
    alpha[8:40, 8:40] = 0
    return np.concatenate([array, alpha], -1)


def rgba(path: str) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGBA"))


# palettes


@pytest.mark.parametrize("suffix", ENDINGS)
@pytest.mark.parametrize("origin", [".png", ".gif"])
def test_a_palette_is_written_in_every_format(
    origin: str, suffix: str, folder: Path, smooth: np.ndarray
) -> None:
    palette(smooth).save(f"a{origin}")
    photo = read(f"a{origin}")
    write(photo, photo.pixels, f"b{suffix}")
    moved = (read(f"b{suffix}").pixels - photo.pixels).abs().mean() * 255
    assert moved <= LOSSY.get(formats.FORMAT_OF[suffix], 1e-2)


@pytest.mark.parametrize("suffix", sorted({".webp", ".avif", ".jp2", ".ppm", ".jpg"}))
def test_a_changed_palette_is_not_quantised_where_there_is_no_need(
    suffix: str, folder: Path, rng: np.random.Generator
) -> None:
    Image.fromarray(np.tile(np.arange(256, dtype=np.uint8), (256, 1))).convert("P").save("a.png")
    photo = read("a.png")
    ramp = torch.linspace(0, 1, 256)[:, None]
    wanted = photo.pixels * torch.stack([ramp, 1 - ramp, ramp * 0 + 0.5])[None]
    write(photo, wanted, f"b{suffix}")
    again = read(f"b{suffix}").pixels
    chosen = as_photo(photo.like_input(wanted)).pixels  # of 256 colours
    assert (again - wanted).abs().mean() < (chosen - wanted).abs().mean() / 2


# transparency


@pytest.mark.parametrize("suffix", [".gif", ".png", ".tif", ".webp", ".jp2", ".avif", ".heic"])
@pytest.mark.parametrize("origin", [".gif", "p.png", ".png"])
def test_transparency_survives(origin: str, suffix: str, folder: Path, smooth: np.ndarray) -> None:
    image = Image.fromarray(with_hole(smooth))
    (palette(np.asarray(image)) if origin == "p.png" else image).save(f"a{origin}")
    photo = read(f"a{origin}")
    assert photo.alpha is not None
    write(photo, photo.pixels, f"b{suffix}")
    again = read(f"b{suffix}")
    assert again.alpha is not None
    assert (again.alpha - photo.alpha).abs().max() <= 1 / 255
    seen = (photo.alpha > 0.5).expand_as(photo.pixels)
    if formats.FORMAT_OF[suffix] not in LOSSY and (suffix != ".gif" or origin != ".png"):
        assert torch.equal(again.pixels[seen], photo.pixels[seen])


def test_identity_changes_no_pixel_of_a_transparent_gif(folder: Path, smooth: np.ndarray) -> None:
    image = palette(smooth)
    image.info["transparency"] = image.getpixel((20, 20))
    image.save("a.gif")
    photo = read("a.gif")
    write(photo, photo.pixels, "b.gif")
    before, after = rgba("a.gif"), rgba("b.gif")
    assert before[..., 3].min() == 0
    assert np.array_equal(after, before)


def test_a_changed_gif_keeps_its_hole_though_the_colours_below_differ(
    folder: Path, rng: np.random.Generator
) -> None:
    array = with_hole(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8))
    array[0, 0, 3], array[0, 1, 3] = 100, 150  # GIF knows on and off only
    photo = as_photo(array)
    write(photo, 1 - photo.pixels, "b.gif")
    after = rgba("b.gif")
    assert np.array_equal(after[..., 3] > 0, array[..., 3] >= 128)
    seen = after[..., 3] > 0
    assert np.abs(255 - after[seen].astype(float) - array[seen])[..., :3].mean() < 30


@pytest.mark.parametrize("kind", ["all", "none"])
def test_a_gif_that_is_all_hole_or_has_none(kind: str, folder: Path, smooth: np.ndarray) -> None:
    alpha = np.full((64, 64, 1), 0 if kind == "all" else 255, np.uint8)
    photo = as_photo(np.concatenate([smooth, alpha], -1))
    write(photo, photo.pixels, "b.gif")
    again = read("b.gif")
    if kind == "all":
        assert again.alpha is not None
        assert again.alpha.max() == 0
    else:
        assert again.alpha is None


def deep_png(array: np.ndarray, transparent: np.ndarray) -> bytes:
    """A PNG at 16 bits, grey or RGB, of which one colour is transparent."""

    def chunk(name: bytes, data: bytes) -> bytes:
        crc = struct.pack(">I", zlib.crc32(name + data))
        return struct.pack(">I", len(data)) + name + data + crc

    height, width, channels = array.shape
    header = struct.pack(">IIBBBBB", width, height, 16, 0 if channels == 1 else 2, 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in array)
    return b"".join([
        b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", header),
        chunk(b"tRNS", transparent.astype(">u2").tobytes()),
        chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b""),
    ])  # fmt: skip


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_a_transparent_colour_at_16_bits_becomes_alpha(
    suffix: str, channels: int, folder: Path, rng: np.random.Generator
) -> None:
    array = rng.integers(0, 65536, (7, 9, channels), dtype=np.uint16)
    Path("a.png").write_bytes(deep_png(array, array[2, 3]))
    photo = read("a.png")
    write(photo, photo.pixels, f"b{suffix}")
    for again in (photo, read(f"b{suffix}")):
        assert again.alpha is not None
        assert again.alpha[0, 0, 2, 3] == 0
        assert again.alpha.sum() == 7 * 9 - 1
        levels = again.pixels[0, :channels].permute(1, 2, 0).numpy()
        assert np.array_equal(levels, array / np.float32(65535))
    with Image.open("a.png") as image:
        shown = as_photo(image)
    assert shown.alpha is not None
    assert shown.like_input(shown.pixels).mode == ("LA" if channels == 1 else "RGBA")


@pytest.mark.parametrize("array", ["uint16", "uint8"])
def test_transparency_where_there_is_none_is_refused_before_any_work(
    array: str, folder: Path
) -> None:
    samples = np.zeros((4, 5, 4), array)
    for suffix in (".jpg", ".bmp", ".ppm"):
        format = formats.FORMAT_OF[suffix]
        with pytest.raises(
            WriteError, match=rf"^cannot write b\{suffix}: {format} holds no transparency \("
        ):
            check_holds(as_photo(samples), f"b{suffix}")
    check_holds(as_photo(samples), "b.png")
    samples[..., 3] = np.iinfo(array).max
    check_holds(as_photo(samples), "b.jpg")
    with pytest.raises(WriteError, match=re.escape("cannot write b.foo: unknown extension '.foo'")):
        check_holds(as_photo(samples), "b.foo")


@pytest.mark.parametrize(("suffix", "most"), [(".jpg", 65500), (".webp", 16383), (".gif", 65535)])
def test_a_photo_with_more_pixels_than_can_be_counted(suffix: str, most: int, folder: Path) -> None:
    photo = as_photo(np.zeros((most, 1, 3), np.uint8))
    check_holds(photo, f"b{suffix}")
    write(photo, photo.pixels, f"b{suffix}")
    larger = as_photo(np.zeros((1, most + 1, 3), np.uint8))
    with pytest.raises(WriteError, match=rf"at most {most} pixels .* got {most + 1} x 1$"):
        check_holds(larger, f"b{suffix}")


# colour


@pytest.fixture
def exchanged() -> bytes:
    """A profile like that of sRGB, but with the primaries red and green exchanged."""
    data = srgb_profile()
    return data.replace(b"rXYZ", b"????").replace(b"gXYZ", b"rXYZ").replace(b"????", b"gXYZ")


@pytest.mark.parametrize("suffix", ENDINGS)
@pytest.mark.parametrize("mode", ["RGB", "P"])
def test_a_photo_of_another_colour_space_looks_the_same_in_every_format(
    mode: str, suffix: str, exchanged: bytes, folder: Path
) -> None:
    colour = Image.new("RGB", (16, 16), (200, 90, 80))
    (palette(np.asarray(colour)) if mode == "P" else colour).save("a.png", icc_profile=exchanged)
    photo = read("a.png")
    assert photo.pixels[0, :, 0, 0].mul(255).round().tolist() == [90, 200, 80]
    write(photo, photo.pixels, f"b{suffix}")
    again = read(f"b{suffix}").pixels
    assert (again.mean((2, 3)) - photo.pixels.mean((2, 3))).abs().max() * 255 < 3


# 16 bits


@pytest.mark.parametrize(
    "options", [{}, {"compression": "zlib", "predictor": True}], ids=["plain", "differences"]
)
def test_grey_with_alpha_of_a_tiff_at_16_bits(
    options: dict, folder: Path, rng: np.random.Generator
) -> None:
    array = rng.integers(0, 65536, (7, 9, 2), dtype=np.uint16)
    tifffile.imwrite(
        "a.tif", array, photometric="minisblack", planarconfig="contig",
        extrasamples=["unassalpha"], extratags=[(271, "s", 0, "Maker", True)], **options,
    )  # fmt: skip
    photo = read("a.tif")
    assert photo.alpha is not None
    assert np.array_equal(photo.alpha[0, 0], array[..., 1] / np.float32(65535))
    assert photo.like_input(photo.pixels).mode == "LA"
    write(photo, photo.pixels, "b.tif")
    with tifffile.TiffFile("b.tif") as file:
        assert np.array_equal(file.asarray(), array)
        assert file.pages[0].tags[271].value == "Maker"
        assert (file.pages[0].compression != 1) == bool(options)
    write(photo, photo.pixels, "b.png")
    assert np.array_equal(cv2.imread("b.png", cv2.IMREAD_UNCHANGED), array[..., [0, 0, 0, 1]])
    write(photo, photo.pixels, "c.webp")
    with Image.open("c.webp") as image:
        assert image.getexif()[271] == "Maker"


def test_a_second_channel_that_nobody_says_the_meaning_of_is_no_alpha(
    folder: Path, rng: np.random.Generator
) -> None:
    array = rng.integers(0, 65536, (7, 9, 2), dtype=np.uint16)
    tifffile.imwrite(
        "a.tif", array, photometric="minisblack", planarconfig="contig",
        extrasamples=["unspecified"],
    )  # fmt: skip
    photo = read("a.tif")
    assert photo.alpha is None
    write(photo, photo.pixels, "b.tif")
    assert np.array_equal(tifffile.imread("b.tif"), array[..., 0])
