"""What a file says of its architecture, and what was asked for: they must not contradict."""

from __future__ import annotations

import inspect
from collections.abc import Container, Mapping
from pathlib import Path
from typing import Any

from scorers.backbones import BACKBONES
from scorers.card import Architecture
from scorers.errors import InputError


def agreed(
    found: Architecture,
    path: str | Path,
    backbone: str | None = None,
    options: Mapping[str, Any] | None = None,
    *,
    untold: Container[str] = (),
) -> Architecture:
    """The architecture that a file states, completed by what was asked for.

    Args:
        found: as the file has it.
        path: of the file; only named in errors.
        backbone: the one asked for, if any.
        options: those asked for.
        untold: options of which the file says nothing, so that what was asked for holds.

    Raises:
        InputError: the file is of another backbone, or has another value of an option.

    >>> agreed(Architecture("mobilenet_v1"), "t.pth", options={"same": True}, untold={"same"})
    Architecture(backbone='mobilenet_v1', options={'same': True})
    """
    if backbone not in (None, found.backbone):
        raise InputError(f"{path} is a {found.backbone}, not the {backbone} asked for")
    known = inspect.signature(BACKBONES[found.backbone]).parameters
    settled = dict(found.options)
    for name, value in (options or {}).items():
        if name not in known:
            raise InputError(
                f"backbone {found.backbone} has no option {name!r} (known: {', '.join(known)})"
            )
        own = found.options.get(name, known[name].default)
        if _plain(value) == _plain(own):
            continue
        if name not in untold:
            raise InputError(
                f"{path} is a {found.backbone} with {name}={own}, not the {name}={value} asked for"
            )
        settled[name] = value
    return Architecture(found.backbone, settled)


def _plain(value: Any) -> Any:
    """Lists and tuples alike: JSON knows no tuples."""
    return list(value) if isinstance(value, list | tuple) else value
