"""Looks to start from: recipes that ship with the package, one a file beside this one.

enhance.tune("photo.jpg", start=load_preset("punchy"))
enhance.apply("photo.jpg", load_preset("soft"))
"""

from __future__ import annotations

from pathlib import Path

from enhance.errors import unknown_name
from enhance.recipe import Recipe

_FOLDER = Path(__file__).parent


def list_presets() -> list[str]:
    """Names of the presets.

    >>> list_presets()
    ['natural', 'night', 'punchy', 'soft']
    """
    return sorted(path.stem for path in _FOLDER.glob("*.json"))


def load_preset(name: str) -> Recipe:
    """The recipe of a preset; its `reason` says what it looks like.

    Raises:
        UnknownNameError: no preset has this name.

    >>> load_preset("soft").operators
    ('contrast', 'saturation', 'laplacian')
    """
    if name not in list_presets():
        raise unknown_name("preset", name, list_presets())
    return Recipe.load(_FOLDER / f"{name}.json")
