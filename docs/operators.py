"""Writes docs/operators.md from what the operators declare: ``python docs/operators.py``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from enhance.operators.base import Operator, Parameter
from enhance.operators.registry import get, list_operators

TARGET = Path(__file__).with_suffix(".md")
HEAD = """# Operators

What `enhance operators` lists, for reading: this table is written by `python docs/operators.py`
from what each operator declares. *Searched* parameters are those that tuning varies unless told
otherwise; `bounds={...}` has others searched too. *Judged on* says what a scorer sees: the whole
photo shrunk, or crops as they are. All are differentiable but for whole-number parameters, and
can be chained: `operator=["turbo", "white_balance", "contrast"]`.
"""
TAIL = """
## Your own

An operator of your own is one class: [examples/own_operator.py](gallery.md#own_operator). Any
function on arrays becomes one by `enhance.operators.blackbox.black_box`
([example](gallery.md#black_box_opencv)), any program that reads and writes an image file by
`enhance.operators.command.command` ([example](gallery.md#black_box_imagemagick)). Both are
tuned without gradients, under the same objective and guards.
"""


def page() -> str:
    """The whole page."""
    known = map(get, list_operators())
    # a built-in operator's file bears its name; others may be registered or installed
    own = [o for o in known if type(o).__module__ == f"enhance.operators.{o.name}"]
    return "\n".join([HEAD, *map(section, own)]) + TAIL


def section(operator: Operator[Any]) -> str:
    """One operator: what it does, and its parameters."""
    seen = {"whole": "the whole photo", "native": "native crops"}[operator.views]
    identity = operator.identity
    if identity is None:
        unchanged = "no setting leaves a photo unchanged"
    elif identity:
        setting = ", ".join(f"`{name}={value:g}`" for name, value in identity.items())
        unchanged = f"unchanged at {setting}"
    else:
        unchanged = "unchanged at its defaults"
    rows = [row(name, spec) for name, spec in operator.parameters_spec.items()]
    return "\n".join(
        [
            f"## {operator.name}",
            "",
            f"{operator.summary[0].upper()}{operator.summary[1:]}. Judged on {seen}; {unchanged}.",
            "",
            "| parameter | from | to | default | searched | |",
            "|---|---|---|---|---|---|",
            *rows,
            "",
        ]
    )


def row(name: str, spec: Parameter) -> str:
    """One parameter as a row of the table."""
    unit = f" {spec.unit}" if spec.unit else ""
    notes = [spec.doc]
    notes += ["log scale"] * (spec.scale == "log") + ["whole numbers"] * spec.integer
    searched = "yes" if spec.tuned else ""
    cells = [f"`{name}`", f"{spec.low:g}{unit}", f"{spec.high:g}{unit}", f"{spec.default:g}{unit}"]
    return f"| {' | '.join([*cells, searched, '; '.join(notes)])} |"


if __name__ == "__main__":
    TARGET.write_text(page(), encoding="utf-8")
