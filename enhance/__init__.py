"""Photo operators that tune themselves: a scorer says how good a photo looks, tuning finds how.

import enhance
result = enhance.tune("photo.jpg")          # settings, gain and its interval, verdict, image
result.save("better.jpg")
enhance.apply("other.jpg", result.recipe)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from enhance.errors import (
    EnhanceError,
    ImageError,
    MissingExtraError,
    ParameterError,
    ReadError,
    RecipeError,
    UnknownNameError,
    WriteError,
)

if TYPE_CHECKING:
    from enhance.operators.registry import list_operators, register
    from enhance.preference.session import prefer
    from enhance.recipe import Recipe
    from enhance.replay import apply
    from enhance.tuning.result import TuneResult
    from enhance.tuning.tune import tune

# imported on first use, so that `import enhance` costs next to nothing
_LAZY = {
    "tune": "enhance.tuning.tune",
    "prefer": "enhance.preference.session",
    "apply": "enhance.replay",
    "TuneResult": "enhance.tuning.result",
    "Recipe": "enhance.recipe",
    "list_operators": "enhance.operators.registry",
    "register": "enhance.operators.registry",
}

__all__ = [
    "tune",
    "prefer",
    "apply",
    "TuneResult",
    "Recipe",
    "list_operators",
    "register",
    "EnhanceError",
    "ImageError",
    "MissingExtraError",
    "ParameterError",
    "ReadError",
    "RecipeError",
    "UnknownNameError",
    "WriteError",
]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_LAZY[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
