"""Read a photo from a file, and remember everything the file says about it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor

from enhance.errors import EnhanceError, ImageError, ReadError, warn
from enhance.imaging import deep, exr, formats, heif, repacked, segments, tiff
from enhance.imaging.formats import BROKEN
from enhance.imaging.icc import load_profile
from enhance.imaging.metadata import TURNED, Tags, apply_orientation, orientation, turn
from enhance.imaging.modes import from_samples, to_samples, with_alpha
from enhance.imaging.opening import (
    PILLOW_BY_OUR_RULES,
    check_file,
    check_single,
    check_size,
    opened,
)
from enhance.imaging.photo import Photo
from enhance.imaging.raw import read_raw
from enhance.imaging.samples import CHANNELS, Array, Encoding, Layout, decode, encode

if TYPE_CHECKING:
    from PIL import Image
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

MAX_PIXELS = 500_000_000
"""Photos with more pixels are refused before they are decompressed; see `read`."""


@dataclass(frozen=True)
class FileSource:
    """A file: what to write beside the pixels.

    Attributes:
        path: as given.
        format: Pillow's name of the format, EXR or RAW; MPO (a JPEG with further pictures) counts
            as JPEG.
        mode: Pillow's mode of the samples.
        encoding: from pixels to samples.
        tags: metadata for any format.
        orientation: as it was, 1..8; the pixels are upright.
        options: for the encoder, when the format stays.
        blocks: JPEG segments or PNG chunks, for the same format.
        directory: TIFF tags, for TIFF.
    """

    path: Path
    format: str
    mode: str
    encoding: Encoding
    tags: Tags
    orientation: int
    options: dict[str, Any]
    blocks: list[segments.Block]
    directory: ImageFileDirectory_v2 | None

    def give_back(self, pixels: Tensor) -> Image.Image:
        """A PIL image (at most 8 bits per colour), metadata in its `info`."""
        encoding, mode = self.encoding.shown(), self.mode
        if encoding.layout != "L" or not self.encoding.bounded:
            encoding = encoding.eight_bit()
            mode = encoding.layout if mode == "F" else mode
        samples = encode(pixels, encoding, dither=mode != "P")
        image = from_samples(samples, encoding.layout, mode)
        image.info.update(self.upright_tags(keep_thumbnail=False).info())
        return image

    def upright_tags(self, *, keep_thumbnail: bool) -> Tags:
        """The tags as they hold for upright pixels."""
        return self.tags.upright(turned=self.orientation in TURNED, keep_thumbnail=keep_thumbnail)


def read(path: str | os.PathLike[str], *, max_pixels: int | None = None) -> Photo:
    """Read a photo.

    Args:
        path: JPEG, PNG, TIFF, WebP, AVIF, GIF, BMP and more through Pillow; HEIC with the extra
            ``heif``; camera RAW with the extra ``raw``; OpenEXR with the extra ``exr``. PNG and
            TIFF of 16 bits, HEIF of 10 and 12 keep their depth, OpenEXR its light above white.
        max_pixels: refuse larger photos before they are decompressed (a small file may claim
            any size); `MAX_PIXELS` unless given.

    Raises:
        ReadError: no such file, a folder, not a photo, damaged, animated, or too large.
        MissingExtraError: the format needs an extra that is not installed.

    >>> read("nowhere.jpg")
    Traceback (most recent call last):
    enhance.errors.ReadError: cannot read nowhere.jpg: no such file
    """
    path = Path(path)
    check_file(path)
    limit = MAX_PIXELS if max_pixels is None else max_pixels
    try:
        with PILLOW_BY_OUR_RULES:
            return _read(path, limit)
    except ImageError as error:
        raise ReadError(f"cannot read {path}: {error}") from error


def _read(path: Path, limit: int) -> Photo:
    if path.suffix.lower() in formats.RAW:
        return _read_raw(path, limit)
    if exr.is_exr(path):
        return _read_exr(path, limit)
    try:
        with opened(path, limit) as image:
            return _read_image(path, image)
    except EnhanceError:
        raise
    except BROKEN as error:
        if tiff.is_tiff(path):
            return _read_other_tiff(path, limit)
        raise ReadError(f"cannot read {path}: {_what_broke(path, error)}") from error


def _read_image(path: Path, image: Image.Image) -> Photo:
    format = "JPEG" if image.format == "MPO" else str(image.format)
    try:
        deep_layout = deep.deep_layout(image)
        check_single(path, image)
        blocks, directory = _blocks(path, format), None
        if format == "TIFF":
            directory = tiff.directory(image.tag_v2, image.getexif())  # type: ignore[attr-defined]
        options = _options(path, image, format)
        turned = orientation(image)
        tags = Tags.of(image)  # Pillow turns a TIFF on loading and drops its orientation
        samples, layout, mode = _samples(path, image, format, deep_layout)
        if format != "TIFF":  # a PNG may tell more after its pixels
            tags = Tags.of(image)
    except EnhanceError:
        raise
    except BROKEN as error:
        raise ReadError(f"cannot read {path}: {_what_broke(path, error, format)}") from error
    if format in ("HEIF", "AVIF") and tags.icc is None:
        _check_colours(path)
    profile = load_profile(tags.icc, layout.removesuffix("A"))
    pixels, alpha, encoding = decode(samples, layout, profile)
    source = FileSource(path, format, mode, encoding, tags, turned, options, blocks, directory)
    return Photo(pixels, alpha, source)


def _check_colours(path: Path) -> None:
    """Refuse HDR without a profile, and say so where other primaries are taken for sRGB's."""
    primaries, transfer = heif.coded_colours(path)
    if transfer in heif.HDR:
        raise ReadError(
            f"cannot read {path}: it is coded for HDR ({heif.HDR[transfer]}); export it for SDR"
        )
    if primaries not in heif.AS_SRGB:
        warn(f"{path}: colours of primaries {primaries} are read as sRGB")


