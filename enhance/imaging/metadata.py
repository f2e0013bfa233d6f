"""Metadata of a photo: orientation, EXIF, ICC profile, XMP, resolution, and format details."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from enhance.imaging.exif import PREFIX, upright, upright_xmp

if TYPE_CHECKING:
    from PIL import Image

ORIENTATION = 0x0112
TURNED = (5, 6, 7, 8)  # the orientations that exchange width and height


@dataclass(frozen=True)
class Tags:
    """What a file says about its photo, as bytes wherever possible.

    Attributes:
        exif: without the ``Exif`` prefix.
        icc: the ICC profile.
        xmp: the XMP packet.
        dpi: horizontal and vertical resolution.
        comment: of a JPEG.
    """

    exif: bytes | None = None
    icc: bytes | None = None
    xmp: bytes | None = None
    dpi: tuple[float, float] | None = None
    comment: bytes | None = None

    @classmethod
    def of(cls, image: Image.Image) -> Tags:
        """Collect the tags of an opened image."""
        info = image.info
        exif, xmp, comment = (info.get(key) for key in ("exif", "xmp", "comment"))
        if image.format == "TIFF":
            from enhance.imaging.tiff import exif_of

            exif = exif_of(image)
        elif not isinstance(exif, bytes):
            exif = image.getexif().tobytes() if len(image.getexif()) else None
        return cls(
            exif=exif.removeprefix(PREFIX) or None if exif else None,
            icc=info.get("icc_profile") or None,
            xmp=xmp.encode() if isinstance(xmp, str) else xmp,
            dpi=info.get("dpi"),
            comment=comment.encode() if isinstance(comment, str) else comment,
        )

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
    value = image.getexif().get(ORIENTATION, 1)
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


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
