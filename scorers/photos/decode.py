"""Photo files as pixels in memory, with one error for everything that can be wrong with them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from scorers.errors import InputError

if TYPE_CHECKING:
    from PIL import Image

_DEEP = ("I", "I;16", "I;16L", "I;16B", "I;16N")
_ORIENTATION = 0x0112  # EXIF's tag
_UPRIGHT = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}
"""By orientation, Pillow's name of what turns the photo upright; all others leave it as it is."""
# Pillow goes from these to RGB by a detour only: premultiplied grey, palettes with transparency
_DETOUR = {"La": "LA", "P": "RGBA", "PA": "RGBA"}


def decode(path: str | Path, size: int | None = None) -> Tensor:
    """Read a photo upright as ``(3, H, W)`` bytes of sRGB, or shrunk to ``(3, size, size)``.

    Shrinking is antialiased bilinear and does not keep the aspect ratio, as in NIMA. A JPEG is
    decoded at a half, a quarter or an eighth of its size where that is still twice `size`. An
    embedded colour profile is converted to sRGB; one that is damaged or of other channels is
    ignored, as viewers do. Alpha is left out, and colours are those stored beneath it.

    Raises:
        InputError: it is missing, Pillow cannot decode all of it, or it holds grey of no stated
            range: floats, or integers beyond 16 bits.
    """
    from PIL import Image

    rgb = _to_srgb(_upright(path, size))
    if size is not None and rgb.size != (size, size):
        rgb = rgb.resize((size, size), Image.Resampling.BILINEAR)
    return torch.from_numpy(np.array(rgb)).permute(2, 0, 1)


def read_photo(path: str | Path) -> Tensor:
    """Read a photo upright as ``(1, 3, H, W)`` float32 sRGB in [0, 1].

    Grey of 16 bits without a profile keeps its depth; all else is read at 8 bits, as by `decode`.

    Raises:
        InputError: as `decode`.
    """
    photo = _upright(path)
    if photo.mode in _DEEP and not photo.info.get("icc_profile"):
        grey = torch.from_numpy(np.asarray(photo).astype(np.float32) / 65535)
        return grey.expand(1, 3, -1, -1).contiguous()
    return torch.from_numpy(np.array(_to_srgb(photo))).permute(2, 0, 1)[None].float() / 255


@contextmanager
def opened(path: str | Path) -> Iterator[Image.Image]:
    """A photo as Pillow opens it, to be decoded inside, with one error for all that can be wrong.

    Raises:
        InputError: it is missing, or Pillow cannot read or decode it.
    """
    from PIL import Image

    try:
        with Image.open(path) as photo:
            yield photo
    except FileNotFoundError as error:
        raise InputError(f"cannot read {path}: no such file") from error
    except Exception as error:  # of damage each format's reader says something else
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"cannot read {path}: {reason}") from error


def _upright(path: str | Path, size: int | None = None) -> Image.Image:
    from PIL import Image

    with opened(path) as photo:
        if size is not None:
            photo.draft("RGB", (2 * size, 2 * size))
        photo.load()
        turn = _UPRIGHT.get(_orientation(photo))
        upright = photo.transpose(Image.Transpose[turn]) if turn else photo.copy()
    if upright.mode == "F":
        raise InputError(f"cannot read {path}: its values must be integers, got mode F")
    if upright.mode == "I":
        low, high = upright.getextrema()
        if low < 0 or high > 65535:  # type: ignore[operator]
            raise InputError(
                f"cannot read {path}: grey must lie in [0, 65535], got {low} to {high}"
            )
    return upright


def _orientation(photo: Image.Image) -> int:
    """EXIF's orientation, 1 to 8; 1 where there is none or it cannot be read."""
    try:
        stated = photo.getexif().get(_ORIENTATION, 1)
    except Exception:  # damaged EXIF says nothing, as in viewers; its parser raises anything
        return 1
    return stated if isinstance(stated, int) else 1


def _to_srgb(photo: Image.Image) -> Image.Image:
    from PIL import Image, ImageCms

    profile = photo.info.get("icc_profile")
    if photo.mode in _DEEP:  # Pillow would clip it at 255
        grey: NDArray[Any] = np.asarray(photo) / 257
        photo = Image.fromarray(np.rint(grey).astype(np.uint8))
    elif photo.mode in _DETOUR:
        photo = photo.convert(_DETOUR[photo.mode])
    layout = photo.mode.removesuffix("A")
    colours = photo.convert(layout if layout in ("L", "CMYK") else "RGB")
    if profile:
        intent = ImageCms.Intent.RELATIVE_COLORIMETRIC
        try:
            own, srgb = (
                ImageCms.ImageCmsProfile(io.BytesIO(profile)),
                ImageCms.createProfile("sRGB"),
            )
            return ImageCms.buildTransform(own, srgb, colours.mode, "RGB", intent).apply(colours)
        except (ImageCms.PyCMSError, OSError):
            pass
    return colours.convert("RGB")
