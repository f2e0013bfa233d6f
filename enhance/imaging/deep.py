"""More than 8 bits: colour PNG, TIFF and HEIF, which Pillow flattens or refuses.

PNG and TIFF are read through kornia-rs, which kornia brings along in any case: Rust decoders for
both formats, with no further dependency. (OpenCV and OpenImageIO do the same at 60 and 40 MB;
imageio and tifffile need imagecodecs for LZW; pypng decodes in pure Python.) Layouts that it lacks
are in `enhance.imaging.repacked`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from enhance.errors import ReadError
from enhance.imaging import heif, repacked, tiff
from enhance.imaging.formats import BROKEN
from enhance.imaging.opening import utf8_name
from enhance.imaging.samples import Array

if TYPE_CHECKING:
    from PIL import Image

BITS_PER_SAMPLE = 258


def deep_layout(image: Image.Image) -> str | None:
    """The layout of a file that holds colour at more than 8 bits, else None.

    Call it before decoding: afterwards Pillow no longer tells the depth.
    """
    if image.format == "PNG":
        layouts = {"RGB;16B": "RGB", "RGBA;16B": "RGBA", "LA;16B": "LA"}
        tiles = getattr(image, "tile", [])
        return layouts.get(tiles[0].args) if tiles and isinstance(tiles[0].args, str) else None
    if image.format == "TIFF":
        bits = image.tag_v2.get(BITS_PER_SAMPLE, (8,))  # type: ignore[attr-defined]
        return image.mode if len(bits) > 1 and max(bits) > 8 else None
    if image.format == "HEIF" and heif.bit_depth(image) > 8:
        return {"I;16": "L", "La": "LA", "RGBa": "RGBA"}.get(image.mode, image.mode)
    return None


def read_deep(path: Path, image: Image.Image, layout: str) -> Array:
    """The samples ``(H, W, C)`` in uint16 of a file that `deep_layout` knows.

    Raises:
        ReadError: damaged, or a TIFF without a decoder: planes that lie apart (Pillow mixes them
            up), a lossy compression.
    """
    read = _reader(path, image, layout)
    if read is None:
        raise ReadError(
            f"cannot read {path}: 16-bit TIFF must be interleaved and compressed without loss"
        )
    try:
        return np.asarray(read())
    except Exception as error:  # kornia-rs raises plain Exception
        raise ReadError(f"cannot read {path}: damaged {image.format}: {_line(error)}") from error


def _reader(path: Path, image: Image.Image, layout: str) -> Callable[[], Array] | None:
    from kornia_rs import io

    if image.format == "HEIF":
        return partial(heif.read_heif, path)
    if image.format == "PNG":
        if layout == "LA":
            return lambda: repacked.read_png_grey_alpha(path.read_bytes())
        return lambda: _by_name(path, partial(io.read_image_png_u16, mode=layout.lower()))
    tags = image.tag_v2  # type: ignore[attr-defined]
    if tags.get(repacked.PLANAR, 1) != 1:
        return None
    if layout == "RGB" and tags.get(repacked.CHANNELS) == 3:
        return lambda: _by_name(path, partial(io.read_image_tiff_u16, mode="rgb"))
    if tiff.is_tiff(path) and repacked.can_repack(tags):
        # a channel that nobody says the meaning of is no alpha
        return lambda: repacked.read_tiff(path.read_bytes(), tags)[..., : len(layout)]
    return None


def _by_name(path: Path, read: Callable[[str], Any]) -> Array:
    with utf8_name(path) as name:
        return np.asarray(read(name))


def read_float_tiff(path: Path) -> Array:
    """The samples ``(H, W, 3)`` in float32 of an RGB TIFF that Pillow cannot open."""
    from kornia_rs import io

    try:
        return _by_name(path, partial(io.read_image_tiff_f32, mode="rgb"))
    except Exception as error:  # as above
        raise ReadError(f"cannot read {path}: damaged or unknown TIFF: {_line(error)}") from error


def read_tiff_grey_alpha(path: Path, tags: Mapping[int, Any]) -> Array:
    """The samples ``(H, W, 2)`` in uint16 of a TIFF that Pillow cannot open.

    Raises:
        ReadError: damaged, or planes that lie apart.
    """
    if tags.get(repacked.PLANAR, 1) != 1 or tags.get(repacked.PHOTOMETRIC) != 1:
        raise ReadError(f"cannot read {path}: 16-bit TIFF must be interleaved, with black at 0")
    try:
        return repacked.read_tiff(path.read_bytes(), tags)
    except BROKEN as error:
        raise ReadError(f"cannot read {path}: damaged TIFF: {_line(error)}") from error


def encode_png(samples: Array) -> bytes:
    """A PNG of uint16 samples ``(H, W, 2, 3 or 4)``."""
    if samples.shape[-1] == 2:
        return repacked.encode_png_grey_alpha(samples)
    from kornia_rs import io

    mode = "rgb" if samples.shape[-1] == 3 else "rgba"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "deep.png"
        io.write_image_png_u16(str(path), np.ascontiguousarray(samples), mode)
        return path.read_bytes()


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
