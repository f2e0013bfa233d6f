"""Light or colour lost at the ends of the range."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from enhance.tuning.guards.evidence import Evidence, GuardReport


@dataclass(frozen=True)
class Clipping:
    """Share of pixels that reach black or white in a channel and did not before."""

    limit: float = 0.08
    name: str = "clipping"

    def check(self, evidence: Evidence) -> GuardReport:
        before, after = (_ends(images) for images in (evidence.before, evidence.after))
        # end by end, channel by channel: one that is empty already must not hide the others
        newly = (after & ~before).any(0).any(1)
        value = float(newly.float().mean())
        finding = f"{value:.1%} of the pixels are newly clipped (limit {self.limit:.1%})"
        return GuardReport(self.name, value, self.limit, value <= self.limit, finding)


def _ends(images: Tensor) -> Tensor:
    """``(2, V, 3, h, w)``: what is black, and what is white."""
    half_level = 0.5 / 255
    return torch.stack([images < half_level, images > 1 - half_level])
