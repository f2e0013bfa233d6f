"""The studio's page, made with Gradio; it loads nothing from the network."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from enhance.errors import MissingExtraError
from enhance.imaging.eight_bits import eight_bits
from enhance.operators.base import Parameter
from enhance.studio.session import Look, Session

FONTS = ["system-ui", "sans-serif"]


def gradio() -> Any:
    """The `gradio` package.

    Raises:
        MissingExtraError: it is not installed.
    """
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    try:
        import gradio
    except ImportError as error:
        raise MissingExtraError(
            "the studio needs Gradio: pip install 'enhance-tune[studio]'"
        ) from error
    return gradio


def serve(session: Session, *, port: int | None = None, browser: bool = True) -> None:
    """Show the studio on this machine only, until it is interrupted."""
    gr = gradio()
    build(session).launch(
        server_name="127.0.0.1",
        server_port=port,
        inbrowser=browser,
        share=False,
        footer_links=[],
        theme=gr.themes.Default(font=FONTS, font_mono=["monospace"]),
    )


def build(session: Session) -> Any:
    """The page, as Gradio's `Blocks`: photo, sliders with locks, score, opinions, buttons."""
    gr = gradio()
    names = list(session.parameters)
    start, before = session.start(), session.before()

    def show(*values: float) -> tuple[Any, ...]:
        look = session.look(dict(zip(names, values, strict=True)))
        shown = (eight_bits(before.pixels), eight_bits(look.pixels))
        return shown, score_line(before, look), opinion_table(before, look)

    def tune(*given: Any) -> tuple[Any, ...]:
        settings = dict(zip(names, given[: len(names)], strict=True))
        locked = [name for name, on in zip(names, given[len(names) :], strict=True) if on]
        result = session.tune(settings, locked)
        found = {**session.operator.defaults(), **result.settings}
        values = [float(found[name]) for name in names]
        return *values, f"**{result.verdict}**: {result.reason}", *show(*values)

    def save(*values: float) -> str:
        path = Path(tempfile.mkdtemp()) / "recipe.json"
        session.recipe(dict(zip(names, values, strict=True))).save(path)
        return str(path)

    with gr.Blocks(title="enhance studio", analytics_enabled=False) as page, gr.Row():
        with gr.Column(scale=3):
            photo = gr.ImageSlider(
                (eight_bits(before.pixels), eight_bits(before.pixels)),
                label="before | after",
                format="jpeg",
                interactive=False,
                max_height=700,
                elem_id="photo",
            )
        with gr.Column(scale=2, min_width=320):
            score = gr.Markdown(score_line(before, before), elem_id="score")
            sliders, locks = [], []
            for name, parameter in session.parameters.items():
                with gr.Row():
                    sliders.append(slider(gr, name, parameter, start[name]))
                    locks.append(
                        gr.Checkbox(label="lock", min_width=60, scale=1, elem_id=f"lock-{name}")
                    )
            with gr.Row():
                tuned = gr.Button("Tune", variant="primary", elem_id="tune")
                reset = gr.Button("Reset", elem_id="reset")
                export = gr.Button("Export recipe", elem_id="export")
            verdict = gr.Markdown(elem_id="verdict")
            recipe = gr.File(label="recipe", visible=True, elem_id="recipe", height=80)
            opinions = gr.BarPlot(
                opinion_table(before, before),
                x="rating",
                y="share",
                color="photo",
                height=200,
                label="opinions",
                visible=bool(before.opinions),
            )
        seen = [photo, score, opinions]
        for control in sliders:
            control.release(show, sliders, seen, show_progress="hidden")
        tuned.click(tune, [*sliders, *locks], [*sliders, verdict, *seen])
        reset.click(
            lambda: (*start_values(session), "", *show(*start_values(session))),
            None,
            [*sliders, verdict, *seen],
        )
        export.click(save, sliders, recipe)
    return page


def slider(gr: Any, name: str, parameter: Parameter, value: float) -> Any:
    """A slider with the parameter's bounds; in whole steps where it takes whole numbers."""
    step = 1 if parameter.integer else (parameter.high - parameter.low) / 200
    label = f"{name} [{parameter.unit}]" if parameter.unit else name
    return gr.Slider(
        parameter.low,
        parameter.high,
        value,
        step=step,
        label=label,
        info=parameter.doc,
        scale=5,
        elem_id=f"slider-{name}",
    )


def start_values(session: Session) -> Sequence[float]:
    """The first setting, in the order of the sliders."""
    start = session.start()
    return [start[name] for name in session.parameters]


def score_line(before: Look, now: Look) -> str:
    """Score before and now, in Markdown."""
    return f"score {before.score:.3f} → **{now.score:.3f}** ({now.score - before.score:+.3f})"


def opinion_table(before: Look, now: Look) -> Any:
    """Shares of opinions for a bar plot: one row for each rating, before and now."""
    import pandas

    rows = [
        {"rating": f"{rating:g}", "share": share, "photo": photo}
        for photo, look in (("before", before), ("now", now))
        for rating, share in look.opinions.items()
    ]
    return pandas.DataFrame(rows, columns=["rating", "share", "photo"])
