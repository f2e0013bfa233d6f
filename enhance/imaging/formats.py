"""The file formats that photos are read from and written to."""

from __future__ import annotations

from enhance.errors import MissingExtraError

READABLE = (
    "AVIF", "BMP", "DIB", "GIF", "HEIF", "JPEG", "JPEG2000", "MPO", "PCX", "PNG", "PPM", "PSD",
    "QOI", "SGI", "TGA", "TIFF", "WEBP",
)  # fmt: skip
"""Pillow's names. Not every format it knows: EPS, for one, would run a PostScript interpreter."""

FORMAT_OF = {
    ".avif": "AVIF", ".bmp": "BMP", ".exr": "EXR", ".gif": "GIF", ".heic": "HEIF",
    ".heif": "HEIF", ".jfif": "JPEG", ".jp2": "JPEG2000", ".jpe": "JPEG",
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
    "GIF": ("L", "P"),
    "HEIF": ("L", "LA", "RGB", "RGBA"),
    "JPEG": ("L", "RGB", "CMYK"),
    "JPEG2000": ("L", "LA", "RGB", "RGBA"),
    "PNG": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"),
    "PPM": ("1", "L", "RGB"),
    "TIFF": ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "F"),
    "WEBP": ("RGB", "RGBA"),
}
"""What each format can hold; anything else is converted to the nearest."""

TRANSPARENT = ("AVIF", "EXR", "GIF", "HEIF", "JPEG2000", "PNG", "TIFF", "WEBP")


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
