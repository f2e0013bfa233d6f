"""Where results may go: never in the place of what is read, nor two of them to one file."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from enhance.errors import WriteError

if TYPE_CHECKING:
    from enhance.imaging.photo import Photo


def check_apart(inputs: Iterable[Path | None], outputs: Mapping[str, Path | None]) -> None:
    """Find out, before any work, whether an output would replace an input or another output.

    Args:
        inputs: what is read; None for what was not given.
        outputs: what is written, by what asks for it, such as the option's name.

    Raises:
        WriteError: two of these paths are one file, links resolved.

    >>> check_apart([Path("a.jpg")], {"--output": Path("b.jpg"), "--recipe": Path("./b.jpg")})
    Traceback (most recent call last):
        ...
    enhance.errors.WriteError: cannot write b.jpg: both --output and --recipe name it
    """
    read = {_place(path) for path in inputs if path is not None}
    written: dict[object, str] = {}
    for asking, path in outputs.items():
        if path is None:
            continue
        place = _place(path)
        if place in read:
            raise WriteError(f"cannot write {path}: it is the input; choose another name")
        if place in written:
            raise WriteError(f"cannot write {path}: both {written[place]} and {asking} name it")
        written[place] = asking


def inside(path: Path, folder: Path) -> bool:
    """Whether a path, however it is written, lies in a folder that may be yet to be made.

    >>> inside(Path.cwd() / "out" / "results.csv", Path("out"))
    True
    """
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))


def read_for(photo: Path, output: Path) -> Photo:
    """Read a photo that will be written to `output`.

    Raises:
        ReadError, ImageError: it cannot be read.
        WriteError: that format cannot hold what the photo has, such as transparency.
    """
    from enhance.imaging.files import check_holds, read

    given = read(photo)
    check_holds(given, output)
    return given


def _place(path: Path) -> object:
    try:
        status = path.stat()
    except OSError:  # yet to be made
        return os.path.realpath(path)
    return status.st_dev, status.st_ino  # the same for hard links, too
