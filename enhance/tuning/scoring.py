"""Who judges: the default scorers, one by name or path, or any callable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from os import PathLike
from typing import Any

import torch
from torch import Tensor, nn

from enhance.errors import ParameterError
from enhance.operators.base import Operator

ScorerLike = str | PathLike[str] | Callable[[Tensor], Tensor]

TONE, TECHNICAL = "nima-aesthetic", "nima-technical"
_VIEW_SIZE = 224


@dataclass(frozen=True)
class Judge:
    """A scorer, and what tuning must know of it.

    Attributes:
        score: ``(B, 3, H, W) in [0, 1] -> (B,)``, higher better.
        name: how the recipe calls it.
        sha256: of its weights, where it has a card; else None.
        view_size: side of the image it was made for, in px.
    """

    score: Callable[[Tensor], Tensor]
    name: str
    sha256: str | None = None
    view_size: int = _VIEW_SIZE


def resolve_scorer(
    scorer: ScorerLike | None, operator: Operator[Any], device: str | torch.device | None = None
) -> Judge:
    """The scorer a caller asks for; for None the embedded one that suits the operator.

    Raises:
        ParameterError: neither a name, nor a path, nor callable.
        scorers.ScorerError: no scorer of that name, or a file that holds none.
    """
    if scorer is None:
        scorer = _default(operator)
    if isinstance(scorer, (str, PathLike)):
        import scorers

        scorer = scorers.load(str(scorer))
    if not callable(scorer):
        raise ParameterError(f"scorer must be a name, a path or a callable, got {scorer!r}")
    if isinstance(scorer, nn.Module) and device is not None:
        scorer.to(device)
    card = getattr(scorer, "card", None)
    name = getattr(card, "name", None) or getattr(scorer, "__name__", type(scorer).__name__)
    size = int(getattr(scorer, "view_size", _VIEW_SIZE))
    return Judge(scorer, str(name), getattr(card, "sha256", None), size)


def _default(operator: Operator[Any]) -> str:
    if operator.views == "native":
        import scorers

        if TECHNICAL in scorers.list_scorers():
            return TECHNICAL
    return TONE
