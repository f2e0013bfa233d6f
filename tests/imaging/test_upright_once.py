"""However a file says which way is up, what is written of it is not turned a second time."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps
from PIL.PngImagePlugin import PngInfo

from enhance.imaging import segments
from enhance.imaging.files import read, write

ROTATED = struct.pack("<HHLHH", 0x0112, 3, 1, 6, 0)


def tiff(*entries: bytes, end: bytes = bytes(4)) -> bytes:
    return b"II*\0" + struct.pack("<LH", 8, len(entries)) + b"".join(entries) + end


def photo() -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (8, 12, 3), dtype=np.uint8))


@pytest.mark.parametrize(
    "exif",
    [
        tiff(ROTATED),
        tiff(ROTATED, struct.pack("<HHLL", 0x8769, 4, 1, 60000)),  # leads nowhere
        tiff(ROTATED, end=b""),  # no word of a next directory
        tiff(struct.pack("<HHLHH", 0x0112, 8, 1, 6, 0)),  # a signed number
        tiff(struct.pack("<HHLL", 0x0112, 4, 1, 6)),
    ],
)
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
@pytest.mark.filterwarnings("ignore:Corrupt EXIF", "ignore:.*damaged EXIF is left out")
def test_by_exif_that_is_odd(exif: bytes, suffix: str, tmp_path: Path) -> None:
    path, again = tmp_path / f"photo{suffix}", tmp_path / f"again{suffix}"
    photo().save(path, exif=b"Exif\0\0" + exif)
    check(path, again)


@pytest.mark.parametrize("compressed", [False, True])
def test_by_exif_as_imagemagick_writes_it(compressed: bool, tmp_path: Path) -> None:
    body = (b"Exif\0\0" + tiff(ROTATED)).hex()
    text = f"\nexif\n{len(body) // 2:8d}\n{body}\n"
    info = PngInfo()
    info.add_text("Raw profile type exif", text, zip=compressed)
    photo().save(tmp_path / "photo.png", pnginfo=info)
    check(tmp_path / "photo.png", tmp_path / "again.png")


@pytest.mark.parametrize("compressed", [False, True])
def test_by_xmp(compressed: bool, tmp_path: Path) -> None:
    info = PngInfo()
    xmp = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><a tiff:Orientation="6"/></x:xmpmeta>'
    info.add_itxt("XML:com.adobe.xmp", xmp, zip=compressed)
    photo().save(tmp_path / "photo.png", pnginfo=info)
    check(tmp_path / "photo.png", tmp_path / "again.png")


def test_texts_that_cannot_be_unpacked_stay_as_they_are() -> None:
    bomb = zlib.compress(bytes(segments.MOST_TEXT + 1))
    blocks = [
        (b"zTXt", b"Raw profile type exif\0\0" + b"no zlib"),
        (b"tEXt", b"Raw profile type exif\0\nexif\n 3\nno hex\n"),
        (b"iTXt", b"XML:com.adobe.xmp\0\x01\0\0\0" + bomb),
    ]
    assert segments.upright_blocks(blocks, lambda exif: exif) == blocks


def check(path: Path, again: Path) -> None:
    """What is seen of `path` is seen of a copy that is written of it."""
    with Image.open(path) as image:
        seen = ImageOps.exif_transpose(image)
        assert seen.size == (8, 12)
    source = read(path)
    assert source.size == (12, 8)
    write(source, source.pixels, again)
    with Image.open(again) as image:
        assert ImageOps.exif_transpose(image).size == (8, 12)
    assert read(again).size == (12, 8)
