"""The `enhance` command: this file puts it together, and each command has a file of its own.

Exit status: 0 done; 1 some of several photos failed, each named on stderr, the others are done, or
the reader of the output has gone; 2 the command could not do what was asked, said in one line on
stderr; 130 interrupted.
"""

from __future__ import annotations

import io
import os
import sys
import warnings
from collections.abc import Sequence
from importlib.metadata import version
from typing import Annotated

import typer

from enhance.cli.apply import apply
from enhance.cli.batch import batch
from enhance.cli.console import complain, one_line
from enhance.cli.demo import demo
from enhance.cli.export import export
from enhance.cli.operators import operators
from enhance.cli.prefer import prefer
from enhance.cli.rank import rank
from enhance.cli.score import score
from enhance.cli.studio import studio
from enhance.cli.tune import tune
from enhance.errors import EnhanceError
from scorers.cli import app as scorers_app
from scorers.errors import ScorerError

app = typer.Typer(
    name="enhance",
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _show_version(asked: bool) -> None:
    if asked:
        print(f"enhance-tune {version('enhance-tune')}")
        raise typer.Exit


@app.callback()
def _enhance(
    show_version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Print the version and stop."
        ),
    ] = False,
) -> None:
    """Find the settings of photo operators that make a photo look its best."""


for command, example in (
    (tune, "enhance tune photo.jpg -o better.jpg --recipe photo.json --compare before_after.png"),
    (prefer, "enhance prefer photo.jpg -o mine.jpg --recipe mine.json"),
    (apply, "enhance apply photo.json shoot/*.jpg -o out/"),
    (batch, "enhance batch shoot/ -o out/ --table out/results.csv"),
    (export, "enhance export look.json look.cube"),
    (score, "enhance score shoot/*.jpg"),
    (rank, "enhance rank shoot/ --top 10"),
    (studio, "enhance studio photo.jpg --operator tone"),
    (operators, "enhance operators laplacian"),
    (demo, "enhance demo --photo photo.jpg"),
):
    app.command(epilog=f"Example: {example}")(command)
app.add_typer(scorers_app, name="scorers", no_args_is_help=False)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status; `arguments` default to the process' own."""
    given = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    if isinstance(sys.stdout, io.TextIOWrapper):  # file names need not be text
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        with warnings.catch_warnings():
            warnings.showwarning = lambda message, *where: complain(message)
            status = app(given, prog_name="enhance", standalone_mode=False)
        if sys.stdout is not None:  # closed, by `>&-`
            sys.stdout.flush()
    except typer.Abort:
        return 130
    except BrokenPipeError:
        # the reader (head, less) has gone: nothing to say, and typer's status for the same
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except typer.TyperException as error:
        complain(error.format_message())
        return 2
    except (EnhanceError, ScorerError, OSError) as error:
        complain(error)
        return 2
    except Exception as error:
        if os.environ.get("ENHANCE_TRACEBACK"):
            raise
        complain(
            f"{type(error).__name__}: {one_line(error)} (a fault in enhance, not in what you "
            "asked; ENHANCE_TRACEBACK=1 shows where)"
        )
        return 2
    return status if isinstance(status, int) else 0
