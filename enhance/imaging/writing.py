"""Write a photo to a file: same depth and metadata as its source, all of it or nothing."""

from __future__ import annotations

import io
import math
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from enhance.atomic import as_path, check_writable, write_bytes
from enhance.errors import EnhanceError, WriteError, warn
from enhance.imaging import deep, exif, exr, formats, heif, segments, tiff
from enhance.imaging.fitting import fit, fit_tags, is_transparent
from enhance.imaging.formats import BROKEN
from enhance.imaging.icc import srgb_profile
from enhance.imaging.metadata import TURNED, Tags
from enhance.imaging.modes import from_samples, on_off_palette
from enhance.imaging.photo import Photo
from enhance.imaging.reading import FileSource
from enhance.imaging.samples import Array, Encoding, Layout, encode

if TYPE_CHECKING:
    from PIL import Image
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

# for a source of another format: hardly visible losses
JPEG_OPTIONS = {"quality": 95, "subsampling": "4:4:4"}
LOSSY_QUALITY = 90


def write(
    photo: Photo, pixels: Tensor, path: str | os.PathLike[str], *, overwrite: bool = False
) -> None:
    """Write `pixels` to a file, with the metadata, depth and profile of `photo`.

    The extension decides the format. Where the format stays, so do JPEG tables and subsampling,
    lossless coding and every metadata block; a lossless file whose pixels did not change is
    written with the same pixels. What a format cannot hold becomes the nearest that it can: 8
    bits (dithered), RGB with an sRGB profile for CMYK, sRGB where no profile can be embedded,
    alpha that is 0 or 1 in GIF; metadata that is too long or damaged is left out with a warning.
    The file appears whole or not at all.

    Args:
        photo: where the pixels come from, as `as_photo` or `read` returned it.
        pixels: ``(1, 3, H, W)`` in [0, 1], of the photo's size.
        path: the target; a different existing file is replaced.
        overwrite: allow the target to be the very file that was read.

    Raises:
        WriteError: see `check_target` and `check_holds`.
        ImageError: pixels of another size, or not finite.
    """
    path = as_path(path)
    source = photo.source
    own = source.path if isinstance(source, FileSource) else None
    format = check_target(path, source=own, overwrite=overwrite)
    check_holds(photo, path)
    try:
        data = _encode(photo, pixels, format, path)
    except EnhanceError:
        raise
    except BROKEN as error:
        raise WriteError(f"cannot write {path}: {' '.join(str(error).split())}") from error
    write_bytes(path, data)


def check_target(
    path: str | os.PathLike[str],
    *,
    source: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
) -> str:
    """Find out, before any work, whether a photo can be written to `path`.

    Returns:
        The format, by Pillow's name.

    Raises:
        WriteError: unknown extension, no such folder, a folder, not writable, or the same file
            as `source` (links resolved) without `overwrite`.
    """
    path = as_path(path)
    format = _format_of(path)
    check_writable(path)
    if source is not None and not overwrite and _same_file(path, Path(source)):
        raise WriteError(
            f"cannot write {path}: it is the input; choose another name, or pass overwrite=True"
        )
    if format == "HEIF":
        formats.enable_heif()
    if format == "EXR":
        exr.library(path, "write")
    return format


def check_holds(photo: Photo, path: str | os.PathLike[str]) -> None:
    """Find out, before any work, whether the format of `path` can hold `photo`.

    Raises:
        WriteError: unknown extension, transparency in a format that has none, more pixels in width
            or height than the format can count.
    """
    path = as_path(path)
    format = _format_of(path)
    if formats.SIDES.get(format, math.inf) < max(photo.size):
        height, width = photo.size
        raise WriteError(
            f"cannot write {path}: {format} holds at most {formats.SIDES[format]} pixels in width "
            f"and height, got {width} x {height}"
        )
    if format not in formats.TRANSPARENT and is_transparent(photo.source.encoding):
        able = ", ".join(formats.TRANSPARENT)
        raise WriteError(f"cannot write {path}: {format} holds no transparency ({able} do)")


def _format_of(path: Path) -> str:
    format = formats.FORMAT_OF.get(path.suffix.lower())
    if format is None:
        known = " ".join(formats.FORMAT_OF)
        raise WriteError(f"cannot write {path}: unknown extension {path.suffix!r} (known: {known})")
    return format


def _same_file(path: Path, other: Path) -> bool:
    return path.exists() and other.exists() and os.path.samefile(path, other)


