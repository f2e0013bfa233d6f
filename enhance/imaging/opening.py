"""Open a file with Pillow, by rules of our own: which formats, how many pixels, one picture."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from enhance.errors import ReadError
from enhance.imaging import formats
from enhance.process_wide import ProcessWide

if TYPE_CHECKING:
    from PIL import Image

PAGED = ("MPO", "PSD")  # hold further pictures beside the photo, which comes first
NEW_SUBFILE, TILE_WIDTH, TILE_HEIGHT = 254, 322, 323


def _our_rules(restore: ExitStack) -> None:
    from PIL import Image

    restore.enter_context(warnings.catch_warnings())
    # what Pillow warns of on the way to an exception would only blur the one line
    warnings.filterwarnings("ignore", module="PIL")
    restore.callback(setattr, Image, "MAX_IMAGE_PIXELS", Image.MAX_IMAGE_PIXELS)
    Image.MAX_IMAGE_PIXELS = None


PILLOW_BY_OUR_RULES = ProcessWide(_our_rules)
"""Pillow without its limit of pixels (`check_size` can name them) and without its warnings."""


@contextmanager
def opened(path: Path, limit: int) -> Iterator[Image.Image]:
    """The image in a file, nothing decoded yet.

    Raises:
        ReadError: more than `limit` pixels.
        MissingExtraError: HEIF without its extra.
    """
    from PIL import Image

    if formats.is_heif(path):
        formats.enable_heif()
    Image.init()
    known = [name for name in formats.READABLE if name in Image.OPEN]
    with Image.open(path, formats=known) as image:
        check_size(path, image.width, image.height, limit)
        tags = getattr(image, "tag_v2", {})
        if TILE_WIDTH in tags and TILE_HEIGHT in tags:  # decoded whole, however small the photo
            check_size(path, tags[TILE_WIDTH], tags[TILE_HEIGHT], limit)
        yield image


def check_file(path: Path) -> None:
    """Raise `ReadError` unless `path` is a file that can be opened and holds something."""
    try:
        if path.is_dir():
            raise ReadError(f"cannot read {path}: it is a folder")
        if path.exists() and not path.is_file():  # reading a pipe would wait, or eat from it
            raise ReadError(f"cannot read {path}: it is no ordinary file")
        with path.open("rb") as file:
            empty = not file.read(1)
    except ReadError:
        raise
    except FileNotFoundError as error:
        raise ReadError(f"cannot read {path}: no such file") from error
    except (OSError, ValueError) as error:
        raise ReadError(f"cannot read {path}: {getattr(error, 'strerror', error)}") from error
    if empty:
        raise ReadError(f"cannot read {path}: the file is empty")


def check_size(path: Path, width: int, height: int, limit: int) -> None:
    """Raise `ReadError` for more than `limit` pixels."""
    if width * height > limit:
        raise ReadError(
            f"cannot read {path}: at most {limit} pixels are allowed, "
            f"got {width} x {height} = {width * height}"
        )


def check_single(path: Path, image: Image.Image) -> None:
    """Raise `ReadError` for an animation, or several pages that are no thumbnails."""
    frames = getattr(image, "n_frames", 1)
    if frames == 1 or image.format in PAGED:
        return
    if image.format != "TIFF":
        raise ReadError(f"cannot read {path}: a photo has one frame, this has {frames}")
    pages = frames - sum(_is_thumbnail(image, index) for index in range(frames))
    image.seek(0)
    if pages > 1:
        raise ReadError(f"cannot read {path}: a photo has one page, this has {pages}")


def _is_thumbnail(image: Image.Image, index: int) -> bool:
    image.seek(index)
    return bool(image.tag_v2.get(NEW_SUBFILE, 0) & 1)  # type: ignore[attr-defined]


@contextmanager
def utf8_name(path: Path) -> Iterator[str]:
    """A name of the file for libraries that take UTF-8 only: its own, else that of a link to it."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        with TemporaryDirectory() as folder:
            link = Path(folder) / "photo"
            link.symlink_to(path.resolve())
            yield str(link)
    else:
        yield str(path)
