"""Photos that the project may measure on but not ship: where they are, and how they are read."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

SKIPPED = 77
"""Exit status of a benchmark that has no photos, as Automake's test driver has it."""
LEVELS = (10, 20, 30, 50)
"""Standard deviations of white noise, in 8-bit levels."""


def photo_folder() -> Path:
    """The folder that ``ENHANCE_DATA`` names, which holds ``data/`` and ``weights/``.

    Raises:
        SystemExit: with status `SKIPPED` and a line on stderr, where there is none.
    """
    folder = Path(os.environ.get("ENHANCE_DATA", ""))
    if "ENHANCE_DATA" not in os.environ or not (folder / "data").is_dir():
        stated = os.environ.get("ENHANCE_DATA", "not set")
        print(
            "set ENHANCE_DATA to the folder that holds data/ and weights/ "
            f"(docs/benchmarks/index.md); it is {stated}",
            file=sys.stderr,
        )
        raise SystemExit(SKIPPED)
    return folder


def read(path: Path) -> Tensor:
    """A photo ``(1, 3, H, W)`` in [0, 1]."""
    with Image.open(path) as image:
        pixels = np.array(image.convert("RGB"))
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255


def central(photo: Tensor, side: int | None) -> Tensor:
    """The central square, or as much of it as there is; the whole photo for None."""
    if side is None:
        return photo
    top, left = (max(0, (size - side) // 2) for size in photo.shape[-2:])
    return photo[..., top : top + side, left : left + side].contiguous()


def scene(name: str) -> str:
    """What a crop of PolyU's shows: its 100 crops are of 29 scenes, and those of one are alike.

    >>> scene("Sony_4_200_3200_door_10_real"), scene("NikonD800_6-3_125_5000_plant__4_real")
    ('Sony_4_200_3200_door', 'NikonD800_6-3_125_5000_plant')
    """
    return re.sub(r"_+\d+_(real|mean)$", "", name)
