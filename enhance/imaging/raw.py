"""Camera RAW: developed by LibRaw as the camera would, at 16 bits; nothing is written in it.

Source: LibRaw, *API data structures* (output parameters), libraw.org; CIPA DC-008-2024 (Exif 3.0).
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from enhance.errors import MissingExtraError, ReadError
from enhance.imaging import tiff
from enhance.imaging.exif import EXIF_IFD, GPS_IFD
from enhance.imaging.metadata import ORIENTATION, Tags
from enhance.imaging.samples import Array

if TYPE_CHECKING:
    from PIL import Image

SRGB_GAMMA = (2.4, 12.92)
"""Power and slope near black of sRGB's curve, for LibRaw."""
MAKER_NOTE = 0x927C
# description, maker, model, software, date, artist, rating, copyright: the rest describes the RAW
OF_PHOTO = (270, 271, 272, 305, 306, 315, 18246, 33432)


def read_raw(path: Path, check_size: Callable[[int, int], None]) -> tuple[Array, Tags]:
    """Develop a RAW file: the camera's white balance, sRGB, upright, no automatic brightness.

    Args:
        path: of any RAW file that LibRaw knows.
        check_size: raises if width and height, known before any pixel is decoded, are too large.

    Returns:
        Samples ``(H, W, 3)`` in uint16, sRGB; and the file's EXIF (without the maker's note, which
        would not survive a move) and XMP, as far as they can be found.

    Raises:
        ReadError: damaged, or of a camera that LibRaw does not know.
        MissingExtraError: rawpy is not installed.
    """
    try:
        import rawpy
    except ImportError as error:
        raise MissingExtraError(
            f"cannot read {path}: camera RAW needs rawpy: pip install 'enhance-tune[raw]'"
        ) from error
    try:
        with rawpy.imread(str(path)) as raw:
            check_size(raw.sizes.width, raw.sizes.height)
            samples = raw.postprocess(
                output_bps=16, use_camera_wb=True, no_auto_bright=True, gamma=SRGB_GAMMA
            )
            return samples, _tags(path, raw)
    except rawpy.LibRawError as error:
        reason = error.args[0] if error.args else error
        reason = reason.decode() if isinstance(reason, bytes) else reason
        raise ReadError(f"cannot read {path}: damaged or unknown RAW: {reason}") from error


def _tags(path: Path, raw: Any) -> Tags:
    """From the file itself where it is a TIFF, as most are; else from its preview."""
    import rawpy
    from PIL import Image

    try:
        if tiff.is_tiff(path):
            exif = Image.Exif()
            with path.open("rb") as file:
                exif.load_from_fp(file)
                return _of_photo(exif)
        preview = raw.extract_thumb()
        with Image.open(io.BytesIO(preview.data)) as image:
            return _of_photo(image.getexif())
    except (rawpy.LibRawError, OSError, SyntaxError, ValueError, TypeError, LookupError):
        return Tags()  # a photo without tags is better than none


def _of_photo(exif: Image.Exif) -> Tags:
    from PIL.Image import Exif

    kept = Exif()
    for tag in OF_PHOTO:
        if tag in exif:
            kept[tag] = exif[tag]
    for directory in (EXIF_IFD, GPS_IFD):
        entries = {t: v for t, v in exif.get_ifd(directory).items() if t != MAKER_NOTE}
        if entries:
            kept.get_ifd(directory).update(entries)
    if len(kept) or kept.get_ifd(EXIF_IFD) or kept.get_ifd(GPS_IFD):
        kept[ORIENTATION] = 1  # LibRaw has turned the pixels
    xmp = exif.get(tiff.XMP)
    return Tags(
        exif=kept.tobytes().removeprefix(b"Exif\0\0") if len(kept) else None,
        xmp=xmp if isinstance(xmp, bytes) else None,
    )
