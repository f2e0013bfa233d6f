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
        witness: the embedded scorer of the other kind, for a second opinion; None where `score`
            is a callable of the caller's, whose taste no embedded scorer is asked about.
    """

    score: Callable[[Tensor], Tensor]
    name: str
    sha256: str | None = None
    view_size: int = _VIEW_SIZE
    witness: Callable[[Tensor], Tensor] | None = None


class OnDemand:
    """A scorer by name, loaded when it is first asked, onto the device of the images.

    >>> OnDemand("nima-technical")(torch.rand(1, 3, 32, 32)).shape
    torch.Size([1])
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._scorer: nn.Module | None = None

    def __call__(self, images: Tensor) -> Tensor:
        if self._scorer is None:
            import scorers

            self._scorer = scorers.load(self.name).to(images.device)
        scores: Tensor = self._scorer(images)
        return scores


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
    sha256 = getattr(card, "sha256", None)
    return Judge(scorer, str(name), sha256, size, _other_kind(card))


def _other_kind(card: Any) -> OnDemand | None:
    """The embedded scorer that looks at native pixels if this one shrinks, and the reverse."""
    view = getattr(getattr(card, "preprocess", None), "view", None)
    return None if view is None else OnDemand(TECHNICAL if view == "whole" else TONE)


def _default(operator: Operator[Any]) -> str:
    if operator.views == "native":
        import scorers

        if TECHNICAL in scorers.list_scorers():
            return TECHNICAL
    return TONE
