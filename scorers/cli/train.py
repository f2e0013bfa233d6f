"""`scorers train`: a scorer from a table of ratings."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Annotated

import typer

from scorers.cli.backbones import parse_backbone
from scorers.errors import InputError


def train(
    table: Annotated[
        Path,
        typer.Argument(
            metavar="TABLE",
            help="AVA.txt, TID2013's folder, a CSV of votes (c1, c2, ...), or one with "
            "filename,mean[,std] or filename,faves,views.",
        ),
    ],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder of the run.")],
    photos: Annotated[Path | None, typer.Option(help="Where the photos lie.")] = None,
    kind: Annotated[
        str | None, typer.Option(help="ava, tid2013, votes or plain; told from the file.")
    ] = None,
    scale: Annotated[
        tuple[float, float] | None, typer.Option(help="Ends of a plain table's scale.")
    ] = None,
    test_list: Annotated[
        Path | None, typer.Option(help="File with the names or ids of the published test split.")
    ] = None,
    name: Annotated[str, typer.Option(help="Of the scorer.")] = "scorer",
    recipe: Annotated[str, typer.Option(help="nima or two-stage.")] = "nima",
    objective: Annotated[str, typer.Option(help="emd, huber, ranking or triplet.")] = "emd",
    backbone: Annotated[
        str | None, typer.Option(metavar="NAME[:OPTION=VALUE,...]", help="See `backbones`.")
    ] = None,
    init: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|PATH", help="A scorer, a TFLite file or a .pth state dict to start from."
        ),
    ] = None,
    buckets: Annotated[
        str | None, typer.Option(metavar="LOW-HIGH", help="Ratings; those of the table.")
    ] = None,
    size: Annotated[int, typer.Option(min=32, help="Side of a view, in pixels.")] = 224,
    epochs: Annotated[
        str | None, typer.Option(metavar="N[,N]", help="Of each stage; the recipe's.")
    ] = None,
    batch: Annotated[int | None, typer.Option(min=1, help="Photos a step; the recipe's.")] = None,
    rate: Annotated[float, typer.Option(help="Factor on the recipe's learning rates.")] = 1.0,
    balanced: Annotated[
        bool | None,
        typer.Option("--balanced/--unbalanced", help="Draw evenly from ten bins of means."),
    ] = None,
    teacher: Annotated[
        str | None, typer.Option(metavar="NAME|PATH", help="A scorer whose opinion is learned too.")
    ] = None,
    teacher_weight: Annotated[float, typer.Option(help="Of the teacher's loss.")] = 1.0,
    seed: Annotated[int, typer.Option(help="Of order, crops, flips and dropout.")] = 0,
    device: Annotated[str | None, typer.Option(help="cpu, cuda or cuda:N.")] = None,
    mixed: Annotated[bool, typer.Option("--mixed", help="Compute in 16 bits where safe.")] = False,
    workers: Annotated[
        int, typer.Option(min=0, help="Processes that decode; 0 keeps decoded photos in memory.")
    ] = 0,
    checkpoint_every: Annotated[int, typer.Option(min=1, help="Steps.")] = 200,
    tensorboard: Annotated[bool, typer.Option("--tensorboard", help="Log for it too.")] = False,
    licence: Annotated[str, typer.Option(help="Of the weights, for the card.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Train a scorer on ratings, and write it with its card to OUT/NAME.safetensors.

    Run again with the same options it goes on from OUT/checkpoint.pt, to the same weights as if
    it had never stopped. For several GPUs, run it under torchrun.
    """
    from tqdm import tqdm

    from scorers.evaluation.report import as_json as to_json
    from scorers.ratings.readers import read_names, read_table
    from scorers.training.distributed import world
    from scorers.training.options import Training
    from scorers.training.session import train_scorer

    ratings = tuple(_range(buckets)) if buckets else ()
    body, options = parse_backbone(backbone) if backbone else (None, {})
    how = Training(
        name=name,
        out=out,
        recipe=recipe,
        objective=objective,
        backbone=body,
        options=options,
        weights=init,
        buckets=ratings,
        size=size,
        epochs=_whole_numbers(epochs) if epochs else (),
        batch=batch,
        rate=rate,
        balanced=balanced,
        teacher=teacher,
        teacher_weight=teacher_weight,
        seed=seed,
        mixed=mixed,
        workers=workers,
        checkpoint_every=checkpoint_every,
        tensorboard=tensorboard,
        licence=licence,
    )
    # a plain table is read straight onto the buckets asked for
    plain = {"buckets": ratings} if ratings else {}
    rated = read_table(table, photos=photos, kind=kind, scale=scale, **plain)
    if test_list:
        rated = rated.with_test_list(read_names(test_list))
    with world(device) as here:
        quiet = not here.first or sys.stderr is None or not sys.stderr.isatty()
        with tqdm(total=len(rated), unit="photo", disable=quiet) as bar:
            bar.set_description("looking")

            def show(done: int, total: int, loss: float) -> None:
                if bar.desc:  # every photo has been looked at
                    bar.set_description(refresh=False)
                    bar.unit = "step"
                    bar.reset(total)
                bar.set_postfix(loss=f"{loss:.4f}", refresh=False)
                bar.update(done - bar.n)

            def say(line: str) -> None:
                if sys.stderr is not None:  # closed, by `2>&-`
                    tqdm.write(f"scorers: {line}", file=sys.stderr)

            scorer = train_scorer(rated, how, here, note=say, tick=show, looked=bar.update)
        if not here.first:
            return
    path = out / f"{name}.safetensors"
    if as_json:
        print(to_json({"path": str(path), "measured": scorer.card.measured}))
        return
    for figure, value in scorer.card.measured.items():
        print(f"{figure}: {value}")
    print(path)


def _range(text: str) -> list[float]:
    ends = re.fullmatch(r"(\d+)-(\d+)", text)
    if not ends or int(ends[1]) >= int(ends[2]):
        raise InputError(f"buckets are written LOW-HIGH, such as 1-10, got {text!r}")
    return [float(rating) for rating in range(int(ends[1]), int(ends[2]) + 1)]


def _whole_numbers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError as error:
        raise InputError(f"epochs are whole numbers such as 5,9, got {text!r}") from error
