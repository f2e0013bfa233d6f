"""TIFF beyond what Pillow writes: every tag kept, and 16-bit or float samples.

Source: TIFF 6.0, sections 2, 8 and 14.
"""

from __future__ import annotations

import io
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from enhance.imaging.exif import EXIF_IFD, GPS_IFD, PIXEL_HEIGHT, PIXEL_WIDTH, upright_xmp
from enhance.imaging.metadata import Tags
from enhance.imaging.samples import Array, Layout

if TYPE_CHECKING:
    from PIL import Image
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

# describes how the pixels are laid out, which is the encoder's business
OF_PIXELS = {
    254, 255, 256, 257, 258, 259, 262, 263, 264, 265, 266, 273, 277, 278, 279, 284,
    288, 289, 290, 291, 292, 293, 301, 317, 320, 321, 322, 323, 324, 325, 330, 332, 334,
    338, 339, 340, 341, 347, 512, 513, 514, 515, 517, 518, 519, 520, 521, 529, 530, 531, 532,
}  # fmt: skip
SUB_DIRECTORIES = (EXIF_IFD, GPS_IFD)
LOSSLESS = {"tiff_lzw", "tiff_deflate", "tiff_adobe_deflate", "packbits", "zstd", "lzma"}
ICC, XMP, ORIENTATION = 34675, 700, 274
STRIP_OFFSETS = 273
SHORT, LONG, UNDEFINED = 3, 4, 7
PRIVATE = 32768
# copyright, IPTC, and what Windows writes: title, comment, author, keywords, subject
OF_EXIF = {33432, 33723, 40091, 40092, 40093, 40094, 40095, *SUB_DIRECTORIES}
HEADER = 8


def is_tiff(path: Path) -> bool:
    """Whether the file starts as a classic TIFF does."""
    with path.open("rb") as file:
        return file.read(4) in (b"II*\x00", b"MM\x00*")


def read_directory(path: Path) -> tuple[ImageFileDirectory_v2, Image.Exif]:
    """All tags of a TIFF's first page, and the same as EXIF, which finds the directories in it."""
    from PIL.Image import Exif
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    data = io.BytesIO(path.read_bytes())
    result, exif = ImageFileDirectory_v2(data.read(8)), Exif()
    data.seek(result.next)
    result.load(data)
    data.seek(0)
    exif.load_from_fp(data)
    return result, exif


def directory(own: ImageFileDirectory_v2, exif: Image.Exif | None = None) -> ImageFileDirectory_v2:
    """The tags that belong to the photo rather than to its pixels, with their types.

    Args:
        own: all tags of the page.
        exif: where the EXIF and GPS directories are found.
    """
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    result = ImageFileDirectory_v2()
    for tag in own:
        if tag in OF_PIXELS or tag in SUB_DIRECTORIES:
            continue
        result.tagtype[tag] = own.tagtype[tag]
        result[tag] = own[tag]
    if exif is not None:
        for tag in SUB_DIRECTORIES:
            if entries := exif.get_ifd(tag):
                result.tagtype[tag] = LONG
                result[tag] = dict(entries)
    return result


def directory_of(tags: Tags) -> ImageFileDirectory_v2:
    """The tags of a photo that was no TIFF."""
    from PIL.Image import Exif
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    result = ImageFileDirectory_v2()
    exif = Exif()
    if tags.exif is not None:
        exif.load(tags.exif)
    for tag, value in exif.items():
        if tag not in OF_PIXELS and tag not in SUB_DIRECTORIES:
            result[tag] = value
    for tag in SUB_DIRECTORIES:
        if entries := exif.get_ifd(tag):
            result.tagtype[tag] = LONG
            result[tag] = dict(entries)
    if tags.dpi is not None:
        result[282], result[283], result[296] = tags.dpi[0], tags.dpi[1], 2
    if tags.xmp is not None:
        result.tagtype[XMP] = 1
        result[XMP] = tags.xmp
    return result


