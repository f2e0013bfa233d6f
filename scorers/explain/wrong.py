"""What a scorer looked at where it preferred the worse photo of a pair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from scorers.evaluation.degradations import Pair
from scorers.explain.attribution import attribute
from scorers.explain.border import border_share
from scorers.explain.figure import overlay, sheet
from scorers.explain.shown import squares
from scorers.scorer import Scorer

if TYPE_CHECKING:
    from PIL import Image


@dataclass(frozen=True)
class Explained:
    """A pair, as the scorer was shown it where it was most wrong.

    Attributes:
        name: of the photo.
        better, worse: views ``(3, size, size)`` in [0, 1].
        better_heat, worse_heat: attributions ``(size, size)``, signed.
        lead: score of the better view less that of the worse one: of a scorer of whole photos,
            that of the pair.
    """

    name: str
    better: Tensor
    worse: Tensor
    better_heat: Tensor
    worse_heat: Tensor
    lead: float

    @property
    def border(self) -> float:
        """Share of attribution in the outer eighth of the views, mean of both."""
        return float(border_share(torch.stack([self.better_heat, self.worse_heat])).mean())


def explain_pair(scorer: Scorer, pair: Pair, method: str = "integrated-gradients") -> Explained:
    """Attribute both scores of a pair, in the view in which the worse photo leads most.

    Args:
        scorer: what to explain.
        pair: photos; of equal size, or their first views are compared.
        method: see `attribute`.

    Raises:
        MissingExtraError: captum is not installed.
    """
    better, worse = (squares(scorer, photo)[0] for photo in (pair.better, pair.worse))
    with torch.no_grad():
        count = min(len(better), len(worse))
        leads = scorer(better[:count]) - scorer(worse[:count])
    most = int(leads.argmin())
    views = torch.stack([better[most], worse[most]])
    heats = attribute(scorer, views, method)
    return Explained(pair.name, views[0], views[1], heats[0], heats[1], float(leads[most]))


def wrong_sheet(explained: Sequence[Explained]) -> Image.Image:
    """One row a pair: better view, its attribution, worse view, its attribution; then the mean.

    The last row is the mean absolute attribution of all pairs: where the scorer looks at all.
    """
    from PIL import Image

    rows = [
        sheet(
            {
                f"{one.name[:24]}, better": one.better,
                "what raises (red) or lowers it": overlay(one.better, one.better_heat),
                f"worse, leads by {-one.lead:.2f}": one.worse,
                f"border share {one.border:.2f}": overlay(one.worse, one.worse_heat),
            }
        )
        for one in explained
    ]
    grey = torch.full_like(explained[0].better, 0.5)
    means = [
        torch.stack([abs(heat) for heat in heats]).mean(0)
        for heats in (
            [one.better_heat for one in explained],
            [one.worse_heat for one in explained],
        )
    ]
    rows.append(
        sheet({"attention, better": overlay(grey, means[0]), "worse": overlay(grey, means[1])})
    )
    page = Image.new("RGB", (rows[0].width, sum(row.height for row in rows)), "white")
    top = 0
    for row in rows:
        page.paste(row, (0, top))
        top += row.height
    return page
