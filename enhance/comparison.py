"""Before and after in one picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL.Image import Image

WIDTH = 1600
"""Pictures wider than this are shrunk to it."""


def before_after(
    before: Any, after: Any, width: int = WIDTH, labels: tuple[str, str] = ("before", "after")
) -> Image:
    """Put two photos of one size side by side, labelled, at most `width` pixels wide.

    Args:
        before, after: anything that `enhance.tune` takes.
        width: the most that the picture may measure across, in pixels.
        labels: what to write on the two.
    """
    from PIL import Image, ImageDraw, ImageFont

    from enhance.imaging.photo import as_photo

    left, right = (_to_pil(as_photo(photo).pixels) for photo in (before, after))
    gap = 8
    scale = min(1.0, (width - gap) / (left.width + right.width))
    size = max(1, int(left.width * scale)), max(1, int(left.height * scale))
    picture = Image.new("RGB", (2 * size[0] + gap, size[1]), "white")
    draw = ImageDraw.Draw(picture)
    letters = max(10.0, size[1] / 24)
    font = ImageFont.load_default(letters)
    for photo, label, x in ((left, labels[0], 0), (right, labels[1], size[0] + gap)):
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
    """Write `before_after` to a file; the suffix chooses the format."""
    from enhance.imaging.files import write
    from enhance.imaging.photo import as_photo

    photo = as_photo(before_after(before, after, labels=labels))
    write(photo, photo.pixels, Path(path))


def _to_pil(pixels: Any) -> Image:
    from PIL import Image

    array = pixels[0].permute(1, 2, 0).mul(255).round().byte().cpu().numpy()
    return Image.fromarray(array)
