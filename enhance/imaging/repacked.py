"""16 bits of a layout that no decoder here knows, read as another with the same bytes.

Pillow decodes every compression of PNG and TIFF, but gives several 16-bit channels back as 8. A
TIFF of four channels is, byte for byte, one of a single channel four times as wide; a PNG of grey
and alpha at 16 bits is, filters included, one of four channels at 8. So the header is rewritten,
and Pillow decodes what it then takes for something else.

Sources: TIFF 6.0, sections 2, 14 and 15; PNG, third edition, sections 9 and 11.2.1.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from enhance.imaging.samples import Array

WIDTH, BITS, COMPRESSION, PHOTOMETRIC, CHANNELS, PLANAR = 256, 258, 259, 262, 277, 284
PREDICTOR, TILE_WIDTH, EXTRA, KIND = 317, 322, 338, 339
COMPRESSIONS = {1, 5, 8, 32773, 32946, 34925, 50000}  # lossless, of bytes whatever they mean
DROPPED = {
    274, 332, 333, 334, 336, 337, 340, 341, 34675, PREDICTOR, EXTRA, KIND
}  # turned, profiled or counted by channel  # fmt: skip
SHORT, LONG = 3, 4
GREY, DEEP_GREY_ALPHA, RGBA = 0, (16, 4), (8, 6)


def can_repack(tags: Mapping[int, Any]) -> bool:
    """Whether a TIFF of these tags holds 16 bits, compressed without loss."""
    return (
        set(tags.get(BITS, ())) == {16}
        and set(tags.get(KIND, (1,))) == {1}
        and tags.get(COMPRESSION, 1) in COMPRESSIONS
        and tags.get(PREDICTOR, 1) in (1, 2)
    )


def read_tiff(data: bytes, tags: Mapping[int, Any]) -> Array:
    """The samples ``(H, W, C)`` in uint16 of the first page of a TIFF that `can_repack`.

    Args:
        data: the whole file.
        tags: of the page.

    Raises:
        OSError, ValueError, struct.error: a damaged file.
    """
    from PIL.TiffImagePlugin import TiffImageFile

    channels = int(tags[CHANNELS])
    with TiffImageFile(io.BytesIO(_as_one_channel(data, channels))) as image:
        wide = np.asarray(image).astype(np.uint16)
    samples: Array = wide.reshape(wide.shape[0], -1, channels)
    if tags.get(PREDICTOR, 1) == 2:  # differences, which wrap around by definition
        step = int(tags.get(TILE_WIDTH, samples.shape[1]))
        for left in range(0, samples.shape[1], step):
            part = samples[:, left : left + step]
            np.cumsum(part, axis=1, dtype=np.uint16, out=part)
    if tags.get(EXTRA) == (1,):
        return divided_by_alpha(samples)
    return samples


def read_png_grey_alpha(data: bytes) -> Array:
    """The samples ``(H, W, 2)`` in uint16 of a PNG of grey and alpha at 16 bits.

    Raises:
        OSError, ValueError: a damaged file.
    """
    from PIL import PngImagePlugin

    with PngImagePlugin.PngImageFile(io.BytesIO(_with_header(data, *RGBA))) as image:
        return np.asarray(image).view(">u2").astype(np.uint16)


def encode_png_grey_alpha(samples: Array) -> bytes:
    """A PNG of uint16 samples ``(H, W, 2)``: the inverse of `read_png_grey_alpha`.

    >>> samples = np.arange(24, dtype=np.uint16).reshape(3, 4, 2) * 2700
    >>> bool((read_png_grey_alpha(encode_png_grey_alpha(samples)) == samples).all())
    True
    """
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(samples.astype(">u2").view(np.uint8)).save(file, "PNG")
    return _with_header(file.getvalue(), *DEEP_GREY_ALPHA)


def _with_header(data: bytes, depth: int, colour: int) -> bytes:
    # 8 bytes of signature, 4 of length, then IHDR: name, width, height, depth, colour, ... and CRC
    header = data[12:24] + bytes((depth, colour)) + data[26:29]
    return data[:12] + header + struct.pack(">I", zlib.crc32(header)) + data[33:]


def _as_one_channel(data: bytes, channels: int) -> bytes:
    order = {b"II": "<", b"MM": ">"}[data[:2]]
    (start,) = struct.unpack_from(order + "I", data, 4)
    (count,) = struct.unpack_from(order + "H", data, start)
    one = {BITS: 16, PHOTOMETRIC: 1, CHANNELS: 1}
    entries = []
    for index in range(count):
        entry = data[start + 2 + 12 * index :][:12]
        tag, kind = struct.unpack_from(order + "HH", entry)
        if tag in (WIDTH, TILE_WIDTH):
            (width,) = struct.unpack_from(order + ("H" if kind == SHORT else "I"), entry, 8)
            entry = struct.pack(order + "HHII", tag, LONG, 1, width * channels)
        elif tag in one:
            entry = struct.pack(order + "HHIHH", tag, SHORT, 1, one[tag], 0)
        if tag not in DROPPED:
            entries.append(entry)
    directory = struct.pack(order + "H", len(entries)) + b"".join(entries) + bytes(4)
    return data[:start] + directory + data[start + len(directory) :]


def divided_by_alpha(samples: Array) -> Array:
    """Colours that were multiplied with their alpha, the last of the channels, as they were.

    >>> divided_by_alpha(np.array([[[32768, 0, 32768]]], np.uint16)).tolist()
    [[[65535, 0, 32768]]]
    """
    colour, alpha = samples[..., :-1].astype(np.uint64), samples[..., -1:]
    divided = (colour * 65535 + alpha // 2) // np.maximum(alpha, 1)
    return np.concatenate([np.minimum(divided, 65535).astype(np.uint16), alpha], -1)
