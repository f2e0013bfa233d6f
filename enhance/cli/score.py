"""`enhance score`: what the scorer thinks of photos as they are."""

from __future__ import annotations

import json
from pathlib import Path

from enhance.cli.console import each
from enhance.cli.options import AsJson, Photos, ScorerName, find_photos


def score(photos: Photos, scorer: ScorerName = None, as_json: AsJson = False) -> int:
    """Print the mean opinion of each photo, and how far opinions spread (standard deviation)."""
    judge = Judge(scorer)
    rows: list[dict[str, str | float]] = []

    def work(photo: Path) -> None:
        mean, std = judge(photo)
        if as_json:
            rows.append({"photo": str(photo), "score": mean, "std": std})
        else:
            print(f"{mean:6.3f} ±{std:5.3f}  {photo}", flush=True)

    status = each(find_photos(photos), work)
    if as_json:
        print(json.dumps(rows, indent=2))
    return status


class Judge:
    """A scorer applied to files: mean and standard deviation of its opinion."""

    def __init__(self, name: str | None) -> None:
        from scorers.zoo import DEFAULT, load

        self.scorer = load(DEFAULT if name is None else name)

    def __call__(self, photo: Path) -> tuple[float, float]:
        import torch

        from enhance.imaging.files import read
        from scorers.opinion import mean, std

        with torch.inference_mode():
            opinion = self.scorer.opinion(read(photo).pixels)
        buckets = self.scorer.buckets
        return float(mean(opinion, buckets)), float(std(opinion, buckets))
