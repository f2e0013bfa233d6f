"""Samples: a photo's numbers as its container holds them, and their way to pixels and back.

Every kind of input (file, PIL image, array, tensor) is reduced to one array and one
`Encoding`; only the wrapping differs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from enhance.errors import ImageError
from enhance.imaging.grey import grey_of
from enhance.imaging.icc import Profile
from enhance.imaging.quantise import quantise

Layout = Literal["L", "LA", "RGB", "RGBA", "CMYK"]
Array = NDArray[Any]

CHANNELS: dict[int, Layout] = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
OVERSHOOT = 1e-6  # rounding of whoever made the floats; anything beyond is another range


@dataclass(frozen=True)
class Encoding:
    """How to turn pixels back into samples.

    Attributes:
        layout: what the channels are.
        dtype: of the samples.
        size: height and width.
        profile: conversion to sRGB, None where the samples are sRGB.
        alpha: the alpha channel as it came, ``(H, W, 1)``.
        original: the colour samples as they came, kept only where sRGB cannot hold all of them
            (a wider gamut, CMYK, light above white): what got lost on the way in is added again on
            the way out.
        bounded: False where floats may leave [0, 1], as scene-linear light does.
    """

    layout: Layout
    dtype: np.dtype[Any]
    size: tuple[int, int]
    profile: Profile | None = None
    alpha: Array | None = None
    original: Array | None = None
    bounded: bool = True

    def eight_bit(self) -> Encoding:
        """The same at 8 bits per sample."""
        alpha = self.alpha
        if alpha is not None:
            alpha = quantise(_normalise(alpha), levels=255, dtype=np.uint8, dither=False)
        return replace(self, dtype=np.dtype(np.uint8), alpha=alpha)

    def srgb(self, layout: Layout) -> Encoding:
        """Plain sRGB or grey of sRGB's curve, with the same dtype and alpha."""
        return replace(self, layout=layout, profile=None, original=None, bounded=True)

    def shown(self) -> Encoding:
        """What a file holds that has no place for scene-linear light: 16 bits of sRGB."""
        if self.bounded:
            return self
        alpha = self.alpha
        if alpha is not None:
            alpha = quantise(_normalise(alpha), levels=65535, dtype=np.uint16, dither=False)
        return replace(self.srgb(self.layout), dtype=np.dtype(np.uint16), alpha=alpha)


def decode(
    samples: Array, layout: Layout, profile: Profile | None = None, *, bounded: bool = True
) -> tuple[Tensor, Tensor | None, Encoding]:
    """Samples to pixels.

    Args:
        samples: ``(H, W, C)``, uint8, uint16 or float in [0, 1].
        layout: what the C channels are.
        profile: conversion to sRGB, if one is needed.
        bounded: False allows floats outside [0, 1], which the profile then brings into it.

    Returns:
        Pixels ``(1, 3, H, W)`` float32 in [0, 1] sRGB, alpha ``(1, 1, H, W)`` or None, and the
        encoding that leads back.

    Raises:
        ImageError: no pixels, a dtype or value out of range, NaN or infinity.
    """
    if 0 in samples.shape:
        raise ImageError(
            f"an image must have at least one pixel, got {samples.shape[1]} x {samples.shape[0]}"
        )
    check_values(samples, bounded=bounded)
    colour, alpha = samples, None
    if layout in ("LA", "RGBA"):
        colour, alpha = samples[..., :-1], samples[..., -1:].copy()
    lossy = profile is not None or layout == "CMYK"
    srgb = _to_srgb(_normalise(colour, bounded), layout, profile) if lossy else colour
    pixels = torch.from_numpy(_planes(srgb))[None]
    if pixels.shape[1] == 1:
        pixels = pixels.repeat(1, 3, 1, 1)
    opacity = None
    if alpha is not None:
        opacity = torch.from_numpy(_planes(alpha))[None]
    original = colour.copy() if lossy else None
    size = (samples.shape[0], samples.shape[1])
    encoding = Encoding(layout, samples.dtype, size, profile, alpha, original, bounded)
    return pixels, opacity, encoding


