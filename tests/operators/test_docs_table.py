"""The page on operators says what the operators declare."""

from __future__ import annotations

import runpy
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_is_up_to_date() -> None:
    page = runpy.run_path(str(DOCS / "operators.py"))["page"]()
    written = (DOCS / "operators.md").read_text(encoding="utf-8")
    assert page == written, "run: python docs/operators.py"


def test_the_page_has_the_operators_that_it_is_about() -> None:
    written = (DOCS / "operators.md").read_text(encoding="utf-8")
    for line in ("## laplacian", "## white_balance", "| `contrast` | -1 | 1 | 0 | yes |"):
        assert line in written
