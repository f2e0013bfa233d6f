"""Operators by name: the built-in ones, those registered here, and those of installed packages."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, TypeVar

from enhance.errors import ParameterError, unknown_name
from enhance.operators.base import Operator

GROUP = "enhance.operators"
"""Entry-point group under which an installed package offers operator classes."""

_BUILT_IN = {
    "bilateral": "enhance.operators.bilateral:Bilateral",
    "contrast": "enhance.operators.contrast:Contrast",
    "dehaze": "enhance.operators.dehaze:Dehaze",
    "exposure": "enhance.operators.exposure:Exposure",
    "guided_detail": "enhance.operators.guided_detail:GuidedDetail",
    "highlights": "enhance.operators.highlights:Highlights",
    "laplacian": "enhance.operators.laplacian:Laplacian",
    "local_contrast": "enhance.operators.local_contrast:LocalContrast",
    "nlm": "enhance.operators.nlm:NonLocalMeans",
    "saturation": "enhance.operators.saturation:Saturation",
    "tone": "enhance.operators.tone:Tone",
    "turbo": "enhance.operators.turbo:Turbo",
    "unsharp": "enhance.operators.unsharp:Unsharp",
    "white_balance": "enhance.operators.white_balance:WhiteBalance",
}
OperatorT = TypeVar("OperatorT", bound=Operator[Any])

_registered: dict[str, type[Operator[Any]]] = {}


def register(operator_class: type[OperatorT]) -> type[OperatorT]:
    """Make an operator known under its `name`; usable as a class decorator.

    Registering a class again under its own name replaces it, so that a notebook cell can be run
    twice; the name of a different operator cannot be taken.

    Raises:
        ParameterError: not an operator class, no name, or a name that is taken.

    >>> from enhance.operators.base import Operator
    >>> @register
    ... class Nothing(Operator):
    ...     name = "nothing"
    ...     parameters_spec = {}
    ...     def analyse(self, image, settings=None, *, extent=None):
    ...         return image
    ...     def render(self, layers, settings):
    ...         return layers
    >>> get("nothing").name
    'nothing'
    """
    if not (isinstance(operator_class, type) and issubclass(operator_class, Operator)):
        raise ParameterError(f"an operator must be a subclass of Operator, got {operator_class!r}")
    name = getattr(operator_class, "name", "")
    if not name:
        raise ParameterError(f"an operator must have a name, got {operator_class.__qualname__}")
    path = f"{operator_class.__module__}:{operator_class.__qualname__}"
    previous = _registered.get(name)
    owner = f"{previous.__module__}:{previous.__qualname__}" if previous else _BUILT_IN.get(name)
    if owner not in (None, path):
        raise ParameterError(f"an operator's name must be free, but {name!r} is {owner}")
    _registered[name] = operator_class
    return operator_class


def list_operators() -> list[str]:
    """Names of all operators that `get` knows, sorted.

    >>> {"laplacian", "turbo"} <= set(list_operators())
    True
    """
    offered = {entry.name for entry in entry_points(group=GROUP)}
    return sorted({*_BUILT_IN, *_registered, *offered})


def get(name: str) -> Operator[Any]:
    """A new instance of the operator of this name.

    Raises:
        UnknownNameError: no operator has this name; the message gives the nearest one.

    >>> sorted(get("laplacian").parameters_spec)[:2]
    ['brightness', 'detail']
    """
    if name in _registered:
        return _registered[name]()
    if name in _BUILT_IN:
        module, _, attribute = _BUILT_IN[name].partition(":")
        operator_class: type[Operator[Any]] = getattr(import_module(module), attribute)
        return operator_class()
    for entry in entry_points(group=GROUP, name=name):
        operator_class = entry.load()
        return operator_class()
    raise unknown_name("operator", name, list_operators())
