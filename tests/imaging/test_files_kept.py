"""A file read and written again: no pixel of a lossless one changes, and no tag gets lost."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms
from PIL.ExifTags import IFD
from PIL.PngImagePlugin import PngInfo
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from enhance.imaging import segments, tiff
from enhance.imaging.files import read, write

ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
TIFF_COMPRESSIONS = ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"]


def opened(path: Path | str) -> Image.Image:
    with Image.open(path) as image:
        image.load()
    return image


def save(image: Image.Image, path: Path, exif: Image.Exif, xmp: bytes, **options: object) -> None:
    """Write with every tag that Pillow can write."""
    kind = path.suffix
    if kind == ".png":
        info = PngInfo()
        info.add_text("Title", "a title")
        info.add_itxt("XML:com.adobe.xmp", xmp.decode())
        info.add(b"gAMA", struct.pack(">I", 45455))
        image.save(path, exif=exif, icc_profile=ICC, dpi=(300, 300), pnginfo=info, **options)
    elif kind == ".tif":
        buffer = io.BytesIO()
        image.save(buffer, "TIFF", **options)
        path.write_bytes(tiff.graft(buffer.getvalue(), directory(xmp)))
    else:
        more = {"comment": b"a comment", "dpi": (300, 300)} if kind == ".jpg" else {}
        image.save(path, exif=exif, icc_profile=ICC, xmp=xmp, **more, **options)


def directory(xmp: bytes, orientation: int = 6) -> ImageFileDirectory_v2:
    tags = ImageFileDirectory_v2()
    entries = {270: (2, "a title"), 274: (3, orientation), 282: (5, 300.0), 283: (5, 300.0)}
    entries |= {296: (3, 2), 700: (1, xmp), 34675: (7, ICC), 65000: (2, "private")}
    entries |= {34665: (4, {0x9003: "2020:01:01 00:00:00", 0xA002: 9, 0xA003: 7})}
    entries |= {34853: (4, {1: "N"})}
    for tag, (kind, value) in entries.items():
        tags.tagtype[tag] = kind
        tags[tag] = value
    return tags


LOSSLESS = [
    (".png", {}),
    (".webp", {"lossless": True}),
    *((".tif", {"compression": c}) for c in TIFF_COMPRESSIONS),
]


@pytest.mark.parametrize(("suffix", "options"), LOSSLESS)
def test_identity_changes_no_pixel_and_no_tag_of_a_lossless_file(
    suffix: str, options: dict, folder: Path, noise: np.ndarray, exif: Image.Exif, xmp: bytes
) -> None:
    path, copy = folder / f"a{suffix}", folder / f"b{suffix}"
    save(Image.fromarray(noise), path, exif, xmp, **options)
    photo = read(path)
    assert photo.size == (9, 7)  # upright
    write(photo, photo.pixels, copy)
    before, after = opened(path), opened(copy)
    upright = np.rot90(noise, -1)
    assert np.array_equal(np.asarray(after), upright)
    assert after.getexif().get(0x0112, 1) == 1
    sizes = {0xA002: 7, 0xA003: 9}  # those of the turned photo
    assert after.getexif().get_ifd(0x8769) == before.getexif().get_ifd(0x8769) | sizes
    assert after.getexif().get_ifd(0x8825) == before.getexif().get_ifd(0x8825)
    assert after.info["xmp"] == xmp.replace(b'"6"', b'"1"')
    changed = {"exif", "xmp", "XML:com.adobe.xmp"}
    left = {k: v for k, v in before.info.items() if k not in changed}
    assert {k: v for k, v in after.info.items() if k not in changed} == left
    if suffix == ".tif":
        laid_out = {256, 257, 273, 278, 279, 34665, 34853, 274, 700}
        tags = {k: v for k, v in before.tag_v2.items() if k not in laid_out}
        assert {k: v for k, v in after.tag_v2.items() if k not in laid_out} == tags
    if suffix == ".png":
        with path.open("rb") as a, copy.open("rb") as b:
            assert [n for n, _ in segments.png_blocks(a)] == [n for n, _ in segments.png_blocks(b)]


@pytest.mark.parametrize(
    ("mode", "suffix"),
    [(m, ".png") for m in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")]
    + [(m, ".tif") for m in ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I;16B", "F")]
    + [("RGB", ".bmp"), ("L", ".bmp"), ("P", ".gif"), ("L", ".gif"), ("RGB", ".ppm"), ("L", ".pgm")]
    + [("RGB", ".jp2"), ("RGBA", ".webp"), ("RGB", ".webp")],
)
def test_every_mode_of_a_lossless_format_survives(
    mode: str, suffix: str, folder: Path, rng: np.random.Generator
) -> None:
    if mode.startswith("I;16"):
        image = Image.frombytes(mode, (9, 7), rng.bytes(126))
    elif mode == "F":
        image = Image.fromarray(rng.random((7, 9), np.float32))
    elif mode == "CMYK":
        image = Image.fromarray(rng.integers(0, 256, (7, 9, 4), dtype=np.uint8), mode)
    else:
        base = Image.fromarray(rng.integers(0, 256, (7, 9, 4), dtype=np.uint8), "RGBA")
        image = base.convert(mode) if mode in ("LA", "RGBA") else base.convert("RGB").convert(mode)
    path, copy = folder / f"a{suffix}", folder / f"b{suffix}"
    image.save(path, **({"lossless": True, "exact": True} if suffix == ".webp" else {}))
    photo = read(path)
    write(photo, photo.pixels, copy)
    before, after = opened(path), opened(copy)
    # Pillow reads a 16-bit TIFF of either byte order in that order's mode
    assert after.mode.removesuffix("B") == before.mode.removesuffix("B")
    if mode == "P":
        before, after = before.convert("RGB"), after.convert("RGB")
    assert np.array_equal(np.asarray(after), np.asarray(before))


@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("quality", [40, 83, 100])
def test_jpeg_keeps_its_tables_its_subsampling_and_every_segment(
    subsampling: int, progressive: bool, quality: int, folder: Path, exif: Image.Exif, xmp: bytes,
) -> None:  # fmt: skip
    from PIL.JpegImagePlugin import get_sampling

    ramp = np.add.outer(np.arange(48), np.arange(64)).astype(np.uint8)
    coding = {"subsampling": subsampling, "progressive": progressive, "quality": quality}
    save(Image.fromarray(ramp).convert("RGB"), folder / "a.jpg", exif, xmp, **coding)
    iptc = (b"\xed", b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\0")
    with (folder / "a.jpg").open("rb") as file:
        blocks = [*segments.jpeg_blocks(file), iptc]
    (folder / "a.jpg").write_bytes(segments.graft_jpeg((folder / "a.jpg").read_bytes(), blocks))

    photo = read(folder / "a.jpg")
    write(photo, photo.pixels, folder / "b.jpg")
    before, after = opened("a.jpg"), opened("b.jpg")
    assert after.quantization == before.quantization
    assert get_sampling(after) == get_sampling(before)
    assert bool(after.info.get("progressive")) == progressive
    assert after.info["dpi"] == (300, 300)
    assert after.info["icc_profile"] == ICC
    assert after.info["comment"] == b"a comment"
    assert after.info["xmp"] == xmp.replace(b'"6"', b'"1"')
    assert after.getexif()[0x0112] == 1
    with (folder / "b.jpg").open("rb") as file:
        again = segments.jpeg_blocks(file)
    assert [name for name, _ in again] == [name for name, _ in blocks]
    assert iptc in again
    # decoding and coding again at the same tables moves a smooth picture by a level or two
    upright = np.asarray(before.transpose(Image.Transpose.ROTATE_270)).astype(int)
    assert np.abs(np.asarray(after).astype(int) - upright).mean() < (2 if quality == 40 else 1)


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_other_jpegs_keep_their_mode(mode: str, folder: Path) -> None:
    ramp = Image.fromarray(np.add.outer(np.arange(48), np.arange(64)).astype(np.uint8))
    ramp.convert(mode).save("a.jpg", quality=95)
    photo = read("a.jpg")
    write(photo, photo.pixels, "b.jpg")
    before, after = opened("a.jpg"), opened("b.jpg")
    assert after.mode == mode
    assert np.abs(np.asarray(after).astype(int) - np.asarray(before)).max() <= 4


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp", ".avif"])
@pytest.mark.parametrize("origin", [".jpg", ".png", ".tif", ".webp", ".avif"])
def test_tags_move_to_another_format(
    origin: str, suffix: str, folder: Path, noise: np.ndarray, exif: Image.Exif, xmp: bytes
) -> None:
    save(Image.fromarray(noise), folder / f"a{origin}", exif, xmp)
    photo = read(folder / f"a{origin}")
    write(photo, photo.pixels, folder / f"b{suffix}")
    image = opened(folder / f"b{suffix}")
    tags = image.getexif()
    assert image.size == (7, 9)
    assert tags.get(0x0112, 1) == 1
    assert tags.get_ifd(0x8769)[0x9003] == "2020:01:01 00:00:00"
    assert tags.get_ifd(0x8825)[1] == "N"
    assert image.info["icc_profile"] == ICC
    assert image.info["xmp"].rstrip(b"\0") == xmp.replace(b'"6"', b'"1"')
    if {origin, suffix} <= {".jpg", ".png", ".tif"}:
        assert image.info["dpi"] == pytest.approx((300, 300), abs=0.01)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_a_thumbnail_of_other_pixels_goes_and_a_right_one_stays(
    suffix: str, folder: Path, noise: np.ndarray
) -> None:
    exif = thumbnail_exif()
    Image.fromarray(noise).save(folder / f"a{suffix}", exif=exif)
    photo = read(folder / f"a{suffix}")
    write(photo, photo.pixels, folder / f"same{suffix}")
    write(photo, photo.pixels * 0.5, folder / f"darker{suffix}")
    assert opened(folder / f"same{suffix}").getexif().get_ifd(IFD.IFD1)[0x0201] > 0
    assert not opened(folder / f"darker{suffix}").getexif().get_ifd(IFD.IFD1)
    assert opened(folder / f"darker{suffix}").getexif()[0x010F] == "Mk"


def thumbnail_exif() -> bytes:
    """EXIF of a maker's name, followed by a directory that points to a thumbnail."""
    main = struct.pack("<HHHI4sI", 1, 0x010F, 2, 3, b"Mk\0\0", 26)
    thumb = struct.pack("<HHHIIHHIII", 2, 0x0201, 4, 1, 56, 0x0202, 4, 1, 4, 0)
    return b"Exif\0\0II*\0\x08\0\0\0" + main + thumb + b"\xff\xd8\xff\xd9"


