"""HEIF at more than 8 bits, as cameras and phones write it; and what Pillow leaves of AVIF's.

Read and written through pillow-heif itself: its Pillow plugin, and Pillow's own AVIF decoder, give
8 bits. AVIF needs a decoder that pillow-heif's wheels lack.
"""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from enhance.imaging.repacked import divided_by_alpha
from enhance.imaging.samples import CHANNELS, Array

if TYPE_CHECKING:
    from PIL import Image

BITS = 10
"""What 16 bits of another format become: HEVC's Main 10, which phones play."""
UNSPECIFIED = 2
AS_SRGB = (1, UNSPECIFIED)
"""Primaries that are sRGB's, or may be."""
HDR = {16: "PQ", 18: "HLG"}
"""Transfers that are nothing like sRGB's."""
LAYOUTS = {"L": "L;16", "LA": "LA;16", "RGB": "RGB;16", "RGBA": "RGBA;16"}


def bit_depth(image: Image.Image) -> int:
    """Bits per sample of an opened HEIF."""
    return int(image.info.get("bit_depth", 8))


def read_heif(path: Path) -> Array:
    """The samples ``(H, W, C)`` of a HEIF's primary picture, spread over uint16.

    Raises:
        OSError, ValueError, RuntimeError, EOFError, SyntaxError: a damaged file.
    """
    import pillow_heif

    file = pillow_heif.open_heif(path, convert_hdr_to_8bit=False, hdr_to_16bit=False)
    picture = file[file.primary_index]
    samples = np.asarray(picture)
    if samples.ndim == 2:
        samples = samples[..., None]
    most = (1 << int(str(picture.info["bit_depth"]))) - 1
    spread = (samples.astype(np.uint32) * 65535 + most // 2) // most
    spread = spread.astype(np.uint16)
    return divided_by_alpha(spread) if "a;" in picture.mode else spread


def encode_heif(samples: Array, *, bits: int, quality: int, tags: dict[str, Any]) -> bytes:
    """A HEIF of uint16 samples ``(H, W, C)`` at 10 or 12 bits.

    Args:
        samples: what `read_heif` gives comes back to the same levels, but for the lossy coding.
        bits: 10 or 12.
        quality: 0..100.
        tags: ``exif``, ``xmp`` and ``icc_profile``, each optional.
    """
    import pillow_heif

    height, width, channels = samples.shape
    most = (1 << bits) - 1
    levels = (samples.astype(np.uint32) * most + 32767) // 65535
    data = (levels << (16 - bits)).astype("<u2").tobytes()  # of 16 bits it takes the highest
    file = io.BytesIO()
    mode = LAYOUTS[CHANNELS[channels]]
    kept = {name: tags[name] for name in ("exif", "xmp", "icc_profile") if name in tags}
    pillow_heif.encode(
        mode, (width, height), data, file, quality=quality, bit_depth=bits, primary=True, **kept
    )
    return file.getvalue()


def coded_colours(path: Path) -> tuple[int, int]:
    """Primaries and transfer that a HEIF or AVIF names instead of a profile; 2 where it does not.

    Source: ISO/IEC 23091-2, tables 2 and 3, in the box ``colr`` of ISO/IEC 14496-12.
    """
    with path.open("rb") as file:
        head = file.read(1 << 16)
    place = head.find(b"colrnclx")
    if place < 0 or place + 12 > len(head):
        return UNSPECIFIED, UNSPECIFIED
    primaries, transfer = struct.unpack_from(">HH", head, place + 8)
    return primaries, transfer


def avif_bit_depth(path: Path) -> int:
    """Bits per sample of an AVIF, by the codec's configuration; 8 where there is none.

    Source: AV1 Codec ISO Media File Format Binding, section 2.3.3.
    """
    with path.open("rb") as file:
        head = file.read(1 << 16)
    place = head.find(b"av1C")
    if place < 0 or place + 7 > len(head):
        return 8
    flags = head[place + 6]
    return 8 if not flags & 0x40 else 12 if flags & 0x20 else 10
