"""Photos as JPEG data URIs, small enough for a page."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING, Any

from torch import Tensor

from enhance.imaging.eight_bits import eight_bits

if TYPE_CHECKING:
    from PIL.Image import Image

QUALITY = 85
_PLAIN = ("L", "P", "RGB", "RGBA")
"""Pillow's modes that it converts to RGB as a photo should be."""


@dataclass(frozen=True)
class Picture:
    """What an ``<img>`` needs: `uri`, and the size in px that it takes up."""

    uri: str
    width: int
    height: int


def picture_of(pixels: Tensor, side: int) -> Picture:
    """A photo ``(1, 3, H, W)`` in [0, 1], no side longer than `side` px."""
    from PIL import Image

    return _encode(Image.fromarray(eight_bits(pixels)), side)


def picture_of_file(path: str | PathLike[str], side: int) -> Picture:
    """A photo in a file, no side longer than `side` px; JPEGs are decoded no larger than needed.

    Raises:
        ReadError: it cannot be read.
    """
    from PIL import Image, ImageOps

    try:
        with Image.open(path) as image:
            image.draft(None, (2 * side, 2 * side))
            if image.mode in _PLAIN:
                return _encode(ImageOps.exif_transpose(image), side)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        pass  # camera RAW, float TIFF: the reader of photos knows more formats, and says what fails
    from enhance.imaging.files import read

    return picture_of(read(path).pixels, side)


def _encode(image: Image, side: int) -> Picture:
    from PIL import Image as pillow

    keep: dict[str, Any] = {}
    if image.mode == "RGB" and image.info.get("icc_profile"):
        keep["icc_profile"] = image.info["icc_profile"]
    if image.mode in ("P", "RGBA"):
        image = image.convert("RGBA")
        image = pillow.alpha_composite(pillow.new("RGBA", image.size, "white"), image)
    image = image.convert("RGB")
    image.thumbnail((side, side), pillow.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=QUALITY, **keep)
    encoded = base64.b64encode(buffer.getvalue()).decode()
    return Picture(f"data:image/jpeg;base64,{encoded}", image.width, image.height)
