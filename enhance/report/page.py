"""From a template and its values to one self-contained page.

Jinja because it escapes every value by itself and torch brings it along anyway; what a file name
or a parameter's text holds never becomes markup. The page asks browsers to load nothing.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from enhance.atomic import write_bytes
from enhance.errors import WriteError

if TYPE_CHECKING:
    from jinja2 import Environment

EXTENSIONS = (".html", ".htm")


def render(template: str, **values: Any) -> str:
    """Fill a template of this package; a value that it misses is an error."""
    return _environment().get_template(template).render(**values)


def check_page(path: str | os.PathLike[str]) -> None:
    """Find out, before any work, whether `path` is named as a page is: a slip costs no photo.

    Raises:
        WriteError: another extension than .html or .htm.
    """
    extension = Path(path).suffix.lower()
    if extension not in EXTENSIONS:
        raise WriteError(
            f"cannot write {path}: a page's extension must be one of {', '.join(EXTENSIONS)}, "
            f"got {extension!r}"
        )


def write_page(page: str, path: str | os.PathLike[str]) -> None:
    """Write a page, whole or not at all.

    Raises:
        WriteError: as `check_page`; or the target cannot be written.
    """
    check_page(path)
    # file names that are not UTF-8 hold surrogates
    write_bytes(path, page.encode("utf-8", "backslashreplace"))


def number(value: float) -> str:
    """A number as people write it: at most four significant digits, a true minus.

    >>> number(-0.31251), number(12), number(0)
    ('−0.3125', '12', '0')
    """
    return f"{value:.4g}".replace("-", "\N{MINUS SIGN}")


def signed(value: float) -> str:
    """A difference of scores, with its sign.

    >>> signed(0.25), signed(-0.0314)
    ('+0.250', '−0.031')
    """
    return f"{value:+.3f}".replace("-", "\N{MINUS SIGN}")


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("enhance.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": number, "signed": signed}
    return environment
