"""A result as Jupyter shows it: before and after side by side, verdict, settings, gain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from enhance.report.page import render
from enhance.report.pictures import picture_of

if TYPE_CHECKING:
    from enhance.tuning.result import TuneResult

SIDE = 480
"""Longest side of the pictures, in px."""


def notebook_html(result: TuneResult) -> str:
    """A fragment of HTML, without scripts and styles of its own, so that it fits any notebook."""
    return render(
        "notebook.html",
        result=result,
        pictures=[
            ("before", picture_of(result.photo.pixels, SIDE)),
            ("after", picture_of(result.pixels, SIDE)),
        ],
    )
