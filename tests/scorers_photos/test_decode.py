"""Photo files: depth, colour and alpha as they are meant, and one line for what cannot be read."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms, ImageOps

from enhance.imaging.files import read
from scorers.errors import InputError
from scorers.photos.decode import decode, read_photo

LEVELS = np.arange(256, dtype=np.uint16).reshape(8, 32)


@pytest.fixture(scope="module")
def swapped() -> bytes:
    """A profile like sRGB whose first channel is blue and whose last is red."""
    data = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    head, tags = data[:132], data[132:]
    tags = tags.replace(b"rXYZ", b"????", 1).replace(b"bXYZ", b"rXYZ", 1)
    return head + tags.replace(b"????", b"bXYZ", 1)


@pytest.fixture
def colours() -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


@pytest.mark.parametrize("name", ["grey.png", "grey.tif"])
def test_grey_of_16_bits_is_as_bright_as_of_8(name: str, tmp_path: Path) -> None:
    Image.fromarray(LEVELS.astype(np.uint8)).save(tmp_path / "8.png")
    Image.fromarray(LEVELS * 257).save(tmp_path / name)
    assert torch.equal(decode(tmp_path / name), decode(tmp_path / "8.png"))
    torch.testing.assert_close(read_photo(tmp_path / name), read_photo(tmp_path / "8.png"))
    shrunk = decode(tmp_path / name, 4)
    assert torch.equal(shrunk, decode(tmp_path / "8.png", 4))
    Image.fromarray(LEVELS * 257 + 100).save(tmp_path / name)  # a level that 8 bits lack
    expected = torch.from_numpy((LEVELS * 257 + 100).clip(max=65535) / 65535).float()
    torch.testing.assert_close(read_photo(tmp_path / name)[0, 1, :7], expected[:7])


def test_grey_of_32_bits_must_be_within_16(tmp_path: Path) -> None:
    path = tmp_path / "grey.tif"
    Image.fromarray(LEVELS.astype(np.int32) * 257).save(path)
    torch.testing.assert_close(read_photo(path)[0, 0, -1, -1].item(), 1.0)
    Image.fromarray(LEVELS.astype(np.int32) * 300).save(path)
    with pytest.raises(InputError, match=r"grey must lie in \[0, 65535\], got 0 to 76500"):
        decode(path)


def test_floats_of_unknown_range_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "float.tif"
    Image.fromarray(LEVELS.astype(np.float32) / 255).save(path)
    with pytest.raises(InputError, match=r"float\.tif: its values must be integers, got mode F"):
        read_photo(path)


def test_profiles_are_converted_to_srgb(
    colours: Image.Image, swapped: bytes, tmp_path: Path
) -> None:
    colours.save(tmp_path / "plain.png")
    colours.save(tmp_path / "swapped.png", icc_profile=swapped)
    plain, converted = (read_photo(tmp_path / f"{name}.png") for name in ("plain", "swapped"))
    torch.testing.assert_close(converted, plain.flip(1), atol=1.5 / 255, rtol=0)
    assert (converted - plain).abs().max() > 0.1


def test_a_damaged_avif_is_one_line(colours: Image.Image, tmp_path: Path) -> None:
    path = tmp_path / "photo.avif"
    colours.resize((64, 48)).save(path)
    whole = path.read_bytes()
    start = whole.index(b"mdat") + 4
    path.write_bytes(whole[:start] + bytes(len(whole) - start))  # its reader's RuntimeError
    with pytest.raises(InputError, match=r"cannot read .*photo\.avif: ") as caught:
        read_photo(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_profiles_that_are_damaged_or_of_other_channels_are_ignored(
    mode: str, colours: Image.Image, swapped: bytes, tmp_path: Path
) -> None:
    profile = b"no profile at all" if mode == "RGB" else swapped
    photo = colours.convert(mode)
    photo.save(tmp_path / "plain.png")
    photo.save(tmp_path / "odd.png", icc_profile=profile)
    assert torch.equal(decode(tmp_path / "odd.png"), decode(tmp_path / "plain.png"))


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_colours_beneath_alpha_are_taken_as_they_are(
    mode: str, colours: Image.Image, tmp_path: Path
) -> None:
    path = tmp_path / "photo.png"
    if mode == "P":
        photo = colours.quantize(16)
        expected = photo.convert("RGB")
        photo.save(path, transparency=bytes(range(0, 256, 16)))
    else:
        photo = colours.convert(mode)
        expected = (colours.convert("L") if mode == "LA" else colours).convert("RGB")
        photo.putalpha(Image.linear_gradient("L").resize(photo.size))
        photo.save(path)
    assert np.array_equal(decode(path).permute(1, 2, 0), np.asarray(expected))


def test_the_other_command_reads_the_same(
    colours: Image.Image, swapped: bytes, tmp_path: Path
) -> None:
    """`scorers score` and `enhance score` are to say the same of a file."""
    Image.fromarray(LEVELS * 256 + 77).save(tmp_path / "deep.png")
    colours.save(tmp_path / "profile.png", icc_profile=swapped)
    exif = colours.getexif()
    exif[0x0112] = 6
    colours.save(tmp_path / "turned.png", exif=exif)
    colours.putalpha(40)
    colours.save(tmp_path / "alpha.png")
    for path in sorted(tmp_path.iterdir()):
        tolerance = 1.5 / 255 if path.stem == "profile" else 1e-6
        torch.testing.assert_close(read_photo(path), read(path).pixels, atol=tolerance, rtol=0)


def odd_exif(tag: int, kind: int, count: int, value: bytes) -> bytes:
    """EXIF of a photo that lies on its side, with one more entry, as it is written."""
    entries = struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0)
    entries += struct.pack("<HHI4s", tag, kind, count, value)
    return b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", 2) + entries + bytes(4)


@pytest.mark.parametrize(
    ("tag", "kind", "count", "value"),
    [
        (0x011A, 2, 4, b"72\0\0"),  # a resolution as text
        (0x0100, 2, 2, b"x\0\0\0"),  # a width as text
    ],
)
def test_only_the_orientation_of_exif_is_read(
    tag: int, kind: int, count: int, value: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "photo.jpg"
    Image.new("RGB", (16, 12)).save(path, exif=odd_exif(tag, kind, count, value))
    assert decode(path).shape == (3, 16, 12)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_photos_are_turned_as_pillow_turns_them(
    orientation: int, colours: Image.Image, tmp_path: Path
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    colours.save(tmp_path / "photo.png", exif=exif)
    with Image.open(tmp_path / "photo.png") as photo:
        expected = np.asarray(ImageOps.exif_transpose(photo))
    assert np.array_equal(decode(tmp_path / "photo.png").permute(1, 2, 0), expected)


def test_exif_that_cannot_be_read_says_nothing(colours: Image.Image, tmp_path: Path) -> None:
    colours.save(tmp_path / "plain.png")
    colours.save(tmp_path / "odd.png", exif=b"Exif\0\0no TIFF at all")
    assert torch.equal(decode(tmp_path / "odd.png"), decode(tmp_path / "plain.png"))


def test_whatever_a_reader_raises_of_damage_is_one_line(
    colours: Image.Image, tmp_path: Path
) -> None:
    path = tmp_path / "photo.qoi"
    colours.save(path)
    path.write_bytes(path.read_bytes()[:18])  # its reader's IndexError
    with pytest.raises(InputError, match=r"cannot read .*photo\.qoi: ") as caught:
        decode(path)
    assert "\n" not in str(caught.value)
