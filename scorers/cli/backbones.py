"""`scorers backbones`: what each backbone costs, as in NIMA's Table V."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from typing import Annotated, Any

import typer

from scorers.errors import InputError


def backbones(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME[:OPTION=VALUE,...]]...", help="All of them by default."),
    ] = None,
    size: Annotated[int, typer.Option(min=32, help="Side of a view, in pixels.")] = 224,
    batch: Annotated[int, typer.Option(min=1, help="Views at a time.")] = 1,
    repeats: Annotated[int, typer.Option(min=1, help="Timed runs.")] = 20,
    device: Annotated[str, typer.Option(help="cpu, cuda or cuda:N.")] = "cpu",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print parameters, operations and time of a NIMA on each backbone, beside the paper's.

    Without options a backbone is timed as it is deployed, with batch norm folded away.
    """
    from functools import partial

    from scorers.backbones import BACKBONES, create
    from scorers.evaluation.cost import PAPER, cost, folded_options
    from scorers.evaluation.report import as_json as to_json
    from scorers.evaluation.report import as_table
    from scorers.training.distributed import find_device

    costs = {}
    for given in names or list(BACKBONES):
        name, options = parse_backbone(given)
        costs[given] = cost(
            partial(create, name, **(options or folded_options(name))),
            size=size,
            batch=batch,
            repeats=repeats,
            device=find_device(device),
        )
    if as_json:
        print(to_json({name: asdict(found) for name, found in costs.items()}))
        return
    rows = {}
    for name, found in costs.items():
        published = PAPER.get(name) if size == 224 else None
        rows[name] = {
            "parameters, millions": f"{found.parameters:.2f}",
            "the paper's": f"{published[0]:g}" if published else "",
            "GFLOPs a view": f"{found.gflops:.2f}",
            "the paper's GFLOPs": f"{published[1]:g}" if published else "",
            "ms a view, median": f"{found.milliseconds:.1f}",
            "between quartiles": f"{found.spread:.1f}",
        }
    print(as_table(rows, "backbone"))
    found = next(iter(costs.values()))
    print(
        f"{found.device}, {found.threads} threads, {batch} views of {size}x{size} at a time, "
        f"{repeats} runs; a multiplication and its addition are two operations"
    )


def parse_backbone(text: str) -> tuple[str, dict[str, Any]]:
    """``"mobilenet_v1:width=0.25,folded"`` to a name and options.

    >>> parse_backbone("mobilenet_v1:width=0.25,folded")
    ('mobilenet_v1', {'width': 0.25, 'folded': True})
    >>> parse_backbone("mobilenet_v1_multilevel:levels=[2,13],neck=16")
    ('mobilenet_v1_multilevel', {'levels': [2, 13], 'neck': 16})
    """
    name, _, rest = text.partition(":")
    options: dict[str, Any] = {}
    for part in filter(None, re.split(r",(?![^\[]*\])", rest)):  # not at the commas of a list
        option, equals, value = part.partition("=")
        try:
            options[option] = json.loads(value) if equals else True
        except ValueError as error:
            raise InputError(
                f"{name}: {option} must be a number, true, false or a list such as [2,13], "
                f"got {value!r}"
            ) from error
    return name, options
