"""More than 8 bits, in and out, against other decoders; and camera and phone formats."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pillow_heif
import pytest
import tifffile
import torch
from PIL import Image, ImageCms

from enhance.errors import ReadError
from enhance.imaging.files import read, write
from enhance.imaging.heif import avif_bit_depth
from enhance.imaging.intake import as_photo
from enhance.imaging.metadata import Tags


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
    if channels != 2:
        assert np.array_equal(swap(again), array.squeeze())
    elif suffix == ".png":  # OpenCV makes colour of grey with alpha
        assert np.array_equal(again, array[..., [0, 0, 0, 1]])
    else:
        assert np.array_equal(tifffile.imread("b.tif"), array)


@pytest.mark.parametrize("channels", [3, 4])
def test_16_bit_planes_that_lie_apart_are_refused(
    channels: int, folder: Path, rng: np.random.Generator
) -> None:
    planes = np.ascontiguousarray(deep(rng, channels).transpose(2, 0, 1))
    tifffile.imwrite("a.tif", planes, photometric="rgb", planarconfig="separate")
    with pytest.raises(ReadError, match=r"a\.tif: 16-bit TIFF must be interleaved"):
        read("a.tif")


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    "options",
    [{}, {"compression": "zlib", "predictor": True}, {"tile": (16, 16), "compression": "zlib"}],
    ids=["plain", "differences", "tiles"],
)
@pytest.mark.parametrize("photometric", ["rgb", "separated"])
def test_16_bit_tiff_of_four_channels(
    photometric: str, options: dict, order: str, folder: Path, rng: np.random.Generator
) -> None:
    array = rng.integers(0, 65536, (21, 37, 4), dtype=np.uint16)
    extra = {"extrasamples": ["unassalpha"]} if photometric == "rgb" else {}
    turned = [(274, "H", 1, 8, True)]
    tifffile.imwrite(
        "a.tif",
        array,
        photometric=photometric,
        byteorder=order,
        extratags=turned,
        **options,
        **extra,
    )
    photo = read("a.tif")
    write(photo, photo.pixels, "b.tif")
    again = tifffile.imread("b.tif")
    assert again.dtype == np.uint16
    assert np.array_equal(again, np.rot90(array))


def test_16_bit_tiff_of_lzw_differences(folder: Path, rng: np.random.Generator) -> None:
    array = rng.integers(0, 65536, (21, 37, 4), dtype=np.uint16)
    cv2.imwrite("a.tif", swap(array), [cv2.IMWRITE_TIFF_COMPRESSION, 5])
    with tifffile.TiffFile("a.tif") as file:
        assert (file.pages[0].compression, file.pages[0].predictor) == (5, 2)
    photo = read("a.tif")
    write(photo, photo.pixels, "b.png")
    assert np.array_equal(swap(cv2.imread("b.png", cv2.IMREAD_UNCHANGED)), array)


def test_16_bit_alpha_of_each_meaning(folder: Path, rng: np.random.Generator) -> None:
    array = deep(rng, 4)
    array[0, 0, 3] = 0
    opacity = array[..., 3:] / 65535
    multiplied = array.copy()
    multiplied[..., :3] = (array[..., :3] * opacity).round()
    tifffile.imwrite("a.tif", multiplied, photometric="rgb", extrasamples=["assocalpha"])
    photo = read("a.tif")
    seen = photo.pixels[0].permute(1, 2, 0).numpy()
    assert np.isfinite(seen).all()
    assert np.abs(seen * opacity - array[..., :3] / 65535 * opacity).max() < 1 / 65535
    assert photo.alpha is not None
    assert np.allclose(photo.alpha[0, 0], opacity[..., 0])

    tifffile.imwrite("c.tif", array, photometric="rgb", extrasamples=["unspecified"])
    unknown = read("c.tif")
    assert unknown.alpha is None
    assert np.allclose(unknown.pixels[0].permute(1, 2, 0), array[..., :3] / 65535)


def test_16_bit_grey_with_alpha_survives_a_round_trip(
    folder: Path, rng: np.random.Generator
) -> None:
    array = deep(rng, 2)
    photo = as_photo(array)
    write(photo, photo.pixels, "a.png")
    again = read("a.png")
    assert np.allclose(again.pixels[0, 0], array[..., 0] / 65535)
    write(again, again.pixels, "b.png")
    assert np.array_equal(cv2.imread("b.png", cv2.IMREAD_UNCHANGED), array[..., [0, 0, 0, 1]])


@pytest.mark.parametrize("bits", [10, 12])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_deep_heif_keeps_its_levels(bits: int, channels: int, folder: Path) -> None:
    heif = pytest.importorskip("pillow_heif", reason="needs the extra heif")
    most = (1 << bits) - 1
    ramp = np.add.outer(np.linspace(0, most / 2, 64), np.linspace(0, most / 2, 64))
    array = np.stack([ramp, 0.9 * ramp, 0.8 * ramp, most - ramp][:channels], -1).round()
    array = array.astype(np.uint16)
    mode = {1: "L;16", 3: "RGB;16", 4: "RGBA;16"}[channels]
    lossless = {"quality": -1, "chroma": "444", "matrix_coefficients": 0}
    data = (array << (16 - bits)).tobytes()
    heif.encode(mode, (64, 64), data, "a.heic", bit_depth=bits, **lossless)
    photo = read("a.heic")
    seen = photo.pixels[0].permute(1, 2, 0).numpy() * most
    assert np.abs(seen - array[..., :3]).max() < 0.5

    write(photo, photo.pixels, "b.heic")
    again = heif.open_heif("b.heic", convert_hdr_to_8bit=False, hdr_to_16bit=False)[0]
    assert again.info["bit_depth"] == bits
    assert np.abs(np.asarray(again).reshape(array.shape) - array.astype(float)).mean() < most / 256
    assert photo.like_input(photo.pixels).size == (64, 64)

    write(photo, photo.pixels, "b.png")
    sixteen = swap(cv2.imread("b.png", cv2.IMREAD_UNCHANGED)).reshape(array.shape)
    assert np.array_equal((sixteen / 65535 * most).round(), array)


def test_16_bits_become_a_heif_of_10_with_its_tags(
    folder: Path, exif: Image.Exif, xmp: bytes
) -> None:
    heif = pytest.importorskip("pillow_heif", reason="needs the extra heif")
    ramp = np.linspace(0, 65535, 64 * 64).astype(np.uint16).reshape(64, 64)
    cv2.imwrite("a.png", np.stack([ramp] * 3, -1))
    plain = read("a.png")
    with Image.open("a.png") as image:
        tagged = replace(plain.source, tags=replace(Tags.of(image), exif=exif.tobytes(), xmp=xmp))
    write(replace(plain, source=tagged), plain.pixels, "b.heic")
    assert heif.open_heif("b.heic", convert_hdr_to_8bit=False)[0].info["bit_depth"] == 10
    again = read("b.heic")
    assert (again.pixels - plain.pixels).abs().mean() < 0.01
    assert again.source.tags.xmp == xmp.replace(b'="6"', b'="1"')
    with Image.open("b.heic") as image:
        assert image.getexif()[0x010F] == "Maker"


@pytest.mark.parametrize(("flags", "bits"), [(0x0C, 8), (0x4C, 10), (0x6C, 12)])
def test_avif_says_what_is_lost(flags: int, bits: int, folder: Path, noise: np.ndarray) -> None:
    Image.fromarray(noise).save("a.avif")
    data = bytearray(Path("a.avif").read_bytes())
    assert avif_bit_depth(Path("a.avif")) == 8
    data[data.index(b"av1C") + 6] = flags
    Path("b.avif").write_bytes(data)
    assert avif_bit_depth(Path("b.avif")) == bits


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_a_truncated_deep_file(suffix: str, folder: Path, rng: np.random.Generator) -> None:
    cv2.imwrite(f"a{suffix}", deep(rng, 3))
    data = Path(f"a{suffix}").read_bytes()
    Path(f"a{suffix}").write_bytes(data[:-150])
    with pytest.raises(ReadError, match=rf"^cannot read a\{suffix}: "):
        read(f"a{suffix}")


@pytest.mark.parametrize("suffix", [".heic", ".heif"])
def test_heif_with_the_extra(
    suffix: str, folder: Path, noise: np.ndarray, exif: Image.Exif, xmp: bytes
) -> None:
    pytest.importorskip("pillow_heif", reason="needs the extra heif")
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    large = np.kron(noise, np.ones((16, 16, 1), np.uint8))
    Image.fromarray(large).save("a.png", exif=exif, icc_profile=profile)
    source = read("a.png")
    write(source, source.pixels, f"a{suffix}")
    photo = read(f"a{suffix}")
    assert photo.size == source.size == (9 * 16, 7 * 16)  # upright, once
    assert (photo.pixels - source.pixels).abs().mean() < 0.03
    write(photo, photo.pixels, f"b{suffix}")
    with Image.open(f"b{suffix}") as image:
        tags = image.getexif()
        assert image.size == (7 * 16, 9 * 16)
        assert (tags[0x010F], tags.get(0x0112, 1)) == ("Maker", 1)
        assert tags.get_ifd(0x8769)[0x9003] == "2020:01:01 00:00:00"
        assert tags.get_ifd(0x8825)[1] == "N"
        assert image.info["icc_profile"] == profile


def test_a_turned_heif_is_upright(folder: Path, noise: np.ndarray, exif: Image.Exif) -> None:
    heif = pytest.importorskip("pillow_heif", reason="needs the extra heif")
    large = np.kron(noise, np.ones((16, 16, 1), np.uint8))
    heif.from_pillow(Image.fromarray(large)).save("a.heic", exif=exif.tobytes(), quality=95)
    photo = read("a.heic")
    upright = torch.from_numpy(np.rot90(large, -1).copy()).permute(2, 0, 1) / 255
    assert photo.size == (9 * 16, 7 * 16)
    assert (photo.pixels[0] - upright).abs().mean() < 0.05
    write(photo, photo.pixels, "b.jpg")
    with Image.open("b.jpg") as image:
        assert image.getexif()[0x0112] == 1


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_16_bits_under_a_name_that_is_no_text(
    suffix: str, folder: Path, rng: np.random.Generator
) -> None:
    array = deep(rng, 3)
    cv2.imwrite(f"a{suffix}", swap(array))
    odd = os.fsdecode(b"caf\xe9" + suffix.encode())
    os.rename(f"a{suffix}", odd)
    assert torch.equal(read(odd).pixels, as_photo(array).pixels)


def heic(path: str, brand: bytes, primaries: int, transfer: int) -> None:
    """A HEIF whose first brand, and whose colours instead of a profile, are these."""
    image = Image.fromarray(np.full((16, 16, 3), 90, np.uint8))
    pillow_heif.from_pillow(image).save(
        path, quality=90, color_primaries=primaries, transfer_characteristics=transfer
    )
    data = bytearray(Path(path).read_bytes())
    data[8:12] = brand
    Path(path).write_bytes(data)


@pytest.mark.parametrize("brand", [b"heic", b"mif1"])
def test_heif_is_known_by_any_of_its_brands(brand: bytes, folder: Path) -> None:
    heic("a.hif", brand, 1, 13)
    code = "import sys; from enhance.imaging.files import read; print(read('a.hif').size)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "(16, 16)\n", done.stderr


def test_colours_of_heif_without_a_profile(folder: Path) -> None:
    heic("p3.heic", b"heic", 12, 13)
    with pytest.warns(UserWarning, match=r"p3\.heic: colours of primaries 12 are read as sRGB"):
        read("p3.heic")
    heic("hdr.heic", b"heic", 9, 16)
    with pytest.raises(ReadError, match=r"hdr\.heic: it is coded for HDR \(PQ\)"):
        read("hdr.heic")
