"""Photo files as bytes in memory, with one error for everything that can be wrong with them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from scorers.errors import InputError


def decode(path: str | Path, size: int | None = None) -> Tensor:
    """Read a photo upright as ``(3, H, W)`` bytes, or shrunk to ``(3, size, size)``.

    Shrinking is antialiased bilinear and does not keep the aspect ratio, as in NIMA. A JPEG is
    decoded at a half, a quarter or an eighth of its size where that is still twice `size`.

    Raises:
        InputError: it is missing, or Pillow cannot decode all of it.
    """
    from PIL import Image, ImageOps

    try:
        with Image.open(path) as photo:
            if size is not None:
                photo.draft("RGB", (2 * size, 2 * size))
            rgb: Image.Image = ImageOps.exif_transpose(photo).convert("RGB")
    except FileNotFoundError as error:
        raise InputError(f"cannot read {path}: no such file") from error
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError(f"cannot read {path}: {error}") from error
    if size is not None and rgb.size != (size, size):
        rgb = rgb.resize((size, size), Image.Resampling.BILINEAR)
    return torch.from_numpy(np.array(rgb)).permute(2, 0, 1)


def read_photo(path: str | Path) -> Tensor:
    """Read a photo upright as ``(1, 3, H, W)`` float32 in [0, 1].

    Raises:
        InputError: as `decode`.
    """
    return decode(path)[None].float() / 255
