"""Pillow's modes: from an image to samples and back to the same mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from enhance.errors import ImageError
from enhance.imaging.samples import CHANNELS, Array, Layout

if TYPE_CHECKING:
    from PIL import Image

DIRECT = ("L", "LA", "RGB", "RGBA", "CMYK")
VIA_PILLOW = {"1": "L", "La": "LA", "RGBX": "RGB", "RGBa": "RGBA", "YCbCr": "RGB", "HSV": "RGB"}
DEEP = ("I;16", "I;16L", "I;16B", "I;16N", "I")


def to_samples(image: Image.Image) -> tuple[Array, Layout, str]:
    """Samples ``(H, W, C)``, their layout, and the mode that `from_samples` gives back.

    The mode is the image's own, except that a transparent colour becomes an alpha channel: the
    enhanced colours would no longer match it.

    Raises:
        ImageError: a mode with no sensible reading as a photo, or mode I beyond 16 bits.
    """
    mode = image.mode
    if mode in ("P", "PA"):
        transparent = mode == "PA" or image.has_transparency_data
        image = image.convert("RGBA" if transparent else "RGB")
        mode = "P"
    elif mode in ("L", "RGB", "1") and "transparency" in image.info:
        mode = "RGBA" if mode == "RGB" else "LA"
        image = image.convert(mode)
    elif mode in VIA_PILLOW:
        image = image.convert(VIA_PILLOW[mode])
    elif mode in DEEP:
        return _deep_grey(image)[..., None], "L", mode
    elif mode == "F":
        return np.asarray(image)[..., None], "L", mode
    elif mode not in DIRECT:
        known = ", ".join((*DIRECT, *VIA_PILLOW, "P", "PA", *DEEP, "F"))
        raise ImageError(f"mode must be one of {known}, got {mode}")
    samples = np.asarray(image)
    if samples.ndim == 2:
        samples = samples[..., None]
    return samples, "CMYK" if image.mode == "CMYK" else CHANNELS[samples.shape[-1]], mode


def from_samples(samples: Array, layout: Layout, mode: str) -> Image.Image:
    """The inverse of `to_samples`.

    A palette keeps every colour exactly where there are at most 256, else Pillow chooses one.
    """
    from PIL import Image

    if mode in DEEP:
        grey = np.ascontiguousarray(samples[..., 0])
        if mode == "I":
            return Image.fromarray(grey.astype(np.int32))
        order = {"I;16B": ">u2", "I;16N": "=u2"}.get(mode, "<u2")
        height, width = grey.shape
        return Image.frombytes(mode, (width, height), grey.astype(order).tobytes())
    if mode == "P":
        return _palette(samples)
    array = samples[..., 0] if samples.shape[-1] == 1 else samples
    image = Image.fromarray(np.ascontiguousarray(array), "F" if mode == "F" else layout)
    return image if image.mode == mode else image.convert(mode)


def _deep_grey(image: Image.Image) -> Array:
    values = np.asarray(image)
    if image.mode == "I":
        low, high = int(values.min()), int(values.max())
        if low < 0 or high > 65535:
            raise ImageError(f"mode I must hold values in [0, 65535], got {low} to {high}")
    return values.astype(np.uint16)


def _palette(samples: Array) -> Image.Image:
    from PIL import Image

    height, width, channels = samples.shape
    mode = "RGBA" if channels == 4 else "RGB"
    colours, index = np.unique(samples.reshape(-1, channels), axis=0, return_inverse=True)
    if len(colours) > 256:
        method = Image.Quantize.FASTOCTREE if channels == 4 else Image.Quantize.MEDIANCUT
        return Image.fromarray(samples, mode).quantize(256, method)
    result = Image.frombytes("P", (width, height), index.astype(np.uint8).tobytes())
    result.putpalette(colours.tobytes(), mode)
    return result
