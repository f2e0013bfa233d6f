"""What judges photos: NIMA scorers, their weights and cards, and losses made of them.

import scorers
scorer = scorers.load("nima-aesthetic")     # or a path
scorer(image), scorer.opinion(image)        # (B,) mean opinion, (B, 10) distribution
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from scorers.errors import (
    DownloadError,
    InputError,
    MissingExtraError,
    OpinionError,
    ScorerError,
    UnknownNameError,
    WeightsError,
)

if TYPE_CHECKING:
    from scorers.card import ModelCard
    from scorers.losses import GuardedNIMALoss, NIMALoss
    from scorers.scorer import Scorer
    from scorers.zoo import list_scorers, load

# imported on first use, so that `import scorers` costs next to nothing
_LAZY = {
    "load": "scorers.zoo",
    "list_scorers": "scorers.zoo",
    "Scorer": "scorers.scorer",
    "ModelCard": "scorers.card",
    "NIMALoss": "scorers.losses",
    "GuardedNIMALoss": "scorers.losses",
}
_PARTS = {
    "adapters",
    "backbones",
    "convert",
    "errors",
    "evaluation",
    "explain",
    "losses",
    "opinion",
    "personal",
    "photos",
    "preprocess",
    "ratings",
    "training",
    "zoo",
}

__all__ = [
    "load",
    "list_scorers",
    "Scorer",
    "ModelCard",
    "NIMALoss",
    "GuardedNIMALoss",
    "DownloadError",
    "InputError",
    "MissingExtraError",
    "OpinionError",
    "ScorerError",
    "UnknownNameError",
    "WeightsError",
]


def __getattr__(name: str) -> Any:
    if name in _PARTS:
        return import_module(f"{__name__}.{name}")
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_LAZY[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*__all__, *_PARTS})
