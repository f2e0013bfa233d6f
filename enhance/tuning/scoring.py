"""Who judges: the default scorers, one by name or path, or any callable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import chain
from os import PathLike
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from enhance.errors import MissingExtraError, ParameterError, ReadError, UnknownNameError
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

    def __call__(self, images: Tensor) -> Tensor:
        scores: Tensor = embedded_scorer(self.name, images.device)(images)
        return scores


def resolve_scorer(
    scorer: ScorerLike | None, operator: Operator[Any], device: str | torch.device | None = None
) -> Judge:
    """The scorer a caller asks for; for None the embedded one that suits the operator.

    Args:
        scorer: a name, a path or a callable.
        operator: what is to be judged.
        device: where a scorer that is a module is moved to; None leaves it where it is.

    Raises:
        ParameterError: neither a name, nor a path, nor callable.
        UnknownNameError: no scorer of that name.
        ReadError: a file that is missing or holds no scorer.
        MissingExtraError: a package that this kind of file needs is not installed.
    """
    if scorer is None:
        scorer = _default(operator)
    if isinstance(scorer, str) and scorer in (TONE, TECHNICAL):
        scorer = embedded_scorer(scorer, torch.device(device or "cpu"))
    elif isinstance(scorer, (str, PathLike)):
        scorer = _load(scorer)
    if not callable(scorer):
        raise ParameterError(f"scorer must be a name, a path or a callable, got {scorer!r}")
    if isinstance(scorer, nn.Module) and device is not None:
        scorer.to(device)
    card = getattr(scorer, "card", None)
    name = getattr(card, "name", None) or getattr(scorer, "__name__", type(scorer).__name__)
    size = int(getattr(scorer, "view_size", _VIEW_SIZE))
    sha256 = getattr(card, "sha256", None)
    return Judge(scorer, str(name), sha256, size, _other_kind(card))


def device_of(scorer: Callable[[Tensor], Tensor]) -> torch.device:
    """Where a scorer is: a module where its first tensor is, anything else on the CPU."""
    if isinstance(scorer, nn.Module):
        for held in chain(scorer.parameters(), scorer.buffers()):
            return held.device
    return torch.device("cpu")


@cache
def embedded_scorer(name: str, device: torch.device) -> nn.Module:
    """An embedded scorer, loaded once: it is frozen, so all photos can share it."""
    return _load(name).to(device)


def _load(scorer: str | PathLike[str]) -> nn.Module:
    import scorers
    from scorers import errors

    try:
        return scorers.load(scorer if isinstance(scorer, str) else Path(scorer))
    except errors.UnknownNameError as error:
        raise UnknownNameError(str(error)) from error
    except errors.MissingExtraError as error:
        raise MissingExtraError(str(error)) from error
    except errors.ScorerError as error:
        raise ReadError(str(error)) from error


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
