"""The exception family: every error this package raises on purpose derives from `EnhanceError`.

Each subclass also derives from the built-in that a caller would expect, so both
``except enhance.EnhanceError`` and ``except ValueError`` work. Messages are one line and
name the rule and the value that broke it.
"""

from __future__ import annotations

import difflib
import os
import sys
import warnings
from collections.abc import Iterable

_PACKAGE = os.path.dirname(__file__) + os.sep


class EnhanceError(Exception):
    """Base of every error raised on purpose by `enhance`."""


class ParameterError(EnhanceError, ValueError):
    """A setting, bound or option breaks its rule: ``detail must lie in [-1, 5], got 7.0``."""


class UnknownNameError(EnhanceError, KeyError):
    """No operator, parameter, strategy, guard or scorer has this name."""

    def __str__(self) -> str:  # KeyError would show the repr, quotes and all
        return str(self.args[0]) if self.args else ""


class ImageError(EnhanceError, ValueError):
    """An image was given but cannot be worked on: wrong shape, dtype, range, NaN."""


class ReadError(EnhanceError, OSError):
    """A file is missing or cannot be decoded: ``cannot read photo.jpg: no such file``."""


class WriteError(EnhanceError, OSError):
    """A target cannot be written, or would overwrite an input."""


class RecipeError(EnhanceError, ValueError):
    """A recipe file is not one, or is of a version this package does not know."""


class MissingExtraError(EnhanceError, ImportError):
    """An optional package is needed; the message names the extra that installs it."""


class EnhanceWarning(UserWarning):
    """Something was done, and not quite as asked: metadata left out, a depth that was reduced."""


def warn(message: str) -> None:
    """Warn as the line outside this package that called it, whatever lies between."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, EnhanceWarning, stacklevel=level)


def unknown_name(kind: str, name: str, known: Iterable[str]) -> UnknownNameError:
    """Build the error for a name that does not exist, with the nearest one that does.

    >>> str(unknown_name("operator", "laplacain", ["laplacian", "turbo"]))
    "unknown operator 'laplacain'; did you mean 'laplacian'? (known: laplacian, turbo)"
    """
    names = sorted(known)
    near = difflib.get_close_matches(str(name), names, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    listing = ", ".join(names) if names else "none"
    return UnknownNameError(f"unknown {kind} {name!r}{hint} (known: {listing})")


def shown(value: object) -> str:
    """A value as a message shows it: on one line, cut where it is long.

    >>> shown([0] * 100)
    '[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0...'
    """
    try:
        text = " ".join(repr(value).split())
    except ValueError:  # a whole number of thousands of digits
        text = f"a huge {type(value).__name__}"
    return text if len(text) <= 80 else f"{text[:80]}..."
