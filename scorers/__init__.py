"""What judges photos: NIMA scorers, their weights and cards, and losses made of them.

import scorers
scorer = scorers.load("nima-aesthetic")     # or a path
scorer(image), scorer.opinion(image)        # (B,) mean opinion, (B, 10) distribution
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from scorers.errors import ScorerError

if TYPE_CHECKING:
    from scorers.card import ModelCard
    from scorers.losses import GuardedNIMALoss, NIMALoss
    from scorers.scorer import Scorer
    from scorers.zoo import list_scorers, load

_LAZY = {
    "load": "scorers.zoo",
    "list_scorers": "scorers.zoo",
    "Scorer": "scorers.scorer",
    "ModelCard": "scorers.card",
    "NIMALoss": "scorers.losses",
    "GuardedNIMALoss": "scorers.losses",
}

__all__ = [
    "load",
    "list_scorers",
    "Scorer",
    "ModelCard",
    "NIMALoss",
    "GuardedNIMALoss",
    "ScorerError",
]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LAZY[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
