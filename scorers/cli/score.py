"""`scorers score`: the opinion of photos, with nothing but Pillow to read them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scorers.cli.console import complain
from scorers.errors import InputError


def score(
    photos: Annotated[list[Path], typer.Argument(metavar="PHOTO...", help="Photos to judge.")],
    scorer: Annotated[
        str | None, typer.Option(metavar="NAME|PATH", help="What judges; see `list`.")
    ] = None,
) -> int:
    """Print the mean opinion of each photo, and how far opinions spread (standard deviation).

    Photos are read by Pillow, at 8 bits a channel (grey at 16); `enhance score` reads every format
    that enhance knows at its full depth.
    """
    import torch

    from scorers import opinion, zoo
    from scorers.photos.decode import read_photo

    judge = zoo.load(scorer or zoo.DEFAULT)
    failed = 0
    for photo in photos:
        try:
            pixels = read_photo(photo)
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
