"""Camera RAW, on a small DNG of a known scene: developed as it should be, with its tags."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from enhance.errors import ReadError
from enhance.imaging import tiff
from enhance.imaging.files import read, write
from enhance.imaging.icc import SRGB_CURVE

rawpy = pytest.importorskip("rawpy", reason="needs the extra raw")

LEFT, RIGHT = (0.5, 0.25, 0.1), (0.1, 0.2, 0.4)
XYZ_TO_SRGB = (3.24045, -1.53714, -0.49853, -0.96927, 1.87601, 0.04156, 0.05564, -0.20403, 1.05723)


def save_dng(path: str, orientation: int = 6) -> None:
    """A camera of sRGB's primaries that sees `LEFT` and `RIGHT`, 64 high and 96 wide."""
    scene = np.empty((64, 96, 3))
    scene[:, :48], scene[:, 48:] = LEFT, RIGHT
    mosaic = np.empty((64, 96))
    for row, column, channel in ((0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 2)):
        mosaic[row::2, column::2] = scene[row::2, column::2, channel]
    matrix = [part for value in XYZ_TO_SRGB for part in (round(value * 10000), 10000)]
    tags = [
        (33421, "H", 2, (2, 2), True),  # CFA: red, green, green, blue
        (33422, "B", 4, (0, 1, 1, 2), True),
        (50706, "B", 4, (1, 4, 0, 0), True),  # DNG version
        (50708, "s", 0, "Maker Model", True),
        (50717, "I", 1, 65535, True),  # white level
        (50721, "2i", 9, matrix, True),
        (50728, "2I", 3, (1, 1, 1, 1, 1, 1), True),  # neutral as shot
        (50778, "H", 1, 21, True),  # calibrated for D65
    ]
    pixels = (mosaic * 65535).astype(np.uint16)
    tifffile.imwrite(path, pixels, photometric=32803, extratags=tags, metadata=None)
    more = ImageFileDirectory_v2()
    entries = {271: (2, "Maker"), 272: (2, "Model"), 274: (3, orientation), 700: (1, b"<x/>")}
    entries |= {34665: (4, {0x9003: "2020:01:01 00:00:00", 0x927C: b"note"}), 34853: (4, {1: "N"})}
    for tag, (kind, value) in entries.items():
        more.tagtype[tag] = kind
        more[tag] = value
    Path(path).write_bytes(tiff.graft(Path(path).read_bytes(), more))


def test_raw_is_developed_upright_at_16_bits(folder: Path) -> None:
    save_dng("a.DNG")
    photo = read("a.DNG")
    assert photo.size == (96, 64)  # turned clockwise: what was left is on top
    for row, colour in ((16, LEFT), (80, RIGHT)):
        seen = SRGB_CURVE.decode(photo.pixels[0, :, row, 32].numpy())
        assert seen.tolist() == pytest.approx(colour, abs=1e-3)
    write(photo, photo.pixels, "b.png")
    levels = cv2.imread("b.png", cv2.IMREAD_UNCHANGED)
    assert levels.dtype == np.uint16
    assert np.array_equal(levels[..., ::-1] / np.float32(65535), photo.pixels[0].permute(1, 2, 0))
    with pytest.raises(ReadError, match="at most 6143 pixels are allowed, got 96 x 64 = 6144"):
        read("a.DNG", max_pixels=6143)


@pytest.mark.parametrize("suffix", [".jpg", ".tif", ".png"])
def test_what_raw_says_of_the_photo_is_kept(suffix: str, folder: Path) -> None:
    save_dng("a.dng")
    photo = read("a.dng")
    write(photo, photo.pixels, f"b{suffix}")
    with Image.open(f"b{suffix}") as image:
        image.load()
        tags = image.getexif()
        assert (tags[271], tags[272], tags[274]) == ("Maker", "Model", 1)
        assert tags.get_ifd(0x8769) == {0x9003: "2020:01:01 00:00:00"}
        assert tags.get_ifd(0x8825) == {1: "N"}
        assert image.info["xmp"].rstrip(b"\0") == b"<x/>"
        assert not {33421, 50706, 50721} & set(tags)  # of the mosaic, which is gone


@pytest.mark.parametrize("data", [b"II*\0", b"FUJIFILMCCD-RAW " + bytes(200), b"no photo at all"])
def test_damaged_raw(data: bytes, folder: Path) -> None:
    Path("a.NEF").write_bytes(data)
    with pytest.raises(ReadError, match=r"^cannot read a\.NEF: damaged or unknown RAW: [^\n]+$"):
        read("a.NEF")
    save_dng("whole.dng")
    Path("cut.dng").write_bytes(Path("whole.dng").read_bytes()[:2000])
    with pytest.raises(ReadError, match=r"^cannot read cut\.dng: damaged or unknown RAW: "):
        read("cut.dng")
