"""The `scorers` command: this file puts it together, and each command has a file of its own.

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

import typer

from scorers.cli.audit import audit
from scorers.cli.backbones import backbones
from scorers.cli.console import complain
from scorers.cli.eval import evaluate
from scorers.cli.explain import explain
from scorers.cli.export import export
from scorers.cli.fetch import fetch
from scorers.cli.listing import list_scorers
from scorers.cli.personalize import personalize
from scorers.cli.score import score
from scorers.cli.train import train
from scorers.errors import ScorerError

app = typer.Typer(
    name="scorers",
    help="What judges photos: list, fetch and run scorers.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
app.command("list", epilog="Example: scorers list --cards")(list_scorers)
app.command(epilog="Example: scorers fetch idealo-aesthetic")(fetch)
app.command(epilog="Example: scorers export nima-aesthetic aesthetic.onnx")(export)
app.command(epilog="Example: scorers score shoot/*.jpg --scorer idealo-technical")(score)
app.command(epilog="Example: scorers explain photo.jpg -o explained/")(explain)
app.command(epilog="Example: scorers personalize ratings.csv -o mine.safetensors")(personalize)

app.command(epilog="Example: scorers train AVA.txt --photos ava/ -o runs/ava")(train)
app.command("eval", epilog="Example: scorers eval ratings.csv --scorer nima-aesthetic")(evaluate)
app.command(epilog="Example: scorers audit --synthesise blur haze --native")(audit)
app.command(epilog="Example: scorers backbones vgg16 mobilenet_v1:width=0.5")(backbones)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status; `arguments` default to the process' own."""
    given = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    if isinstance(sys.stdout, io.TextIOWrapper):  # file names need not be text
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        with warnings.catch_warnings():
            warnings.showwarning = lambda message, *where: complain(message)
            status = app(given, prog_name="scorers", standalone_mode=False)
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
    except (ScorerError, OSError) as error:
        complain(error)
        return 2
    except Exception as error:
        if os.environ.get("ENHANCE_TRACEBACK"):
            raise
        complain(
            f"{type(error).__name__}: {error} (a fault in scorers, not in what you asked; "
            "ENHANCE_TRACEBACK=1 shows where)"
        )
        return 2
    return status if isinstance(status, int) else 0