def test_a_multi_picture_jpeg_is_its_first_picture(folder: Path, noise: np.ndarray) -> None:
    image = Image.fromarray(noise)
    image.save("a.mpo", save_all=True, append_images=[image])
    Path("a.mpo").rename("a.jpg")
    photo = read("a.jpg")
    write(photo, photo.pixels, "b.jpg")
    with Image.open("b.jpg") as after:
        assert (after.format, getattr(after, "n_frames", 1)) == ("JPEG", 1)


def test_a_tiff_whose_other_page_is_a_thumbnail_is_read(folder: Path, noise: np.ndarray) -> None:
    small = ImageFileDirectory_v2()
    small[254] = 1
    buffer = io.BytesIO()
    from PIL.TiffImagePlugin import AppendingTiffWriter

    with AppendingTiffWriter(buffer, True) as pages:
        Image.fromarray(noise).save(pages, "TIFF")
        pages.newFrame()
        Image.fromarray(noise[:2, :2]).save(pages, "TIFF", tiffinfo=small)
    Path("a.tif").write_bytes(buffer.getvalue())
    assert np.array_equal(read("a.tif").pixels[0].mul(255).round().permute(1, 2, 0), noise)


def test_cmyk_becomes_rgb_where_the_format_has_no_inks(
    folder: Path, rng: np.random.Generator
) -> None:
    Image.fromarray(rng.integers(0, 256, (7, 9, 4), dtype=np.uint8), "CMYK").save("a.tif")
    photo = read("a.tif")
    write(photo, photo.pixels, "b.png")
    image = opened("b.png")
    assert image.mode == "RGB"
    assert (
        np.abs(np.asarray(image) / 255 - photo.pixels[0].permute(1, 2, 0).numpy()).max() < 1 / 255
    )


