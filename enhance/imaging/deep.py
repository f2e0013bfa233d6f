"""16-bit RGB PNG, 16-bit and float RGB TIFF: what Pillow flattens to 8 bits or refuses.

Read through kornia-rs, which kornia brings along in any case: Rust decoders for both formats,
with no further dependency. (OpenCV and OpenImageIO do the same at 60 and 40 MB; imageio and
tifffile need imagecodecs for LZW; pypng decodes in pure Python.)
"""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from enhance.errors import ReadError
from enhance.imaging.samples import Array

if TYPE_CHECKING:
    from PIL import Image

BITS_PER_SAMPLE = 258


def is_deep(image: Image.Image) -> bool:
    """Whether an opened, not yet loaded file holds colour at more than 8 bits."""
    if image.format == "PNG":
        tiles = getattr(image, "tile", [])
        return bool(tiles) and str(tiles[0].args).endswith(";16B") and image.mode != "I;16"
    if image.format == "TIFF":
        bits = image.tag_v2.get(BITS_PER_SAMPLE, (8,))  # type: ignore[attr-defined]
        return len(bits) > 1 and max(bits) > 8
    return False


def read_deep(image: Image.Image, path: Path) -> Array | None:
    """The samples ``(H, W, C)`` in uint16 of a file that `is_deep`.

    Layouts that the decoder lacks (grey with alpha, RGBA TIFF) give None and a warning: they
    are read, and later written, at 8 bits.
    """
    from kornia_rs import io

    mode = image.mode.lower()
    # "LA;16B" is how Pillow marks 16-bit grey with alpha, which it opens as RGBA
    grey_alpha = image.format == "PNG" and image.tile[0].args == "LA;16B"  # type: ignore[attr-defined]
    try:
        if image.format == "PNG" and not grey_alpha:
            return np.asarray(io.read_image_png_u16(str(path), mode))
        if image.format == "TIFF" and mode == "rgb":
            return np.asarray(io.read_image_tiff_u16(str(path), mode))
    except Exception as error:  # kornia-rs raises plain Exception
        raise ReadError(f"cannot read {path}: damaged {image.format}: {_line(error)}") from error
    warnings.warn(f"{path}: 16 bits of this layout are read as 8", stacklevel=4)
    return None


def read_float_tiff(path: Path) -> Array:
    """The samples ``(H, W, 3)`` in float32 of an RGB TIFF that Pillow cannot open."""
    from kornia_rs import io

    try:
        return np.asarray(io.read_image_tiff_f32(str(path), "rgb"))
    except Exception as error:  # as above
        raise ReadError(f"cannot read {path}: damaged or unknown TIFF: {_line(error)}") from error


def encode_png(samples: Array) -> bytes:
    """A PNG of uint16 samples ``(H, W, 3 or 4)``."""
    from kornia_rs import io

    mode = "rgb" if samples.shape[-1] == 3 else "rgba"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "deep.png"
        io.write_image_png_u16(str(path), np.ascontiguousarray(samples), mode)
        return path.read_bytes()


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
