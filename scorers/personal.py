"""Personal taste: tilt a scorer's opinion by what one person said of a few tens of photos.

The network stays as it is. One linear function of its last features shifts the opinion up or
down the scale, ``logits + t * (v . features + c)`` with t from -1 at the lowest bucket to 1 at
the highest: an exponential tilt, which is a change of the last layer only. The result is
therefore a scorer like any other, saved and loaded alike. How far v may leave zero is chosen by
cross-validation, and zero (the scorer as it was, but for c) is among the choices.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from scorers.errors import InputError
from scorers.scorer import Scorer, check_image

_Losses = Callable[[Tensor], Tensor]  # scores of all photos -> the loss of each rating or choice
_PENALTIES = (None, 3.0, 1.0, 0.3, 0.1, 0.03, 0.01)  # first v = 0, then ever freer
_FOLDS = 5
_FEWEST = 2 * _FOLDS
_SURE = 0.5  # score units: a difference at which a person chooses right in 73 % of pairs


@dataclass(frozen=True)
class ViewFeatures:
    """What a scorer's network makes of N photos, each shown in up to V views.

    Attributes:
        features: ``(N, V, F)``.
        logits: ``(N, V, buckets)``.
        weights: ``(N, V)``: of each view in the photo's opinion, summing to 1; a photo shown in
            fewer views than others has 0 for the rest.
    """

    features: Tensor
    logits: Tensor
    weights: Tensor

    def take(self, indices: Tensor) -> ViewFeatures:
        """Some of the photos, in the order of `indices`."""
        return ViewFeatures(self.features[indices], self.logits[indices], self.weights[indices])

    @classmethod
    def join(cls, parts: Sequence[ViewFeatures]) -> ViewFeatures:
        """The photos of all parts, in order."""
        most = max(part.weights.shape[1] for part in parts)
        wide = [part._widened(most) for part in parts]
        return cls(
            torch.cat([part.features for part in wide]),
            torch.cat([part.logits for part in wide]),
            torch.cat([part.weights for part in wide]),
        )

    def _widened(self, views: int) -> ViewFeatures:
        room = views - self.weights.shape[1]
        features, logits = (F.pad(of, (0, 0, 0, room)) for of in (self.features, self.logits))
        return ViewFeatures(features, logits, F.pad(self.weights, (0, room)))


@torch.no_grad()
def look(scorer: Scorer, images: Iterable[Tensor]) -> ViewFeatures:
    """Run the network once over photos ``(1, 3, H, W)`` in [0, 1], of any sizes.

    It runs where the scorer is; what is found is on the CPU, where the fit is made.

    Raises:
        InputError: not a float tensor of that shape.
    """
    network = scorer.network
    parts = []
    for image in images:
        check_image(image)
        if len(image) != 1:
            raise InputError(f"images must be (1, 3, H, W) each, got {tuple(image.shape)}")
        views = scorer.card.preprocess.views(image.to(scorer.buckets))[0]
        features = network.backbone(views.contiguous(memory_format=torch.channels_last))
        logits = network.head(features).cpu().double()[None]
        alike = logits.new_full((1, len(views)), 1 / len(views))
        parts.append(ViewFeatures(features.cpu().double()[None], logits, alike))
    return ViewFeatures.join(parts)


def fit_ratings(
    scorer: Scorer, views: ViewFeatures, ratings: Tensor, name: str = "personal"
) -> Scorer:
    """A scorer that leans towards one person's ratings.

    Args:
        scorer: where to start from.
        views: `look` at N photos, at least ten different ones; one may be there repeatedly.
        ratings: ``(N,)``, on the scorer's scale.
        name: of the result's card.

    Returns:
        A new scorer; its card says, under `measured`, how far off it is on photos that it was
        not fitted to, and how far the one it started from, shifted by a constant.

    Raises:
        InputError: too few ratings, another number than photos, or off the scale.
    """
    low, high = scorer.card.buckets[0], scorer.card.buckets[-1]
    ratings = ratings.double().cpu()
    if ratings.shape != views.features.shape[:1]:
        raise InputError(f"{len(views.features)} photos need as many ratings, got {len(ratings)}")
    if not bool(((ratings >= low) & (ratings <= high)).all()):
        worst = ratings[~((ratings >= low) & (ratings <= high))][0].item()
        raise InputError(f"ratings must lie in [{low:g}, {high:g}], got {worst:g}")

    def losses(scores: Tensor) -> Tensor:
        return (scores - ratings) ** 2

    fitted, before, after = _choose(scorer, views, losses, _numbered(_photos(views)))
    measured = {
        "ratings": len(ratings),
        "RMS error on held-out photos, merely shifted": round(before**0.5, 3),
        "RMS error on held-out photos": round(after**0.5, 3),
    }
    return _retold(scorer, fitted, name, f"{len(ratings)} ratings of one person", measured)


def fit_choices(
    scorer: Scorer, views: ViewFeatures, better: Tensor, worse: Tensor, name: str = "personal"
) -> Scorer:
    """A scorer that leans towards one person's choices between two photos.

    The model is Bradley and Terry's: the chance of choosing a photo is a logistic function of
    the difference of the scores.

    Args:
        scorer: where to start from.
        views: `look` at N photos.
        better, worse: ``(M,)`` indices of the chosen photo and the other, of at least ten
            different pairs.
        name: of the result's card.

    Returns:
        A new scorer; its card says, under `measured`, the log loss on choices that it was not
        fitted to (log 2 = 0.693 is guessing), and that of the one it started from.

    Raises:
        InputError: too few choices, or indices that are no photo.
    """
    if better.shape != worse.shape or better.ndim != 1:
        raise InputError(
            f"better and worse must have one shape (M,), got {tuple(better.shape)} "
            f"and {tuple(worse.shape)}"
        )
    better, worse = better.cpu(), worse.cpu()
    indices = torch.cat([better, worse])
    if len(indices) and not 0 <= int(indices.min()) <= int(indices.max()) < len(views.features):
        raise InputError(f"choices must be indices of the {len(views.features)} photos")

    def losses(scores: Tensor) -> Tensor:
        return F.softplus((scores[worse] - scores[better]) / _SURE)

    photos = _numbered(_photos(views))
    pairs = torch.stack([photos[better], photos[worse]]).sort(0).values.T
    fitted, before, after = _choose(scorer, views, losses, _numbered(map(tuple, pairs.tolist())))
    measured = {
        "choices": len(better),
        "log loss on held-out choices, merely shifted": round(before, 3),
        "log loss on held-out choices": round(after, 3),
    }
    return _retold(scorer, fitted, name, f"{len(better)} choices of one person", measured)


@dataclass(frozen=True)
class _Tilt:
    """The linear function of features, and how features are scaled for it."""

    slope: Tensor
    offset: Tensor
    centre: Tensor
    scale: Tensor


def _photos(views: ViewFeatures) -> Iterable[bytes]:
    """Something for each row that is the same for rows of one photo."""
    return (features.numpy().tobytes() for features in views.features)


def _numbered(things: Iterable[object]) -> Tensor:
    """``(N,)`` numbers, the same for things that are equal, from 0 in order of appearance."""
    numbers: dict[object, int] = {}
    return torch.tensor([numbers.setdefault(thing, len(numbers)) for thing in things])


def _choose(
    scorer: Scorer, views: ViewFeatures, losses: _Losses, subjects: Tensor
) -> tuple[_Tilt, float, float]:
    """Fit with the penalty that predicts held-out evidence best.

    Args:
        subjects: ``(N,)``: what each rating or choice is of. All that was said of one photo, or
            of one pair, is held out together.

    Returns:
        The fit, and the mean held-out loss of the scorer merely shifted, and of the fit.
    """
    count = len(subjects.unique())
    if count < _FEWEST:
        raise InputError(
            f"ratings or choices of at least {_FEWEST} different photos or pairs are needed, "
            f"got {count}"
        )
    order = torch.randperm(count, generator=torch.Generator().manual_seed(0))
    everything = torch.arange(len(subjects))
    buckets = scorer.buckets.double().cpu()
    held = torch.zeros(len(_PENALTIES), dtype=torch.float64)
    for some in order.tensor_split(_FOLDS):
        out = torch.isin(subjects, some)
        fold, kept = everything[out], everything[~out]
        for index, tilt in enumerate(_path(views, buckets, losses, kept)):
            held[index] += losses(_scores(views, buckets, tilt))[fold].sum() / len(subjects)
    best = int(held.argmin())
    fitted = _path(views, buckets, losses, everything)[best]
    return fitted, held[0].item(), held[best].item()


def _path(views: ViewFeatures, buckets: Tensor, losses: _Losses, kept: Tensor) -> list[_Tilt]:
    """One fit per penalty, each starting from the one before, to the evidence in `kept`."""
    shares = views.weights / len(views.weights)
    centre = (shares[..., None] * views.features).sum((0, 1))
    scale = (shares * (views.features - centre).norm(dim=-1)).sum().clamp(min=1e-12)
    slope = torch.zeros(len(centre), dtype=torch.float64, requires_grad=True)
    offset = torch.zeros((), dtype=torch.float64, requires_grad=True)
    path = []
    for penalty in _PENALTIES:
        free = [offset] if penalty is None else [slope, offset]
        optimiser = torch.optim.LBFGS(free, max_iter=50, line_search_fn="strong_wolfe")

        def objective(
            optimiser: torch.optim.Optimizer = optimiser, penalty: float = penalty or 0.0
        ) -> Tensor:
            optimiser.zero_grad()
            loss = losses(_scores(views, buckets, _Tilt(slope, offset, centre, scale)))[kept].mean()
            # an offset says nothing about choices, so it needs a reason too
            loss = loss + penalty * slope.pow(2).sum() / 2 + 1e-6 * offset**2
            loss.backward()
            return loss

        optimiser.step(objective)
        path.append(_Tilt(slope.detach().clone(), offset.detach().clone(), centre, scale))
    return path


def _scores(views: ViewFeatures, buckets: Tensor, tilt: _Tilt) -> Tensor:
    shift = (views.features - tilt.centre) / tilt.scale @ tilt.slope + tilt.offset
    shares = (views.logits + shift[..., None] * _lean(len(buckets))).softmax(-1)
    return ((shares * buckets).sum(-1) * views.weights).sum(-1)


def _lean(buckets: int) -> Tensor:
    return torch.linspace(-1, 1, buckets, dtype=torch.float64)


def _retold(
    scorer: Scorer, tilt: _Tilt, name: str, evidence: str, measured: dict[str, float]
) -> Scorer:
    """The tilt written into a copy of the last layer, with a card that says so."""
    network = copy.deepcopy(scorer.network)
    lean = _lean(network.head.out_features)
    slope = tilt.slope / tilt.scale
    weight = network.head.weight.cpu().double() + lean[:, None] * slope
    bias = network.head.bias.cpu().double() + lean * (tilt.offset - tilt.centre @ slope)
    network.head.weight.data.copy_(weight)
    network.head.bias.data.copy_(bias)
    card = replace(
        scorer.card,
        name=name,
        summary=f"{scorer.card.name}, leaning towards one person's taste.",
        origin=f"scorers.personal, from {scorer.card.name}",
        training_data=f"{evidence}; before that: {scorer.card.training_data or 'not stated'}",
        measured=measured,
        sha256="",
        source_sha256="",
    )
    return Scorer(network, card)
