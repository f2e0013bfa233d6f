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
        # colours times alphas are more than a palette holds
        mode = "RGBA" if mode == "PA" else "P"
    elif mode in ("L", "RGB", "1") and "transparency" in image.info:
        mode = "RGBA" if mode == "RGB" else "LA"
        image = image.convert(mode)
    elif mode in VIA_PILLOW:
        image = image.convert(VIA_PILLOW[mode])
    elif mode in DEEP:
        grey = _deep_grey(image)[..., None]
        if "transparency" not in image.info:
            return grey, "L", mode
        return with_alpha(grey, image.info["transparency"]), "LA", "LA"
    elif mode == "F":
        return np.asarray(image)[..., None], "L", mode
    elif mode not in DIRECT:
        known = ", ".join((*DIRECT, *VIA_PILLOW, "P", "PA", *DEEP, "F"))
        raise ImageError(f"mode must be one of {known}, got {mode}")
    samples = np.asarray(image)
    if samples.ndim == 2:
        samples = samples[..., None]
    return samples, "CMYK" if image.mode == "CMYK" else CHANNELS[samples.shape[-1]], mode


def with_alpha(samples: Array, colour: int | tuple[int, ...]) -> Array:
    """Samples ``(H, W, C)`` in uint16 with an alpha channel: zero where they are of one colour.

    >>> with_alpha(np.array([[[7], [8]]], np.uint16), 8).tolist()
    [[[7, 65535], [8, 0]]]
    """
    transparent = (samples == np.array(colour)).all(-1, keepdims=True)
    alpha = np.where(transparent, 0, 65535).astype(np.uint16)
    return np.concatenate([samples, alpha], -1)


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
    samples: Array = values.astype(np.uint16)
    # 262 is how a TIFF counts: 0 for white at 0, which Pillow heeds at 8 bits only
    if image.mode != "I" and getattr(image, "tag_v2", {}).get(262) == 0:
        samples = 65535 - samples
    return samples


def on_off_palette(samples: Array) -> Image.Image:
    """A palette image of RGBA samples whose alpha is 0 or 255, as GIF has it.

    One entry is transparent, so of the colours that nobody sees the first stands for all; every
    other is kept where there are at most 256 in all, else Pillow chooses.
    """
    from PIL import Image

    seen = samples[..., 3] > 0
    if seen.all():
        return _palette(samples[..., :3])
    height, width = seen.shape
    index = np.zeros((height, width), np.uint8)  # the transparent entry comes first
    palette = samples[~seen][0, :3].tobytes()
    if seen.any():
        row = _palette(samples[seen][None, :, :3], 255)
        palette += bytes(row.getpalette() or ())
        index[seen] = np.asarray(row)[0] + 1
    result = Image.frombytes("P", (width, height), index.tobytes())
    result.putpalette(palette)
    result.info["transparency"] = 0
    return result


def _palette(samples: Array, most: int = 256) -> Image.Image:
    from PIL import Image

    height, width, channels = samples.shape
    mode = "RGBA" if channels == 4 else "RGB"
    colours, index = np.unique(samples.reshape(-1, channels), axis=0, return_inverse=True)
    if len(colours) > most:
        method = Image.Quantize.FASTOCTREE if channels == 4 else Image.Quantize.MEDIANCUT
        return Image.fromarray(samples, mode).quantize(most, method)
    result = Image.frombytes("P", (width, height), index.astype(np.uint8).tobytes())
    result.putpalette(colours.tobytes(), mode)
    return result
