"""A folder of photos of mixed kinds, some of them damaged, to try a batch on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL import Image

Pixels = NDArray[np.uint8]


def mixed_folder(
    folder: Path, photos: Sequence[Pixels], *, count: int, damaged: int
) -> tuple[list[str], list[str]]:
    """Write photos of many formats and modes, and files that are none.

    JPEG (also grey, CMYK, and lying on its side), PNG (8 and 16 bits, palette, transparent), TIFF
    (8 and 16 bits), WebP, AVIF and GIF, at different brightness, every seventh in a sub-folder.

    Args:
        folder: made if need be.
        photos: ``(H, W, 3)`` uint8, used in turn.
        count: how many files.
        damaged: how many of them are cut short, empty, or no photo at all; evenly among the others.

    Returns:
        Names of the good and of the damaged files, with ``/`` between their parts.
    """
    good: list[str] = []
    bad: list[str] = []
    for index in range(count):
        kind = list(KINDS)[index % len(KINDS)]
        name = f"{index:04d}_{kind}"
        if index % 7 == 6:
            name = f"more/{name}"
        is_bad = damaged > 0 and index * damaged // count != (index - 1) * damaged // count
        path = folder / f"{name}{KINDS[kind][0]}"
        path.parent.mkdir(parents=True, exist_ok=True)
        gain = 0.4 + 0.6 * (index * 7 % count) / count
        pixels = np.rint(photos[index % len(photos)] * gain).astype(np.uint8)
        KINDS[kind][1](path, pixels)
        if is_bad:
            whole = path.read_bytes()
            path.write_bytes((whole[: len(whole) // 3], b"", b"no photo at all")[len(bad) % 3])
        (bad if is_bad else good).append(path.relative_to(folder).as_posix())
    return good, bad


def _pillow(convert: Callable[[Image.Image], Image.Image], **options: Any) -> Any:
    def save(path: Path, pixels: Pixels) -> None:
        from PIL import Image

        convert(Image.fromarray(pixels)).save(path, **options)

    return save


def _transparent(image: Image.Image) -> Image.Image:
    image.putalpha(image.convert("L"))
    return image


def _lying(path: Path, pixels: Pixels) -> None:
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = 8
    Image.fromarray(np.rot90(pixels, -1)).save(path, exif=exif, quality=92)


def _deep(path: Path, pixels: Pixels) -> None:
    from enhance.imaging.files import write
    from enhance.imaging.intake import as_photo

    photo = as_photo(pixels.astype(np.uint16) * 257)
    write(photo, photo.pixels, path)


KINDS: dict[str, tuple[str, Callable[[Path, Pixels], None]]] = {
    "jpeg": (".jpg", _pillow(lambda image: image, quality=92)),
    "png": (".png", _pillow(lambda image: image)),
    "lying": (".jpg", _lying),
    "tiff": (".tif", _pillow(lambda image: image, compression="tiff_lzw")),
    "webp": (".webp", _pillow(lambda image: image, lossless=True)),
    "deep_png": (".png", _deep),
    "grey": (".jpg", _pillow(lambda image: image.convert("L"))),
    "transparent": (".png", _pillow(_transparent)),
    "deep_tiff": (".tif", _deep),
    "avif": (".avif", _pillow(lambda image: image)),
    "cmyk": (".jpg", _pillow(lambda image: image.convert("CMYK"))),
    "palette": (".gif", _pillow(lambda image: image.quantize(64))),
}
"""Extension of each kind of photo, and how it is written."""
