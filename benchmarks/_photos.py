"""Where the photos are that the project may measure on but not ship."""

from __future__ import annotations

import os
import sys
from pathlib import Path

SKIPPED = 77
"""Exit status of a benchmark that has no photos, as Automake's test driver has it."""


def photo_folder() -> Path:
    """The folder that ``ENHANCE_DATA`` names, which holds ``data/`` and ``weights/``.

    Raises:
        SystemExit: with status `SKIPPED` and a line on stderr, where there is none.
    """
    folder = Path(os.environ.get("ENHANCE_DATA", ""))
    if "ENHANCE_DATA" not in os.environ or not (folder / "data").is_dir():
        stated = os.environ.get("ENHANCE_DATA", "not set")
        print(
            "set ENHANCE_DATA to the folder that holds data/ and weights/ "
            f"(docs/benchmarks/index.md); it is {stated}",
            file=sys.stderr,
        )
        raise SystemExit(SKIPPED)
    return folder
