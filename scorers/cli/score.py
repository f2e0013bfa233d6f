"""`scorers score`: the opinion of photos, with nothing but Pillow to read them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scorers.cli.console import complain
from scorers.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor


def score(
    photos: Annotated[list[Path], typer.Argument(metavar="PHOTO...", help="Photos to judge.")],
    scorer: Annotated[
        str | None, typer.Option(metavar="NAME|PATH", help="What judges; see `list`.")
    ] = None,
) -> int:
    """Print the mean opinion of each photo, and how far opinions spread (standard deviation)."""
    import torch

    from scorers import opinion, zoo

    judge = zoo.load(scorer or zoo.DEFAULT)
    failed = 0
    for photo in photos:
        try:
            pixels = read_pixels(photo)
        except InputError as error:
            complain(error)
            failed += 1
            continue
        with torch.inference_mode():
            shares = judge.opinion(pixels)
        mean, std = opinion.mean(shares, judge.buckets), opinion.std(shares, judge.buckets)
        print(f"{mean.item():6.3f} ±{std.item():5.3f}  {photo}", flush=True)
    if not failed:
        return 0
    return 2 if failed == len(photos) else 1


def read_pixels(path: str | Path) -> Tensor:
    """Read a photo as ``(1, 3, H, W)`` float32 in [0, 1], upright.

    Raises:
        InputError: it is missing, or Pillow cannot decode it.
    """
    import numpy as np
    import torch
    from PIL import Image, ImageOps

    try:
        with Image.open(path) as photo:
            pixels = np.array(ImageOps.exif_transpose(photo).convert("RGB"))
    except FileNotFoundError as error:
        raise InputError(f"cannot read {path}: no such file") from error
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError(f"cannot read {path}: {error}") from error
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255