def test_png_stays_valid_with_its_chunks_moved(
    folder: Path, noise: np.ndarray, exif: Image.Exif, xmp: bytes
) -> None:
    save(Image.fromarray(noise), folder / "a.png", exif, xmp)
    photo = read("a.png")
    write(photo, 1 - photo.pixels, "b.png")
    data, place = Path("b.png").read_bytes(), 8
    names = []
    while place < len(data):
        length, name = struct.unpack_from(">I4s", data, place)
        (crc,) = struct.unpack_from(">I", data, place + 8 + length)
        assert crc == zlib.crc32(data[place + 4 : place + 8 + length])
        names.append(name)
        place += 12 + length
    assert names[0] == b"IHDR"
    assert names[-1] == b"IEND"
    assert names.index(b"iCCP") < names.index(b"IDAT")
    assert all(names.count(name) == 1 for name in (b"iCCP", b"eXIf", b"gAMA", b"pHYs", b"iTXt"))


def test_a_change_is_written(folder: Path, noise: np.ndarray) -> None:
    Image.fromarray(noise).save("a.png")
    photo = read("a.png")
    write(photo, 1 - photo.pixels, "b.png")
    assert np.array_equal(255 - np.asarray(opened("b.png")), noise)
    assert torch.allclose(read("b.png").pixels, 1 - photo.pixels)