def _samples(
    path: Path, image: Image.Image, format: str, deep_layout: str | None
) -> tuple[Array, Layout, str]:
    if deep_layout is not None:
        samples = deep.read_deep(path, image, deep_layout)
        if "transparency" in image.info:
            samples = with_alpha(samples, image.info["transparency"])
        layout: Layout = "CMYK" if deep_layout == "CMYK" else CHANNELS[samples.shape[-1]]
        mode = "I;16" if layout == "L" else layout
        return turn(samples, orientation(image)), layout, mode
    if format == "AVIF" and (bits := heif.avif_bit_depth(path)) > 8:
        warn(f"{path}: {bits} bits of AVIF are read as 8")
    image.load()
    return to_samples(apply_orientation(image))


def _blocks(path: Path, format: str) -> list[segments.Block]:
    with path.open("rb") as file:
        if format == "JPEG":
            return segments.jpeg_blocks(file)
        return segments.png_blocks(file) if format == "PNG" else []


def _options(path: Path, image: Image.Image, format: str) -> dict[str, Any]:
    """What the encoder must be told to write the same kind of file again."""
    if format == "JPEG":
        from PIL import JpegImagePlugin

        return {
            # Pillow's quality="keep" holds for untouched images only; the tables say the same
            "qtables": image.quantization,  # type: ignore[attr-defined]
            "subsampling": JpegImagePlugin.get_sampling(image),
            "progressive": bool(image.info.get("progressive")),
        }
    if format == "HEIF":
        return {"bits": bits} if (bits := heif.bit_depth(image)) > 8 else {}
    if format == "WEBP":
        return {"lossless": formats.is_lossless_webp(path)}
    if format == "TIFF":
        compression = image.info.get("compression", "raw")
        return {"compression": compression if compression in tiff.LOSSLESS else "raw"}
    return {}


def _read_other_tiff(path: Path, limit: int) -> Photo:
    """What Pillow opens no TIFF of: float colour, and grey with alpha at 16 bits."""
    try:
        own, exif = tiff.read_directory(path)
        tags, kept = Tags.of_tiff(own, exif), tiff.directory(own, exif)
        width, height, turned = (
            own.get(tag, absent) for tag, absent in ((256, 0), (257, 0), (tiff.ORIENTATION, 1))
        )
    except BROKEN as error:
        raise ReadError(f"cannot read {path}: {_what_broke(path, error, 'TIFF')}") from error
    if not all(isinstance(value, int) for value in (width, height, turned)):
        raise ReadError(f"cannot read {path}: damaged TIFF: its size is not a number")
    check_size(path, width, height, limit)
    layout: Layout
    if own.get(repacked.CHANNELS) == 2 and repacked.can_repack(own):
        samples, layout, mode = deep.read_tiff_grey_alpha(path, own), "LA", "LA"
        if own.get(repacked.EXTRA) not in ((1,), (2,)):  # nobody says that it is alpha
            samples, layout, mode = samples[..., :1], "L", "I;16"
        stored = own.get(repacked.COMPRESSION, 1) == 1
        options = {"compression": "raw" if stored else "tiff_adobe_deflate"}
    else:
        samples, layout, mode = deep.read_float_tiff(path), "RGB", "F"
        options = {"compression": "raw"}
    profile = load_profile(tags.icc, layout.removesuffix("A"))
    pixels, alpha, encoding = decode(turn(samples, turned), layout, profile)
    source = FileSource(path, "TIFF", mode, encoding, tags, turned, options, [], kept)
    return Photo(pixels, alpha, source)


def _read_raw(path: Path, limit: int) -> Photo:
    samples, tags = read_raw(path, partial(check_size, path, limit=limit))
    pixels, alpha, encoding = decode(samples, "RGB")
    return Photo(pixels, alpha, FileSource(path, "RAW", "RGB", encoding, tags, 1, {}, [], None))


def _read_exr(path: Path, limit: int) -> Photo:
    samples, layout, light, kept = exr.read_exr(path, partial(check_size, path, limit=limit))
    pixels, alpha, encoding = decode(samples, layout, light, bounded=False)
    source = FileSource(path, "EXR", layout, encoding, Tags(), 1, kept, [], None)
    return Photo(pixels, alpha, source)


def _what_broke(path: Path, error: Exception, format: str | None = None) -> str:
    message = " ".join(str(error).split())
    if format is None:
        return "not an image of a known format"
    if isinstance(error, EOFError) or any(
        word in message.lower()
        for word in ("truncated", "unexpected end", "broken data stream", "requires a buffer")
    ):
        return f"truncated {format} after {_size(path.stat().st_size)}"
    return f"damaged {format}: {message}"


def _size(count: int) -> str:
    for unit, name in ((10**6, "MB"), (10**3, "kB")):
        if count >= unit:
            return f"{count / unit:.0f} {name}"
    return f"{count} bytes"
