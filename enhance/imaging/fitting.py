"""What a format can hold of a photo: the nearest samples, and the tags that fit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from enhance.errors import warn
from enhance.imaging import formats
from enhance.imaging.exif import shortened
from enhance.imaging.metadata import Tags
from enhance.imaging.modes import DEEP
from enhance.imaging.samples import Encoding, Layout

JPEG_DENSITY = 65535
NAMES = {"exif": "EXIF", "xmp": "XMP", "comment": "a comment"}


def is_transparent(encoding: Encoding) -> bool:
    """Whether any pixel lets through what lies below it."""
    if encoding.alpha is None:
        return False
    opaque = 1 if encoding.alpha.dtype.kind == "f" else np.iinfo(encoding.alpha.dtype).max
    return bool(encoding.alpha.min() < opaque)


def fit(encoding: Encoding, mode: str, format: str) -> tuple[Encoding, str]:
    """The nearest encoding and Pillow's mode that a format can hold.

    Args:
        encoding: of a photo; where the format has no alpha it is opaque.
        mode: Pillow's mode of its samples.
        format: by Pillow's name.
    """
    if encoding.alpha is not None and format not in formats.TRANSPARENT:
        encoding = replace(encoding, alpha=None, layout=_colour(encoding.layout))
        mode = mode if mode == "P" else encoding.layout
    if encoding.profile is not None and format not in formats.PROFILED:
        encoding = encoding.srgb("RGB" if encoding.layout == "CMYK" else encoding.layout)
    if not _holds_depth(encoding, mode, format):
        encoding = encoding.eight_bit()
        mode = encoding.layout if mode in (*DEEP, "F") else mode
    elif encoding.dtype == np.uint16 and encoding.layout == "L":
        mode = "I;16"
    if format == "GIF" and encoding.alpha is not None:  # a pixel is transparent or it is not
        encoding = replace(encoding, alpha=np.where(encoding.alpha < 128, 0, 255).astype(np.uint8))
    allowed = formats.MODES[format]
    if (mode if mode != "P" or encoding.alpha is None else "PA") in allowed:
        return encoding, mode
    target = _target(encoding, allowed)
    mode = target if target in allowed else "P"
    if _colour(target) != _colour(encoding.layout):
        encoding = encoding.srgb(target)
    return encoding, mode


def fit_tags(tags: Tags, format: str, path: Path) -> Tags:
    """The tags that a format can hold; a warning tells of each that it cannot.

    Args:
        tags: of the photo.
        format: by Pillow's name.
        path: of the target, for the warning.
    """
    left_out: dict[str, Any] = {}
    lost = ["damaged EXIF"] if tags.damaged and format in formats.PROFILED else []
    for name, most in formats.LONGEST.get(format, {}).items():
        value = getattr(tags, name)
        if value is None or len(value) <= most:
            continue
        left_out[name], parts = shortened(value, most) if name == "exif" else (None, [])
        what = f"{', '.join(parts)} in {NAMES[name]}" if parts else NAMES[name]
        lost.append(f"{what} of {len(value)} bytes ({format} holds at most {most})")
    if format == "JPEG" and tags.dpi is not None and max(tags.dpi) > JPEG_DENSITY:
        lost.append(f"a resolution of {max(tags.dpi):g} dpi (JPEG holds at most {JPEG_DENSITY})")
        left_out["dpi"] = None
    for what in lost:
        warn(f"{path}: {what} is left out")
    return replace(tags, **left_out)


def _target(encoding: Encoding, allowed: tuple[str, ...]) -> Layout:
    """The simplest layout for colour and alpha of `encoding` that is allowed, else in colour."""
    transparent = encoding.alpha is not None
    if _colour(encoding.layout) == "L":
        grey: Layout = "LA" if transparent else "L"
        if grey in allowed:
            return grey
    return "RGBA" if transparent else "RGB"


def _holds_depth(encoding: Encoding, mode: str, format: str) -> bool:
    if encoding.dtype == np.uint8:
        return True
    if encoding.dtype == np.uint16:
        return encoding.layout in formats.DEEP_LAYOUTS.get(format, ())
    # floats of an array or tensor say nothing about depth, those of a file do
    return mode == "F" and format == "TIFF"


def _colour(layout: Layout) -> Layout:
    return {"LA": "L", "RGBA": "RGB"}.get(layout, layout)  # type: ignore[return-value]
