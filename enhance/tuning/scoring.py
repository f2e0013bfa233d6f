"""Who judges: the default scorers, one by name or path, or any callable."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
from scorers import errors

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
        ParameterError, UnknownNameError, ReadError, MissingExtraError: see `judge_of`.
    """
    return judge_of(_default(operator) if scorer is None else scorer, device)


def judge_of(scorer: ScorerLike, device: str | torch.device | None = None) -> Judge:
    """A scorer by name, by path, or as any callable.

    Args:
        scorer: a name, a path or a callable.
        device: where a scorer that is a module is moved to; None leaves it where it is.

    Raises:
        ParameterError: neither a name, nor a path, nor callable; a device that torch lacks.
        UnknownNameError: no scorer of that name.
        ReadError: a file that is missing or holds no scorer.
        MissingExtraError: a package that this kind of file needs is not installed.
    """
    place = None if device is None else find_device(device)
    if isinstance(scorer, str) and scorer in (TONE, TECHNICAL):
        scorer = embedded_scorer(scorer, place or torch.device("cpu"))
    elif isinstance(scorer, (str, PathLike)):
        scorer = _load(scorer)
    if not callable(scorer):
        raise ParameterError(f"scorer must be a name, a path or a callable, got {scorer!r}")
    if isinstance(scorer, nn.Module) and place is not None:
        scorer.to(place)
    card = getattr(scorer, "card", None)
    name = getattr(card, "name", None) or getattr(scorer, "__name__", type(scorer).__name__)
    size = int(getattr(scorer, "view_size", _VIEW_SIZE))
    sha256 = getattr(card, "sha256", None)
    return Judge(scorer, str(name), sha256, size, _other_kind(card))


def find_device(device: str | torch.device) -> torch.device:
    """A device by name.

    Raises:
        ParameterError: torch cannot compute there.

    >>> find_device("cpu")
    device(type='cpu')
    """
    try:
        place = torch.device(device)
        torch.zeros(1, device=place).item()  # the device meta holds no numbers
    except (RuntimeError, AssertionError, TypeError) as error:  # torch without CUDA asserts
        raise ParameterError(
            f"device must be one that torch can use here, got {str(device)!r}"
        ) from error
    return place


@contextmanager
def translated_errors() -> Iterator[None]:
    """Raise what `scorers` raises as the error of this package that says the same."""
    try:
        yield
    except errors.UnknownNameError as error:
        raise UnknownNameError(str(error)) from error
    except errors.MissingExtraError as error:
        raise MissingExtraError(str(error)) from error
    except errors.InputError as error:
        raise ParameterError(str(error)) from error
    except errors.ScorerError as error:
        raise ReadError(str(error)) from error


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

    with translated_errors():
        return scorers.load(scorer if isinstance(scorer, str) else Path(scorer))


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