def upright(directory: ImageFileDirectory_v2, *, turned: bool) -> ImageFileDirectory_v2:
    """A copy for a photo whose orientation has been applied to its pixels."""
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    result = ImageFileDirectory_v2()
    for tag, value in directory.items():
        if tag == ORIENTATION:
            value = 1
        elif tag == XMP:
            value = upright_xmp(value if isinstance(value, bytes) else bytes(value))
        elif tag == EXIF_IFD and turned and {PIXEL_WIDTH, PIXEL_HEIGHT} <= value.keys():
            size = {PIXEL_WIDTH: value[PIXEL_HEIGHT], PIXEL_HEIGHT: value[PIXEL_WIDTH]}
            value = dict(value) | size
        result.tagtype[tag] = directory.tagtype[tag]
        result[tag] = value
    return result


def exif_of(own: ImageFileDirectory_v2, exif: Image.Exif) -> bytes | None:
    """The tags of a TIFF as an EXIF block for another container.

    Private tags stay behind: they may hold megabytes (Photoshop's layers), and who reads EXIF
    knows only few of them.
    """
    from PIL.Image import Exif

    result = Exif()
    for tag, value in directory(own, exif).items():
        if tag != XMP and (tag < PRIVATE or tag in OF_EXIF):  # XMP travels on its own
            result[tag] = value
    return result.tobytes() if len(result) else None


def encode_deep(samples: Array, layout: Layout, *, compress: bool) -> bytes:
    """A TIFF of uint16 or float32 samples ``(H, W, C)`` of several channels, without other tags.

    Args:
        samples: interleaved, LA, RGB, RGBA or CMYK.
        layout: what the channels are.
        compress: deflate instead of storing plainly.
    """
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    height, width, channels = samples.shape
    is_float = samples.dtype.kind == "f"
    little = samples.astype("<f4" if is_float else "<u2")
    if compress and not is_float:  # horizontal differences, which wrap around by definition
        little[:, 1:] -= little[:, :-1].copy()
    data = zlib.compress(little.tobytes(), 6) if compress else little.tobytes()
    entries: dict[int, Any] = {
        256: width,
        257: height,
        258: (little.dtype.itemsize * 8,) * channels,
        259: 8 if compress else 1,
        262: {"LA": 1, "CMYK": 5}.get(layout, 2),
        STRIP_OFFSETS: 0,  # Pillow counts from the end of the directory
        277: channels,
        278: height,
        279: len(data),
        284: 1,
        339: (3 if is_float else 1,) * channels,
    }
    if compress and not is_float:
        entries[317] = 2
    if layout in ("LA", "RGBA"):
        entries[338] = 2  # alpha that the colours were not multiplied with
    result = ImageFileDirectory_v2(prefix=b"II")
    for tag, value in entries.items():
        result.tagtype[tag] = LONG if tag in (256, 257, STRIP_OFFSETS, 278, 279) else SHORT
        result[tag] = value
    return _file(result) + data


def graft(encoded: bytes, tags: ImageFileDirectory_v2) -> bytes:
    """An encoded TIFF with these tags added to its own.

    The directory is written anew before everything else, since libtiff (which Pillow compresses
    with) takes neither EXIF directories nor private tags of every type.
    """
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    own = ImageFileDirectory_v2(encoded[:HEADER])
    file = io.BytesIO(encoded)
    file.seek(own.next)
    own.load(file)
    merged = ImageFileDirectory_v2(prefix=encoded[:2])
    for directory in (own, tags):
        for tag, value in directory.items():
            merged.tagtype[tag] = directory.tagtype[tag]
            merged[tag] = value
    # Pillow adds the end of the directory, where all that followed the header now goes
    strips = own[STRIP_OFFSETS]
    offsets = strips if isinstance(strips, tuple) else (strips,)
    merged.tagtype[STRIP_OFFSETS] = LONG
    merged[STRIP_OFFSETS] = tuple(offset - HEADER for offset in offsets)
    return _file(merged) + encoded[HEADER:]


def _file(directory: ImageFileDirectory_v2) -> bytes:
    file = io.BytesIO()
    directory.save(file)
    return file.getvalue()
