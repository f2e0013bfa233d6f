"""Train one restorer with each loss, for denoising and for deblurring, and print the table."""

from __future__ import annotations

import argparse
import json
import sys
import time
from functools import partial
from pathlib import Path

import torch

import scorers
from examples.restoration.losses import NAMES
from examples.restoration.measuring import Figures, at_native_size, measure
from examples.restoration.network import parameters, rounded
from examples.restoration.pairs import TASKS, TEST, TRAIN, check_sizes, photos, tiles
from examples.restoration.table import answers, lines
from examples.restoration.training import LARGE, SMALL, Trainer
from scorers.errors import InputError, UnknownNameError, WeightsError

SQUARE = 224
"""Side of the squares that are judged, in px."""


def options() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(
        prog="python -m examples.restoration", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--small", action="store_true", help="minutes of one core")
    parser.add_argument("--device", default="cpu", help="cpu, cuda or cuda:N")
    parser.add_argument("--train", type=Path, metavar="FOLDER", help="photos to learn from")
    parser.add_argument("--test", type=Path, metavar="FOLDER", help="other photos, to be tested on")
    parser.add_argument("--tasks", nargs="+", choices=list(TASKS), default=list(TASKS))
    parser.add_argument("--scorer", default="nima-technical", help="the loss; NAME or PATH")
    parser.add_argument(
        "--held-out", nargs="+", default=["nima-aesthetic"], help="what else judges; NAME or PATH"
    )
    parser.add_argument(
        "--strength", type=float, default=1.0, help="of the second term beside L1's gradient"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write every figure there")
    return parser.parse_args()


def main() -> int:
    """Run the comparison; 2 where it cannot be begun, which is said in one line."""
    given = options()
    try:
        run(given)
    except (InputError, UnknownNameError, WeightsError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def run(given: argparse.Namespace) -> None:
    """Check what is given, train and measure."""
    if given.json:
        with given.json.open("a"):  # a folder that is missing must not show after an hour
            pass
    began = time.perf_counter()
    plan = SMALL if given.small else LARGE
    looks = scorers.load(given.scorer).to(given.device)
    held_out = [scorers.load(name).to(given.device) for name in given.held_out]
    judges = {judge.card.name: at_native_size(judge) for judge in (looks, *held_out)}
    nima, *others = judges
    learn, tested = photos(given.train, TRAIN), photos(given.test, TEST)
    check_sizes(learn, SQUARE, "learned from")
    check_sizes(tested, SQUARE, "tested on")
    at_most = 1 if given.test else 4
    test = [tile.to(given.device) for tile in tiles(tested, SQUARE, at_most=at_most)]
    found: dict[str, dict[str, Figures]] = {}
    for task in given.tasks:
        spoil = TASKS[task]
        trainer = Trainer(learn, spoil, plan, given.device)
        start = trainer.pretrain()
        generator = torch.Generator().manual_seed(9)
        spoilt = [rounded(spoil(tile, generator)) for tile in test]
        results = {"given": measure(lambda photo: photo, spoilt, test, judges)}
        for name in NAMES:
            network = trainer.go_on(start, name, looks, given.strength)
            restore = partial(trainer.restore, network)
            results[name] = measure(restore, spoilt, test, judges)
        found[task] = results
        print(f"\n{task}, {len(test)} squares of {SQUARE} px\n")
        print("\n".join(lines(results, nima, others)))
        print("\n" + "\n".join(f"- {line}" for line in answers(results, nima, others)), flush=True)
        if given.json:  # after each task: a run that is cut short leaves what it found
            weights = {judge.card.name: judge.card.sha256 for judge in (looks, *held_out)}
            record = {"nima": nima, "others": others, "strength": given.strength}
            record |= {"photos": len(test), "weights": weights, "tasks": found}
            given.json.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    minutes = (time.perf_counter() - began) / 60
    busy = time.process_time() / 60
    print(f"\n{parameters(start):,} parameters; {minutes:.1f} minutes, {busy:.1f} of one core")


if __name__ == "__main__":
    sys.exit(main())
