"""What a scorer says of every photo of a rating table."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from scorers.photos.decode import read_photo
from scorers.ratings.tables import RatingTable
from scorers.scorer import Scorer


@torch.inference_mode()
def judge(
    scorer: Scorer, table: RatingTable, *, tick: Callable[[], object] = lambda: None
) -> Tensor:
    """``(N, buckets)`` opinions of the scorer on the whole files of the table's photos.

    Args:
        tick: called after each photo.

    Raises:
        InputError: a photo cannot be read; see `scorers.training.views.readable`.
    """
    device = scorer.buckets.device
    said = []
    for name in table.names:
        said.append(scorer.opinion(read_photo(table.folder / name).to(device)).cpu())
        tick()
    return torch.cat(said)
