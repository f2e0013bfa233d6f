"""`enhance studio`: a photo under one's own hands, in the browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from enhance.cli.options import Operators, ScorerName


def studio(
    photo: Annotated[Path, typer.Argument(metavar="PHOTO", help="The photo to work on.")],
    operator: Operators = None,
    scorer: ScorerName = None,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, metavar="N", help="By default a free one.")
    ] = None,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the page in the browser.")
    ] = True,
) -> None:
    """Show a slider for every parameter, beside what the scorer says of each setting.

    Lock what should stay and let the rest be tuned; the setting can be saved as a recipe. The page
    is served to this machine only, until the command is interrupted.
    """
    from enhance.studio.page import gradio, serve
    from enhance.studio.session import StudioSession

    gradio()
    serve(StudioSession(photo, operator or None, scorer), port=port, browser=browser)