def encode(pixels: Tensor, encoding: Encoding, *, dither: bool = True) -> Array:
    """Pixels to samples ``(H, W, C)`` of the encoding's layout and dtype; alpha as it came.

    Raises:
        ImageError: `pixels` is not ``(1, 3, H, W)``, not finite, or of another size than the photo.
    """
    if pixels.ndim != 4 or pixels.shape[:2] != (1, 3):
        raise ImageError(f"pixels must be (1, 3, H, W), got {tuple(pixels.shape)}")
    size = tuple(pixels.shape[-2:])
    if size != encoding.size:
        raise ImageError(f"pixels must keep the photo's size {encoding.size}, got {size}")
    srgb = _to_array(pixels, encoding.layout)
    if not np.isfinite(srgb).all():
        raise ImageError("pixels must be finite, got NaN or infinity from the operator")
    native = srgb
    if encoding.original is not None:
        original = _normalise(encoding.original, encoding.bounded)
        shown = _to_srgb(original, encoding.layout, encoding.profile)
        # exactly the original where nothing changed
        native = original + (
            _from_srgb(srgb, original, encoding) - _from_srgb(shown, original, encoding)
        )
    elif encoding.profile is not None:
        native = encoding.profile.from_srgb(srgb)
    if encoding.dtype.kind == "u":
        levels = int(np.iinfo(encoding.dtype).max)
        # below the last of 65536 levels there is nothing left to dither
        samples: Array = quantise(
            native, levels=levels, dtype=encoding.dtype.type, dither=dither and levels == 255
        )
    else:
        native = np.clip(native, 0, 1) if encoding.bounded else native
        samples = native.astype(encoding.dtype)
    if encoding.alpha is not None:
        samples = np.concatenate([samples, encoding.alpha], -1)
    return samples


def check_values(samples: Array, *, bounded: bool = True) -> None:
    """Raise `ImageError` unless the samples are uint8, uint16, or finite floats in [0, 1].

    Floats that are not `bounded` need only be finite.
    """
    if samples.dtype in (np.uint8, np.uint16):
        return
    if samples.dtype.kind != "f":
        raise ImageError(f"dtype must be uint8, uint16 or float, got {samples.dtype}")
    low, high = float(samples.min()), float(samples.max())  # NaN wins in both
    if not (np.isfinite(low) and np.isfinite(high)):
        row, column = np.argwhere(~np.isfinite(samples))[0][:2]
        value = samples[row, column][~np.isfinite(samples[row, column])][0]
        raise ImageError(f"pixels must be finite, got {value} at row {row}, column {column}")
    if not bounded:
        return
    if high > 1 + OVERSHOOT:
        hint = " (pass 0..255 values as uint8)" if 64 < high <= 255 else ""
        raise ImageError(f"float pixels must lie in [0, 1], got max {high:g}{hint}")
    if low < -OVERSHOOT:
        raise ImageError(f"float pixels must lie in [0, 1], got min {low:g}")


def _normalise(samples: Array, bounded: bool = True) -> NDArray[np.float32]:
    if samples.dtype.kind == "f":
        return (np.clip(samples, 0, 1) if bounded else samples).astype(np.float32)
    return samples.astype(np.float32) / np.float32(np.iinfo(samples.dtype).max)


def _planes(samples: Array) -> NDArray[np.float32]:
    """`_normalise`, channels first, without temporaries as large as the photo."""
    height, width, channels = samples.shape
    planes = np.empty((channels, height, width), np.float32)
    for index in range(channels):
        channel, plane = samples[..., index], planes[index]
        if samples.dtype.kind == "f":
            np.clip(channel, 0, 1, out=plane, casting="same_kind")
        else:
            top = np.float32(np.iinfo(samples.dtype).max)
            np.divide(channel, top, out=plane, dtype=np.float32, casting="unsafe")
    return planes


def _to_array(pixels: Tensor, layout: Layout) -> NDArray[np.float32]:
    colour = pixels.detach().to("cpu", torch.float32)
    if layout in ("L", "LA"):
        colour = grey_of(colour)
    array: NDArray[np.float32] = colour[0].numpy().transpose(1, 2, 0)
    return array


def _to_srgb(
    native: NDArray[np.float32], layout: Layout, profile: Profile | None
) -> NDArray[np.float32]:
    if profile is not None:
        return profile.to_srgb(native)
    return (1 - native[..., :3]) * (1 - native[..., 3:])


def _from_srgb(
    srgb: NDArray[np.float32], original: NDArray[np.float32], encoding: Encoding
) -> NDArray[np.float32]:
    if encoding.profile is not None:
        return encoding.profile.from_srgb(srgb)
    # CMYK without a profile: keep the black plate as far as the new colour allows
    white = np.maximum(1 - original[..., 3:], srgb.max(-1, keepdims=True))
    inks = 1 - srgb / np.maximum(white, np.float32(1e-6))
    return np.concatenate([inks, 1 - white], -1)
