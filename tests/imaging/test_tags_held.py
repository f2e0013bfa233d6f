"""What a format cannot hold of a photo's tags is left out, with a warning where it is lost."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image
from PIL.TiffImagePlugin import IFDRational, ImageFileDirectory_v2

from enhance.errors import WriteError
from enhance.imaging.exif import shortened
from enhance.imaging.files import read, write
from enhance.imaging.intake import as_photo
from enhance.imaging.photo import Photo


def save_tiff(array: np.ndarray, tags: dict[int, tuple[int, object]]) -> None:
    directory = ImageFileDirectory_v2()
    for tag, (kind, value) in tags.items():
        directory.tagtype[tag] = kind
        directory[tag] = value
    Image.fromarray(array).save("a.tif", tiffinfo=directory)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".avif"])
def test_private_tags_of_a_tiff_stay_behind(suffix: str, folder: Path, noise: np.ndarray) -> None:
    layers = (7, b"x" * 100_000)
    save_tiff(noise, {37724: layers, 271: (2, "Maker"), 33432: (2, "somebody"), 65000: (2, "own")})
    photo = read("a.tif")
    write(photo, photo.pixels, f"b{suffix}")
    with Image.open(f"b{suffix}") as image:
        tags = dict(image.getexif())
    assert (tags[271], tags[33432]) == ("Maker", "somebody")
    assert not {37724, 65000} & set(tags)
    write(photo, photo.pixels, "b.tif")
    with tifffile.TiffFile("b.tif") as file:
        assert len(file.pages[0].tags[37724].value) == 100_000


def test_what_is_too_long_is_left_out_with_a_warning(folder: Path, noise: np.ndarray) -> None:
    save_tiff(noise, {700: (1, b"x" * 80_000), 270: (2, "y" * 70_000)})
    photo = read("a.tif")
    with pytest.warns(UserWarning, match="is left out") as caught:
        write(photo, photo.pixels, "b.jpg")
    assert [warning.filename for warning in caught] == [__file__] * 2
    first, second = (str(warning.message) for warning in caught)
    assert re.fullmatch(
        r"b\.jpg: ImageDescription in EXIF of 70\d+ bytes \(JPEG holds at most 65527\) is left out",
        first,
    )
    assert second == "b.jpg: XMP of 80000 bytes (JPEG holds at most 65504) is left out"
    with Image.open("b.jpg") as image:
        assert "xmp" not in image.info
    write(photo, photo.pixels, "b.png")  # which holds both
    with Image.open("b.png") as image:
        image.load()
        assert len(image.info["xmp"]) == 80_000


def test_only_the_longest_entries_go_where_exif_is_too_long(
    folder: Path, noise: np.ndarray
) -> None:
    exif = Image.Exif()
    exif[0x010F] = "Maker"
    exif.get_ifd(0x8769).update({0x927C: b"m" * 50_000, 0x9003: "2020:01:01 00:00:00"})
    exif.get_ifd(0x8769)[0x9286] = b"ASCII\0\0\0" + b"u" * 30_000
    exif.get_ifd(0x8825).update({1: "N", 2: (1.0, 2.0, 3.0)})
    Image.fromarray(noise).save("a.png", exif=exif)
    photo = read("a.png")
    with pytest.warns(UserWarning, match=r"^b\.jpg: MakerNote in EXIF of 80\d+ bytes"):
        write(photo, photo.pixels, "b.jpg")
    with Image.open("b.jpg") as image:
        kept = image.getexif()
        assert kept[0x010F] == "Maker"
        assert set(kept.get_ifd(0x8769)) == {0x9003, 0x9286}
        assert kept.get_ifd(0x8825)[2] == (1.0, 2.0, 3.0)


def test_a_makers_note_never_moves() -> None:
    exif = Image.Exif()
    exif[0x010E] = "d" * 5_000
    exif.get_ifd(0x8769).update({0x927C: b"m" * 20, 0x9003: "2020:01:01 00:00:00"})
    shorter, gone = shortened(exif.tobytes(), 1_000)
    assert gone == ["MakerNote", "ImageDescription"]
    assert shorter is not None
    assert b"2020:01:01" in shorter


def test_exif_that_cannot_be_shortened_is_none(exif: Image.Exif) -> None:
    assert shortened(b"garbage" * 10, 20) == (None, [])
    assert shortened(exif.tobytes(), 8) == (None, [])


def test_the_longest_that_a_jpeg_holds_is_written(folder: Path, noise: np.ndarray) -> None:
    Image.fromarray(noise).save("a.webp", xmp=b"x" * 65504)
    photo = read("a.webp")
    write(photo, photo.pixels, "b.jpg")
    with Image.open("b.jpg") as image:
        assert len(image.info["xmp"]) == 65504


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".bmp", ".exr"])
def test_a_resolution_that_makes_no_sense_is_none(
    suffix: str, folder: Path, noise: np.ndarray
) -> None:
    save_tiff(noise, {282: (5, IFDRational(0, 0)), 283: (5, IFDRational(0, 0)), 296: (3, 2)})
    image = Image.fromarray(noise)
    for dpi in ((np.inf, np.inf), (-1, 300), (300,), "many", (1e300, 1e300), None):
        image.info["dpi"] = dpi
        photo = as_photo(image)
        assert photo.source.tags.dpi is None
        write(photo, photo.pixels, f"b{suffix}")
    photo = read("a.tif")
    assert photo.source.tags.dpi is None
    write(photo, photo.pixels, f"b{suffix}")
    image.info["dpi"] = (254_000, 254_000)  # of a microscope
    photo = as_photo(image)
    if suffix == ".jpg":
        with pytest.warns(UserWarning, match=r"254000 dpi \(JPEG holds at most 65535\) is left"):
            write(photo, photo.pixels, "b.jpg")
    else:
        write(photo, photo.pixels, f"b{suffix}")


@pytest.mark.parametrize("origin", [".jpg", ".png", ".webp"])
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp", ".avif", ".heic", ".bmp"])
def test_damaged_exif_stays_where_it_is_or_is_left_out_with_a_warning(
    origin: str, suffix: str, folder: Path, noise: np.ndarray
) -> None:
    Image.fromarray(noise).save(f"a{origin}", exif=b"Exif\0\0garbage")
    photo = read(f"a{origin}")
    if origin == suffix != ".webp":  # between two files of one format blocks move as they are
        write(photo, photo.pixels, f"b{suffix}")
        assert b"garbage" in Path(f"b{suffix}").read_bytes()
    else:
        _leaves_exif_out(photo, suffix)
    assert read(f"b{suffix}").size == photo.size
    with Image.open(f"a{origin}") as image:
        _leaves_exif_out(as_photo(image), suffix)


def _leaves_exif_out(photo: Photo, suffix: str) -> None:
    if suffix == ".bmp":  # which has no place for any
        write(photo, photo.pixels, f"b{suffix}")
    else:
        with pytest.warns(UserWarning, match=rf"^b\{suffix}: damaged EXIF is left out$"):
            write(photo, photo.pixels, f"b{suffix}")
    assert b"garbage" not in Path(f"b{suffix}").read_bytes()
    assert read(f"b{suffix}").size == photo.size


def test_an_encoders_own_exception_becomes_one_line(
    folder: Path, noise: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = as_photo(noise)

    def fail(*_: object, **__: object) -> None:
        raise SyntaxError("not a TIFF file")

    monkeypatch.setattr(Image.Image, "save", fail)
    with pytest.raises(WriteError, match=r"^cannot write b\.jpg: not a TIFF file$"):
        write(photo, photo.pixels, "b.jpg")
