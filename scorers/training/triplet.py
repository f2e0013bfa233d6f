"""An embedding in which liked photos lie in one direction: triplet and directional loss.

Schwarz, Wieschollek and Lensch, "Will People Like Your Image? Learning the Aesthetic Space",
WACV 2018. Margins and the choice of triplets are those of the code its authors published
(github.com/cgtuebingen/will-people-like-your-image); there the score of a photo is the norm of
its embedding, so that is what the directional loss orders here.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

_NEAREST, _FARTHEST = 0.3, 0.7  # |anchor - positive| as a share of the ways to the negative
_PHOTOS = 256  # of a larger batch, those whose triplets are formed


def valid_triplets(scores: Tensor) -> Tensor:
    """``(B,)`` scores to ``(T, 3)`` rows of anchor, positive and negative.

    The positive's score lies nearer to the anchor's than the negative's lies to either of them,
    but not so near that nothing is left to learn: at .3 to .7 of both those distances. Memory grows
    with the cube of B.

    >>> valid_triplets(torch.tensor([0.0, 1.0, 3.0])).tolist()
    [[0, 1, 2], [1, 0, 2]]
    """
    gap = (scores[:, None] - scores[None, :]).abs()
    near = gap[:, :, None]
    valid = near > 0
    for far in (gap[:, None, :], gap[None, :, :]):  # anchor and positive to negative
        valid = valid & (near >= _NEAREST * far) & (near <= _FARTHEST * far)
    return valid.nonzero()


def triplet_loss(anchor: Tensor, positive: Tensor, negative: Tensor, margin: float = 0.5) -> Tensor:
    """Hinge on squared distances of the directions of ``(T, D)`` embeddings: a scalar.

    >>> one, other = torch.eye(2)[:1], torch.eye(2)[1:]
    >>> triplet_loss(one, one, other), triplet_loss(one, other, one)
    (tensor(0.), tensor(2.5000))
    """
    a, p, n = (F.normalize(x, dim=-1) for x in (anchor, positive, negative))
    short = (a - p).square().sum(-1) - (a - n).square().sum(-1) + margin
    return short.clamp(min=0).mean() if len(short) else anchor.sum() * 0


def directional_loss(
    first: Tensor, second: Tensor, first_better: Tensor, margin: float = 0.2
) -> Tensor:
    """Hinge on the norms of ``(T, D)`` embeddings: that of the better photo is larger, a scalar.

    Args:
        first, second: embeddings of the two photos of each pair.
        first_better: ``(T,)``, positive where the first is the better one, negative otherwise.
        margin: by how much norms should differ.
    """
    ahead = first_better.sign() * (first.norm(dim=-1) - second.norm(dim=-1))
    return (margin - ahead).clamp(min=0).mean() if len(ahead) else first.sum() * 0


def aesthetic_space_loss(
    embeddings: Tensor, scores: Tensor, generator: Generator, most: int = 256
) -> Tensor:
    """Both losses on at most `most` valid triplets of a batch: ``(B, D)`` and ``(B,)`` to a scalar.

    A batch without a valid triplet costs nothing. Triplets grow with the cube of the batch, so of a
    larger one 256 photos are drawn to choose them from.
    """
    if len(scores) > _PHOTOS:
        drawn = torch.randperm(len(scores), generator=generator)[:_PHOTOS].to(scores.device)
        embeddings, scores = embeddings[drawn], scores[drawn]
    triplets = valid_triplets(scores)
    if len(triplets) > most:
        chosen = torch.randperm(len(triplets), generator=generator)[:most]
        triplets = triplets[chosen.to(triplets.device)]
    a, p, n = (embeddings[rows] for rows in triplets.unbind(1))
    better = scores[triplets[:, 0]] - scores[triplets[:, 2]]
    return triplet_loss(a, p, n) + directional_loss(a, n, better)