def test_a_lossless_webp_with_a_long_profile_stays_lossless(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (9, 7, 3), dtype=np.uint8)
    path, again = tmp_path / "photo.webp", tmp_path / "again.webp"
    profile = ICC + bytes(range(256)) * 32  # the pixels come after it, beyond the first 4 kB
    Image.fromarray(pixels).save(path, lossless=True, icc_profile=profile)
    photo = read(path)
    write(photo, photo.pixels, again)
    assert np.array_equal(np.asarray(opened(again)), pixels)
    Image.fromarray(pixels).save(path, quality=50)
    assert read(path).source.options == {"lossless": False}  # type: ignore[union-attr]


def test_grey_of_16_bits_counted_from_white_is_no_negative(tmp_path: Path) -> None:
    path = tmp_path / "grey.tif"
    tags = ImageFileDirectory_v2()
    tags[262] = 0
    grey = np.full((4, 5), 5140, np.uint16)
    Image.fromarray(grey).save(path, tiffinfo=tags)
    data = bytearray(path.read_bytes())
    for entry in range(8, len(data) - 12):  # Pillow writes a 1 whatever it is told
        if data[entry : entry + 8] == struct.pack("<HHL", 262, 3, 1):
            data[entry + 8] = 0
    path.write_bytes(data)
    photo = read(path)
    assert photo.pixels.min().item() == pytest.approx((65535 - 5140) / 65535, abs=1e-4)
    write(photo, photo.pixels, tmp_path / "again.tif")
    assert torch.equal(read(tmp_path / "again.tif").pixels, photo.pixels)


def test_a_gain_map_is_left_out_aloud(tmp_path: Path) -> None:
    path, again = tmp_path / "photo.jpg", tmp_path / "again.jpg"
    xmp = b'<x:xmpmeta><rdf:Description hdrgm:Version="1.0" xmp:Rating="5"/></x:xmpmeta>'
    Image.new("RGB", (8, 8)).save(path, xmp=xmp)
    photo = read(path)
    with pytest.warns(UserWarning, match="the HDR gain map is left out"):
        write(photo, photo.pixels, again)
    kept = again.read_bytes()
    assert b"hdrgm" not in kept
    assert b'xmp:Rating="5"' in kept
