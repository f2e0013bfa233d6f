"""Smaller steps than the best one, which are offered where guards refuse it."""

from __future__ import annotations

from collections.abc import Iterator

from scipy.optimize import brentq
from torch import Tensor

from enhance.tuning.cost import neutral_at_default
from enhance.tuning.guards.score import SLIGHT, colour_change
from enhance.tuning.objective import Objective

SHARES = (0.9, 0.75, 0.5, 0.25)
"""Shares of the way to the best setting that are offered to guards that refuse the whole of it."""
FAINT = 1 / 255
"""Root mean square change up to which nobody sees that a photo was denoised: one 8-bit level."""
_SHARE_TOLERANCE = 1e-3
"""How well the share is known whose change is slight."""
_BELOW = 0.97
"""What is aimed at, as a share of what is allowed: a root is found to within its tolerance."""


def smaller_shares(
    objective: Objective, rest: Tensor, point: Tensor, *, slight_only: bool
) -> Iterator[float]:
    """Shares of the way from `rest` to `point` that are worth offering, the largest first."""
    if not slight_only:
        yield from SHARES
    yield from slight_share(objective, rest, point)


def slight_share(objective: Objective, rest: Tensor, point: Tensor) -> list[float]:
    """Nearly the largest share of the way whose change is slight.

    None where all of it is, and where `rest` itself is not: it is no untouched photo if a parameter
    is fixed elsewhere, or bounds leave its default out.
    """
    aim = _BELOW * SLIGHT

    def excess(share: float) -> float:
        after = objective.render((rest + share * (point - rest))[None])[0]
        return float(colour_change(objective.views.images, after).mean()) - aim

    if excess(1.0) <= SLIGHT - aim or excess(0.0) >= 0:
        return []
    return [float(brentq(excess, 0.0, 1.0, xtol=_SHARE_TOLERANCE))]


def faint(objective: Objective, point: Tensor) -> tuple[float, Objective] | None:
    """So much of a denoiser that nobody sees it: its share of `point`, and its objective.

    None where no constant, such as a denoiser's strength, leads to the untouched photo, or not
    in proportion.
    """
    operator, space = objective.operator, objective.space
    still = operator.identity
    if not still or not still.keys() <= space.constant.keys():
        return None
    if neutral_at_default(operator, space):
        return None

    def reaching(share: float) -> Objective:
        whole = space.constant
        return objective.holding({n: v + share * (whole[n] - v) for n, v in still.items()})

    def change(share: float) -> float:
        difference = reaching(share).render(point[None])[0] - objective.views.images
        return float(difference.square().mean().sqrt())

    whole = change(1.0)
    if whole <= FAINT:
        return 1.0, objective
    share = round(_BELOW * FAINT / whole, 6)
    return (share, reaching(share)) if change(share) <= FAINT else None
