"""The file formats that photos are read from and written to."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

from enhance.errors import MissingExtraError

READABLE = (
    "AVIF", "BMP", "DIB", "GIF", "HEIF", "JPEG", "JPEG2000", "MPO", "PCX", "PNG", "PPM", "PSD",
    "QOI", "SGI", "TGA", "TIFF", "WEBP",
)  # fmt: skip
"""Pillow's names. Not every format it knows: EPS, for one, would run a PostScript interpreter."""

FORMAT_OF = {
    ".avif": "AVIF", ".bmp": "BMP", ".exr": "EXR", ".gif": "GIF", ".heic": "HEIF",
    ".heif": "HEIF", ".hif": "HEIF", ".jfif": "JPEG", ".jp2": "JPEG2000", ".jpe": "JPEG",
    ".jpeg": "JPEG", ".jpg": "JPEG", ".pgm": "PPM", ".png": "PNG", ".ppm": "PPM",
    ".tif": "TIFF", ".tiff": "TIFF", ".webp": "WEBP",
}  # fmt: skip
"""Extension to format, for writing."""

RAW = {
    ".3fr", ".arw", ".cr2", ".cr3", ".dng", ".erf", ".iiq", ".kdc", ".mef", ".mos", ".mrw",
    ".nef", ".nrw", ".orf", ".pef", ".raf", ".raw", ".rw2", ".rwl", ".sr2", ".srf", ".srw", ".x3f",
}  # fmt: skip

MODES = {
    "AVIF": ("L", "RGB", "RGBA"),
    "BMP": ("1", "L", "P", "RGB"),
    "EXR": ("L", "LA", "RGB", "RGBA"),
    "GIF": ("L", "P", "PA"),
    "HEIF": ("L", "LA", "RGB", "RGBA"),
    "JPEG": ("L", "RGB", "CMYK"),
    "JPEG2000": ("L", "LA", "RGB", "RGBA"),
    "PNG": ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "I;16"),
    "PPM": ("1", "L", "RGB"),
    "TIFF": ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "F"),
    "WEBP": ("RGB", "RGBA"),
}
"""What each format can hold, PA for a palette with alpha; else the nearest is made of it."""

DEEP_LAYOUTS = {
    "HEIF": ("L", "LA", "RGB", "RGBA"),
    "PNG": ("L", "LA", "RGB", "RGBA"),
    "TIFF": ("L", "LA", "RGB", "RGBA", "CMYK"),
}
"""What is written with more than 8 bits."""

TRANSPARENT = ("AVIF", "EXR", "GIF", "HEIF", "JPEG2000", "PNG", "TIFF", "WEBP")
PROFILED = ("AVIF", "HEIF", "JPEG", "PNG", "TIFF", "WEBP")
"""Those that an ICC profile is embedded in."""
SIDES = {"AVIF": 32768, "GIF": 65535, "JPEG": 65500, "WEBP": 16383}
"""The most pixels in width or height that the libraries write and read again."""
LONGEST = {"JPEG": {"exif": 65527, "xmp": 65504, "comment": 65533}}
"""The most bytes of each kind of metadata, where it may have more."""

# what Pillow's decoders and encoders were seen to raise on damaged files and tags
BROKEN = (
    OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError, RuntimeError,
    ArithmeticError, MemoryError, struct.error, zlib.error,
)  # fmt: skip


def enable_heif() -> None:
    """Teach Pillow HEIC and HEIF.

    Raises:
        MissingExtraError: pillow-heif is not installed.
    """
    try:
        import pillow_heif
    except ImportError as error:
        raise MissingExtraError(
            "HEIC and HEIF need pillow-heif: pip install 'enhance-tune[heif]'"
        ) from error
    pillow_heif.register_heif_opener()


def is_lossless_webp(path: Path) -> bool:
    """Whether the first picture in a WebP is coded without loss.

    Source: RFC 9649, section 2: chunks of a name, a length and as many bytes, padded to even.
    """
    with path.open("rb") as file:
        file.seek(12)
        while len(head := file.read(8)) == 8:
            name, length = struct.unpack("<4sL", head)
            if name in (b"VP8 ", b"VP8L"):
                return bool(name == b"VP8L")
            if name != b"ANMF":  # a frame: its chunks follow 16 bytes of its own
                length += length % 2
            else:
                length = 16
            file.seek(length, 1)
    return False


def is_heif(path: Path) -> bool:
    """Whether a file says, by its first brand or a compatible one, that it is HEIF (HEVC).

    Source: ISO/IEC 14496-12, section 4.3, and ISO/IEC 23008-12, section 10.
    """
    with path.open("rb") as file:
        head = file.read(512)
    if head[4:8] != b"ftyp":
        return False
    length = min(int.from_bytes(head[:4]), len(head))
    brands = {head[8:12], *(head[place : place + 4] for place in range(16, length, 4))}
    return any(brand[:3] in (b"hei", b"hev") for brand in brands)
