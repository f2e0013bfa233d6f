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
    EnhanceWarning,
    ImageError,
    MissingExtraError,
    ParameterError,
    ReadError,
    RecipeError,
    UnknownNameError,
    WriteError,
)

if TYPE_CHECKING:
    from enhance.judging import Opinion, score
    from enhance.operators.base import Operator, Parameter
    from enhance.operators.blackbox import black_box
    from enhance.operators.registry import list_operators, register
    from enhance.preference.session import prefer
    from enhance.presets import list_presets, load_preset
    from enhance.recipe import Recipe
    from enhance.replay import apply
    from enhance.tuning.guards import default_guards
    from enhance.tuning.result import TuneResult
    from enhance.tuning.strategies import list_strategies
    from enhance.tuning.together import tune_together
    from enhance.tuning.tune import tune

__version__ = "0.1.0"

# imported on first use, so that `import enhance` costs next to nothing
_LAZY = {
    "tune": "enhance.tuning.tune",
    "tune_together": "enhance.tuning.together",
    "prefer": "enhance.preference.session",
    "score": "enhance.judging",
    "Opinion": "enhance.judging",
    "apply": "enhance.replay",
    "TuneResult": "enhance.tuning.result",
    "Recipe": "enhance.recipe",
    "list_presets": "enhance.presets",
    "load_preset": "enhance.presets",
    "list_operators": "enhance.operators.registry",
    "list_strategies": "enhance.tuning.strategies",
    "default_guards": "enhance.tuning.guards",
    "Operator": "enhance.operators.base",
    "Parameter": "enhance.operators.base",
    "black_box": "enhance.operators.blackbox",
    "register": "enhance.operators.registry",
}
_PARTS = {
    "batch",
    "comparison",
    "errors",
    "imaging",
    "lut",
    "operators",
    "preference",
    "presets",
    "report",
    "studio",
    "testing",
    "tuning",
}

__all__ = [
    "tune",
    "tune_together",
    "prefer",
    "score",
    "Opinion",
    "apply",
    "TuneResult",
    "Recipe",
    "list_presets",
    "load_preset",
    "list_operators",
    "list_strategies",
    "default_guards",
    "Operator",
    "Parameter",
    "black_box",
    "register",
    "EnhanceError",
    "EnhanceWarning",
    "ImageError",
    "MissingExtraError",
    "ParameterError",
    "ReadError",
    "RecipeError",
    "UnknownNameError",
    "WriteError",
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
    return sorted({*__all__, *_PARTS, "__version__"})
