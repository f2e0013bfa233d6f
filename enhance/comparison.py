"""Before and after in one picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from enhance.errors import ParameterError

if TYPE_CHECKING:
    from PIL.Image import Image

WIDTH = 1600
"""Pictures wider than this are shrunk to it."""
GAP = 8
"""White pixels between the two."""


def before_after(
    before: Any, after: Any, width: int = WIDTH, labels: tuple[str, str] = ("before", "after")
) -> Image:
    """Put two photos of one size side by side, labelled, at most `width` pixels wide.

    Args:
        before, after: anything that `enhance.tune` takes.
        width: the most that the picture may measure across, in pixels.
        labels: what to write on the two.

    Returns:
        An RGB picture: the two, 8 white pixels between them, each shrunk alike if need be.

    Raises:
        ParameterError: a width of less than 10 pixels.
        ReadError, ImageError: a photo cannot be read or worked on.

    >>> import torch
    >>> dark, light = torch.zeros(3, 40, 60), torch.ones(3, 40, 60)
    >>> before_after(dark, light).size
    (128, 40)
    """
    from PIL import Image, ImageDraw, ImageFont

    from enhance.imaging.intake import as_photo

    if width < GAP + 2:
        raise ParameterError(f"width must be at least {GAP + 2}, got {width}")
    left, right = (_to_pil(as_photo(photo).pixels) for photo in (before, after))
    scale = min(1.0, (width - GAP) / (left.width + right.width))
    size = max(1, int(left.width * scale)), max(1, int(left.height * scale))
    picture = Image.new("RGB", (2 * size[0] + GAP, size[1]), "white")
    draw = ImageDraw.Draw(picture)
    letters = max(10.0, size[1] / 24)
    font = ImageFont.load_default(letters)
    for photo, label, x in ((left, labels[0], 0), (right, labels[1], size[0] + GAP)):
        shown = photo if photo.size == size else photo.resize(size, Image.Resampling.LANCZOS)
        picture.paste(shown, (x, 0))
        draw.text(
            (x + letters / 2, letters / 3),
            label,
            "white",
            font,
            stroke_width=1,
            stroke_fill="black",
        )
    return picture


def save_before_after(
    before: Any, after: Any, path: Path | str, labels: tuple[str, str] = ("before", "after")
) -> None:
    """Write `before_after` to a file; the suffix chooses the format.

    Raises:
        WriteError: the target cannot be written.
        ReadError, ImageError: a photo cannot be read or worked on.

    >>> import tempfile, torch
    >>> dark, light = torch.zeros(3, 40, 60), torch.ones(3, 40, 60)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_before_after(dark, light, Path(folder) / "both.png")
    """
    from enhance.imaging.files import write
    from enhance.imaging.intake import as_photo

    photo = as_photo(before_after(before, after, labels=labels))
    write(photo, photo.pixels, Path(path))


def _to_pil(pixels: Any) -> Image:
    from PIL import Image

    from enhance.imaging.eight_bits import eight_bits

    return Image.fromarray(eight_bits(pixels))
