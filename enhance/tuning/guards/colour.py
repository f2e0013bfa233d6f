"""A cast that was not there."""

from __future__ import annotations

from dataclasses import dataclass

from torch.nn import functional

from enhance.tuning.guards.evidence import Evidence, GuardReport

SQUARE = 8


@dataclass(frozen=True)
class ColourShift:
    """How far the colours of all pixels move together, in CIELAB's a and b.

    More or less saturation is no cast: what the best factor between a, b before and after
    explains is left out, and squares of 8 x 8 px are averaged first, so that noise has no
    colour. The value is the largest mean shift among the views.
    """

    limit: float = 10.0
    name: str = "colour"

    def check(self, evidence: Evidence) -> GuardReport:
        from kornia.color import rgb_to_lab

        square = min(SQUARE, *evidence.before.shape[-2:])
        before, after = (
            rgb_to_lab(functional.avg_pool2d(images.clamp(0, 1), square))[:, 1:].flatten(2)
            for images in (evidence.before, evidence.after)
        )
        factor = (before * after).sum((1, 2)) / before.square().sum((1, 2)).clamp_min(1e-6)
        shift = (after - factor[:, None, None] * before).mean(2)
        value = float(shift.norm(dim=1).max())
        finding = f"colours shift by {value:.1f} in CIELAB (limit {self.limit:g})"
        return GuardReport(self.name, value, self.limit, value <= self.limit, finding)
