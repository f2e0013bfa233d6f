"""`enhance operators`: what can be tuned."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from enhance.cli.options import AsJson


def operators(
    name: Annotated[
        str | None, typer.Argument(metavar="[OPERATOR]", help="One operator only.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the operators and their parameters: bounds, default, and what each does."""
    from enhance.operators import registry

    chosen = [
        registry.get(known) for known in ([name] if name is not None else registry.list_operators())
    ]
    if as_json:
        listing = [
            {
                "name": operator.name,
                "summary": operator.summary,
                "parameters": {
                    key: asdict(parameter) for key, parameter in operator.parameters_spec.items()
                },
            }
            for operator in chosen
        ]
        print(json.dumps(listing, indent=2))
        return
    for operator in chosen:
        print(f"{operator.name}  {operator.summary}")
        for key, parameter in operator.parameters_spec.items():
            bounds = f"{parameter.low:g} .. {parameter.high:g} {parameter.unit}".rstrip()
            kind = "tuned" if parameter.tuned else "fixed"
            print(f"  {key:<16} {bounds:<18} {kind} {parameter.default:<6g} {parameter.doc}")
        print()
