"""Is a scorer fit to be a loss? What it says of pairs whose better photo is known.

After Kostyshyn (2020, *On Methods of Estimation of Image Aesthetic*), who found NIMA right on 57
to 64 % of pairs with motion blur, haze and moire.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from scorers.evaluation.degradations import Pair
from scorers.evaluation.figure import Figure, bootstrap, share
from scorers.scorer import Scorer

FIT = 0.85  # of pairs in order, at the lower end of the interval: 23 of 23, or 48 of 50
FIT_GRADIENT = 0.7  # of gradients towards the better photo, likewise
UNFIT = 0.75  # of pairs in order
_QUANTILES = (5, 25, 50, 75, 95)


@dataclass(frozen=True)
class Judged:
    """What a scorer says of one pair.

    Attributes:
        name: of the photo.
        better, worse: scores.
        slope: change of the worse photo's score per unit of the way to the better one, straight
            through pixels; None where their sizes differ.
    """

    name: str
    better: float
    worse: float
    slope: float | None

    @property
    def wrong(self) -> bool:
        """Whether the worse photo scores higher."""
        return self.worse > self.better

    @property
    def right(self) -> bool:
        """Whether the better photo scores higher: neither is true of a tie."""
        return self.better > self.worse


def judge_pair(scorer: Scorer, pair: Pair) -> Judged:
    """Score both photos, and ask whether the worse one's gradient leads to the better one.

    As a loss a scorer is followed, not asked: it can order pairs and still lead elsewhere.
    """
    if pair.better.shape != pair.worse.shape:
        with torch.no_grad():
            return Judged(pair.name, float(scorer(pair.better)), float(scorer(pair.worse)), None)
    with torch.no_grad():
        better = float(scorer(pair.better))
    with torch.enable_grad():
        worse = pair.worse.detach().requires_grad_()
        score = scorer(worse).sum()
        (gradient,) = torch.autograd.grad(score, worse)
    way = pair.better - pair.worse
    return Judged(pair.name, better, score.item(), float((gradient * way).sum()))


@dataclass(frozen=True)
class Audit:
    """A scorer's answers to pairs of one kind of damage; two at least."""

    judged: Sequence[Judged]
    seed: int = 0

    @property
    def accuracy(self) -> Figure:
        """Share of pairs whose better photo scores at least as high."""
        return share([pair.better >= pair.worse for pair in self.judged])

    @property
    def tied(self) -> Figure:
        """Share of pairs whose photos score alike; `accuracy` counts them as right."""
        return share([pair.better == pair.worse for pair in self.judged])

    @property
    def lead(self) -> Figure:
        """Mean difference of the scores, better less worse."""
        return bootstrap(lambda a, b: float((a - b).mean()), *self._scores(), seed=self.seed)

    @property
    def gradient(self) -> Figure | None:
        """Share of pairs in which the gradient at the worse photo leads to the better one."""
        slopes = [pair.slope for pair in self.judged if pair.slope is not None]
        if len(slopes) < 2:
            return None
        return share([slope > 0 for slope in slopes])

    @property
    def spread(self) -> dict[str, float]:
        """Quantiles of the difference of the scores."""
        better, worse = self._scores()
        found = np.percentile(np.subtract(better, worse), _QUANTILES)
        return {f"{q} %": float(value) for q, value in zip(_QUANTILES, found, strict=True)}

    @property
    def wrong(self) -> list[str]:
        """Names of the photos whose damaged version scores higher."""
        return [pair.name for pair in self.judged if pair.wrong]

    def rows(self) -> dict[str, object]:
        """Every figure by its name, for a table."""
        quantiles = " / ".join(f"{value:+.2f}" for value in self.spread.values())
        rows: dict[str, object] = {
            "pair accuracy": self.accuracy,
            "tied pairs": self.tied,
            "mean lead": self.lead,
            f"lead at {' / '.join(map(str, _QUANTILES))} %": quantiles,
        }
        if self.gradient is not None:
            rows["gradient towards the better"] = self.gradient
        return rows

    def sentence(self, scorer: str, damage: str) -> str:
        """Whether this scorer is fit to be a loss against this damage; see `sentence`."""
        right = share([pair.right for pair in self.judged])
        return sentence(scorer, damage, right, self.gradient)

    def _scores(self) -> tuple[list[float], list[float]]:
        return [pair.better for pair in self.judged], [pair.worse for pair in self.judged]


def sentence(scorer: str, damage: str, right: Figure, gradient: Figure | None) -> str:
    """Whether a scorer is fit to be a loss against a damage, in one plain sentence.

    Fit: `FIT` of pairs are in order, and `FIT_GRADIENT` of gradients lead to the better photo, at
    the lower ends of the intervals. Unfit: fewer than `UNFIT` of pairs are in order. Neither can
    be told where more are, but so few pairs that chance could have ordered as many. The limits
    are ours.

    Args:
        scorer, damage: their names.
        right: share of pairs in order. A tie is not: whoever gives both photos one score is no
            guide.
        gradient: share of gradients that lead to the better photo; None where there are none.
    """
    said = f"it puts the better photo first in {_share(right)} of {right.n} pairs"
    loss = f"to be a loss against {damage}"
    by_chance = right.low <= 0.5 <= right.high
    if right.value >= UNFIT and by_chance:
        few = f"{right.n} pairs are too few to tell"
        return f"{scorer} may or may not be fit {loss}: {said}, and {few}."
    if right.value < UNFIT:
        chance = ", as chance might" if by_chance else ""
        return f"{scorer} is not fit {loss}: {said}{chance}."
    sure, steers = right.low >= FIT, gradient is None or gradient.low >= FIT_GRADIENT
    if sure and steers:
        return f"{scorer} is fit {loss}, beside a fidelity loss: {said}."
    leads = gradient is None or gradient.value >= FIT
    if gradient is not None and not leads:
        said += f", but its gradient leads there in {_share(gradient)} only"
    elif gradient is not None and not steers:
        said += f", and its gradient leads there in {_share(gradient)}"
    if leads and right.value >= FIT:
        said += "; more pairs may say more"
    return f"{scorer} may be a loss against {damage} under a guard only: {said}."


def _share(figure: Figure) -> str:
    return f"{figure.value:.0%} [{figure.low:.0%}, {figure.high:.0%}]"
