"""The exception family of this package: every error raised on purpose derives from `ScorerError`.

Each subclass also derives from the built-in that a caller would expect. Messages are one line
and name the rule and the value that broke it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class ScorerError(Exception):
    """Base of every error raised on purpose by `scorers`."""


class InputError(ScorerError, ValueError):
    """An image or option breaks its rule: ``image must be (B, 3, H, W), got (3, 32, 32)``."""


class OpinionError(ScorerError, ValueError):
    """A distribution or its moments cannot be: ``mean must lie in [1, 10], got 11``."""


class WeightsError(ScorerError, OSError):
    """A weight file is missing, truncated, or not what it claims to be."""


class DownloadError(ScorerError, OSError):
    """A published file could not be fetched whole and unchanged from its origin."""


class UnknownNameError(ScorerError, KeyError):
    """No scorer, architecture or bucket model has this name."""

    def __str__(self) -> str:  # KeyError would show the repr, quotes and all
        return str(self.args[0]) if self.args else ""


class MissingExtraError(ScorerError, ImportError):
    """An optional package is needed; the message names the extra that installs it."""


def unknown_name(kind: str, name: str, known: Iterable[str]) -> UnknownNameError:
    """Build the error for a name that does not exist, with the nearest one that does.

    >>> str(unknown_name("backbone", "vgg61", ["vgg16"]))
    "unknown backbone 'vgg61'; did you mean 'vgg16'? (known: vgg16)"
    """
    names = sorted(known)
    near = difflib.get_close_matches(str(name), names, n=1)  # users pass anything
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return UnknownNameError(f"unknown {kind} {name!r}{hint} (known: {', '.join(names) or 'none'})")
