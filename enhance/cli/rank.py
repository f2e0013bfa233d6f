"""`enhance rank`: the best photos first."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from enhance.cli.console import each
from enhance.cli.options import AsJson, Device, Photos, ScorerName, find_photos


def rank(
    photos: Photos,
    scorer: ScorerName = None,
    top: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Print only the N best.")
    ] = None,
    device: Device = None,
    as_json: AsJson = False,
) -> int:
    """Sort photos by score, best first."""
    from enhance.judging import PhotoScorer

    judge = PhotoScorer(scorer, device)
    scores: dict[Path, float] = {}

    def work(photo: Path) -> None:
        scores[photo] = judge(photo).mean

    status = each(find_photos(photos), work)
    order = sorted(scores, key=lambda photo: (-scores[photo], str(photo)))[:top]
    if as_json:
        rows = [
            {"rank": place, "photo": str(photo), "score": scores[photo]}
            for place, photo in enumerate(order, 1)
        ]
        print(json.dumps(rows, indent=2))
        return status
    for place, photo in enumerate(order, 1):
        print(f"{place:4d}  {scores[photo]:6.3f}  {photo}")
    return status
