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


def deep_layout(image: Image.Image) -> str | None:
    """The layout of a file that holds colour at more than 8 bits, else None.

    To be asked before anything is decoded: afterwards Pillow has forgotten.
    """
    if image.format == "PNG":
        layouts = {"RGB;16B": "RGB", "RGBA;16B": "RGBA", "LA;16B": "LA"}
        tiles = getattr(image, "tile", [])
        return layouts.get(tiles[0].args) if tiles and isinstance(tiles[0].args, str) else None
    if image.format == "TIFF":
        bits = image.tag_v2.get(BITS_PER_SAMPLE, (8,))  # type: ignore[attr-defined]
        return image.mode if len(bits) > 1 and max(bits) > 8 else None
    return None


def read_deep(path: Path, format: str, layout: str) -> Array | None:
    """The samples ``(H, W, C)`` in uint16 of a PNG or TIFF of `deep_layout`.

    Layouts that the decoder lacks (grey with alpha, RGBA TIFF) give None and a warning: they
    are read, and later written, at 8 bits.
    """
    from kornia_rs import io

    readers = {"PNG": io.read_image_png_u16, "TIFF": io.read_image_tiff_u16}
    if layout == "RGB" or (format, layout) == ("PNG", "RGBA"):
        try:
            return np.asarray(readers[format](str(path), layout.lower()))
        except Exception as error:  # kornia-rs raises plain Exception
            raise ReadError(f"cannot read {path}: damaged {format}: {_line(error)}") from error
    warnings.warn(f"{path}: 16 bits of this layout are read as 8", stacklevel=6)
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
