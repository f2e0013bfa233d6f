"""`enhance score`: what the scorer thinks of photos as they are."""

from __future__ import annotations

import json
from pathlib import Path

from enhance.cli.console import each
from enhance.cli.options import AsJson, Device, Photos, ScorerName, find_photos


def score(
    photos: Photos, scorer: ScorerName = None, device: Device = None, as_json: AsJson = False
) -> int:
    """Print the mean opinion of each photo, and how far opinions spread (standard deviation)."""
    from enhance.judging import PhotoScorer

    judge = PhotoScorer(scorer, device)
    rows: list[dict[str, str | float | None]] = []

    def work(photo: Path) -> None:
        opinion = judge(photo)
        if as_json:
            rows.append({"photo": str(photo), "score": opinion.mean, "std": opinion.std})
        else:
            spread = "" if opinion.std is None else f" ±{opinion.std:5.3f}"
            print(f"{opinion.mean:6.3f}{spread}  {photo}", flush=True)

    status = each(find_photos(photos), work)
    if as_json:
        print(json.dumps(rows, indent=2))
    return status
