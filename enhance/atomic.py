"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
from pathlib import Path

from enhance.errors import WriteError


def write_bytes(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a file whole or not at all: to a temporary file beside it, which is then renamed.

    Raises:
        WriteError: no such folder, a folder, not writable, disk full.
    """
    path = as_path(path)
    check_writable(path)
    target = Path(os.path.realpath(path))  # a link stays a link
    temporary = target.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            shutil.copymode(target, temporary)
        os.replace(temporary, target)
    except OSError as error:
        raise WriteError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)


def check_writable(path: Path) -> None:
    """Find out, before any work, whether a file can be made or replaced at `path`.

    Raises:
        WriteError: no such folder, a folder, a pipe or device, not writable, a name that no file
            can have.
    """
    try:
        target = Path(os.path.realpath(path))
        if target.is_dir():
            raise WriteError(f"cannot write {path}: it is a folder")
        if not target.parent.is_dir():
            raise WriteError(f"cannot write {path}: no folder {target.parent}")
        if target.exists() and not target.is_file():  # a pipe, a device: a rename would replace it
            raise WriteError(f"cannot write {path}: it is no ordinary file")
        # the folder too, even if the file is there: a new one is made in it, and renamed
        for place in filter(os.path.exists, (target, target.parent)):
            if not os.access(place, os.W_OK):
                raise WriteError(f"cannot write {path}: permission denied")
    except WriteError:
        raise
    except (OSError, ValueError) as error:
        raise WriteError(f"cannot write {path}: {getattr(error, 'strerror', error)}") from error


def as_path(path: object) -> Path:
    """A path as `Path`.

    Raises:
        WriteError: it is no path.
    """
    if not isinstance(path, str | os.PathLike):
        raise WriteError(f"cannot write {path!r}: it is no path")
    return Path(path)
