"""Metadata of a photo: orientation, EXIF, ICC profile, XMP, resolution, and format details."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from enhance.imaging.exif import PREFIX, is_sound, upright, upright_xmp
from enhance.imaging.formats import BROKEN

if TYPE_CHECKING:
    from PIL import Image
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

ORIENTATION = 0x0112
MOST_DPI = 1e8  # a PNG counts dots in a metre, in 32 bits
TURNED = (5, 6, 7, 8)  # the orientations that exchange width and height


@dataclass(frozen=True)
class Tags:
    """What a file says about its photo, as bytes wherever possible.

    Attributes:
        exif: without the ``Exif`` prefix; None where it is damaged.
        icc: the ICC profile.
        xmp: the XMP packet.
        dpi: horizontal and vertical resolution.
        comment: of a JPEG.
        damaged: whether there was EXIF that cannot be parsed.
    """

    exif: bytes | None = None
    icc: bytes | None = None
    xmp: bytes | None = None
    dpi: tuple[float, float] | None = None
    comment: bytes | None = None
    damaged: bool = False

    @classmethod
    def of(cls, image: Image.Image) -> Tags:
        """Collect the tags of an opened image."""
        info = image.info
        xmp, comment = info.get("xmp"), info.get("comment")
        exif = _exif(image)
        sound = exif is None or is_sound(exif)
        return cls(
            exif=exif if sound else None,
            icc=info.get("icc_profile") or None,
            xmp=xmp.encode() if isinstance(xmp, str) else xmp,
            dpi=_resolution(info.get("dpi")),
            comment=comment.encode() if isinstance(comment, str) else comment,
            damaged=not sound,
        )

    @classmethod
    def of_tiff(cls, own: ImageFileDirectory_v2, exif: Image.Exif) -> Tags:
        """Collect the tags of a TIFF from its directory; `exif` as `tiff.read_directory` has it."""
        from enhance.imaging.tiff import ICC, XMP, exif_of

        block = exif_of(own, exif)
        prefixless = block.removeprefix(PREFIX) if block else None
        return cls(exif=prefixless, icc=own.get(ICC), xmp=own.get(XMP))

    def upright(self, *, turned: bool, keep_thumbnail: bool = True) -> Tags:
        """The tags of the photo with its orientation applied; `turned` as in `exif.upright`."""
        exif = self.exif
        if exif is not None:
            exif = upright(exif, turned=turned, keep_thumbnail=keep_thumbnail)
        return replace(self, exif=exif, xmp=upright_xmp(self.xmp) if self.xmp else None)

    def info(self) -> dict[str, Any]:
        """As the `info` of a PIL image; its `save` takes the same keys."""
        entries = {
            "exif": PREFIX + self.exif if self.exif else None,
            "icc_profile": self.icc,
            "xmp": self.xmp,
            "dpi": self.dpi,
            "comment": self.comment,
        }
        return {key: value for key, value in entries.items() if value is not None}


def orientation(image: Image.Image) -> int:
    """EXIF orientation 1..8; 1 where there is none or it makes no sense."""
    try:
        value = image.getexif().get(ORIENTATION, 1)
    except BROKEN:
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _exif(image: Image.Image) -> bytes | None:
    """The EXIF of an opened image, without its prefix."""
    exif = image.info.get("exif")
    if image.format == "TIFF":
        from enhance.imaging.tiff import exif_of

        exif = exif_of(image.tag_v2, image.getexif())  # type: ignore[attr-defined]
    elif not isinstance(exif, bytes):
        exif = image.getexif().tobytes() if len(image.getexif()) else None
    return exif.removeprefix(PREFIX) or None if exif else None


def _resolution(dpi: Any) -> tuple[float, float] | None:
    """Horizontal and vertical dpi, None where they make no sense (TIFF may say 0 / 0)."""
    try:
        x, y = (float(value) for value in dpi)
    except (TypeError, ValueError, ArithmeticError):
        return None
    return (x, y) if 0 < x < MOST_DPI and 0 < y < MOST_DPI else None


def apply_orientation(image: Image.Image) -> Image.Image:
    """The image as it is meant to be seen; the very same object where nothing is to be done."""
    from PIL.Image import Transpose

    steps = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    step = steps.get(orientation(image))
    if step is None:
        return image
    turned = image.transpose(step)
    turned.info = dict(image.info)
    return turned


def turn(samples: NDArray[Any], orientation: int) -> NDArray[Any]:
    """`apply_orientation` for samples ``(H, W, C)``."""
    if orientation in TURNED:
        samples = samples.transpose(1, 0, 2)
    if orientation in (3, 4, 7, 8):
        samples = samples[::-1]
    if orientation in (2, 3, 6, 7):
        samples = samples[:, ::-1]
    return samples