def _encode(photo: Photo, pixels: Tensor, format: str, path: Path) -> bytes:
    source = photo.source
    tags = source.tags
    options: dict[str, Any] = {}
    blocks: list[segments.Block] = []
    directory = None
    if isinstance(source, FileSource):
        # a thumbnail of other pixels, or of pixels the other way up, would mislead
        unchanged = source.orientation == 1 and torch.equal(pixels, photo.pixels)
        tags = source.upright_tags(keep_thumbnail=unchanged)
        if source.format == format:
            options = source.options
            if source.directory is not None:
                directory = tiff.upright(source.directory, turned=source.orientation in TURNED)
            if segments.has_gain_map(source.blocks):
                warn(f"{path}: the HDR gain map is left out")
            blocks = segments.upright_blocks(
                source.blocks,
                lambda data: exif.upright(
                    data, turned=source.orientation in TURNED, keep_thumbnail=unchanged
                ),
            )
    if format == "EXR":
        return _exr(pixels, source.encoding, path, tags, options)
    encoding, mode = fit(source.encoding.shown(), source.mode, format)
    converted = encoding.layout.removesuffix("A") != source.encoding.layout.removesuffix("A")
    if converted:  # the profile describes the colour space that was left
        tags = replace(tags, icc=srgb_profile() if tags.icc else None)
        blocks, directory = segments.without_colour(blocks), None
    if not (blocks or directory):
        tags = fit_tags(tags, format, path)
    samples = encode(pixels, encoding, dither=mode != "P")
    if format == "PNG":
        blocks = blocks or segments.png_blocks_of(tags)
        data = _png(samples, encoding, mode)
        return segments.graft_png(data, blocks)
    if format == "TIFF":
        directory = directory or tiff.directory_of(tags)
        return _tiff(samples, encoding, mode, directory, tags, options)
    if format == "HEIF" and samples.dtype == np.uint16:
        bits = options.get("bits", heif.BITS)
        return heif.encode_heif(samples, bits=bits, quality=LOSSY_QUALITY, tags=tags.info())
    if format == "GIF" and encoding.alpha is not None:
        return _pillow(on_off_palette(samples), format, {})
    image = from_samples(samples, encoding.layout, mode)
    if format == "JPEG":
        if options:
            return segments.graft_jpeg(_pillow(image, format, options), blocks)
        return _pillow(image, format, JPEG_OPTIONS | tags.info())
    if format == "WEBP":
        lossless = options.get("lossless", False)
        options = {"lossless": lossless, "exact": lossless, "quality": LOSSY_QUALITY}
        return _pillow(image, format, options | tags.info())
    if format in ("AVIF", "HEIF"):
        return _pillow(image, format, {"quality": LOSSY_QUALITY} | tags.info())
    return _pillow(image, format, {"dpi": tags.dpi} if tags.dpi else {})


def _png(samples: Array, encoding: Encoding, mode: str) -> bytes:
    if encoding.dtype == np.uint16 and encoding.layout != "L":
        return deep.encode_png(samples)
    return _pillow(from_samples(samples, encoding.layout, mode), "PNG", {})


def _tiff(
    samples: Array,
    encoding: Encoding,
    mode: str,
    directory: ImageFileDirectory_v2,
    tags: Tags,
    options: dict[str, Any],
) -> bytes:
    compression = options.get("compression", "tiff_adobe_deflate")
    if tags.icc is not None:
        directory.tagtype[tiff.ICC] = tiff.UNDEFINED
        directory[tiff.ICC] = tags.icc
    if encoding.dtype != np.uint8 and encoding.layout != "L":
        data = tiff.encode_deep(samples, encoding.layout, compress=compression != "raw")
    else:
        image = from_samples(samples, encoding.layout, mode)
        data = _pillow(image, "TIFF", {"compression": compression})
    return tiff.graft(data, directory)


def _exr(
    pixels: Tensor, encoding: Encoding, path: Path, tags: Tags, options: dict[str, Any]
) -> bytes:
    if encoding.bounded:  # of another format
        layout: Layout = "RGB" if encoding.layout == "CMYK" else encoding.layout
        matrix = np.eye(3, dtype=np.float32) if layout.startswith("RGB") else None
        # a half has 11 bits, of light: more than enough for 8 of sRGB
        dtype = np.float16 if encoding.dtype == np.uint8 else np.float32
        alpha = encoding.alpha
        if alpha is not None and alpha.dtype.kind == "u":
            alpha = alpha / np.iinfo(alpha.dtype).max
        alpha = None if alpha is None else alpha.astype(dtype)
        seen = None if alpha is None else alpha.astype(np.float32)
        encoding = replace(
            encoding.srgb(layout),
            dtype=np.dtype(dtype),
            profile=exr.SceneLight(matrix, seen),
            alpha=alpha,
            bounded=False,
        )
    return exr.encode_exr(encode(pixels, encoding), encoding.layout, path, tags, options)


def _pillow(image: Image.Image, format: str, options: dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()
