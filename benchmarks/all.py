"""Every recorded measurement, by the command that makes it: ``python -m benchmarks.all``.

python -m benchmarks.all              # run all of them anew; takes hours
python -m benchmarks.all --only tuning_kodak photo
python -m benchmarks.all --list       # print the commands
python -m benchmarks.all --render     # measure nothing: pages anew, from recorded figures
"""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from importlib import import_module

from benchmarks import _pages
from benchmarks._photos import SKIPPED

COMMANDS: Mapping[str, str] = {
    "tuning": "python -m benchmarks.tuning --photo chelsea --write",
    "tuning_kodak": "python -m benchmarks.tuning --folder $ENHANCE_DATA/data/kodak24 "
    "--strategy gradient instant --threads 1 --name tuning_kodak --write",
    "photo": "python -m benchmarks.photo --threads 2 --write",
    "batch": "python -m benchmarks.batch --photos 12 --write",
    "large": "python -m benchmarks.large --megapixels 100 --write",
    "preference": "python -m benchmarks.preference --write",
    "quality": "python -m benchmarks.quality --only fivek --threads 1 --write",
    "quality_recovery": "python -m benchmarks.quality --only recovery --photos 24 --methods input "
    "instant gradient autocontrast CLAHE equalize --threads 1 --write --name quality_recovery",
    "quality_lowlight": "python -m benchmarks.quality --only lowlight --photos 12 --methods "
    "instant gradient autocontrast CLAHE equalize --threads 1 --write --name quality_lowlight",
    "quality_noise": "python -m benchmarks.quality --only kodak --side 256 --photos 12 --methods "
    "default calibrate --write --name quality_noise --threads 1",
    "quality_real": "python -m benchmarks.quality --only polyu --side 256 --photos 100 --methods "
    "default calibrate --name quality_real --write --threads 1",
    "cost": "python -m benchmarks.cost --photos 195 --weights 0.8 --write",
    "prior": "python -m benchmarks.prior --photos 48 --write",
    "witnesses": "python -m benchmarks.witnesses --photos 12 --write",
    "guards": "python -m benchmarks.guards --write",
    "operators": "python -m benchmarks.operators --write",
    "denoising": "python -m benchmarks.denoising --write",
    "scorers": "python -m benchmarks.scorers nima-aesthetic nima-technical --write",
    "levels": "python -m benchmarks.levels --write",
}
"""By the name of the page."""


def main() -> int:
    """Run what is asked for; the first status that is neither 0 nor that of lacking photos."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.all", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=COMMANDS, help="pages; default: all")
    parser.add_argument("--list", action="store_true", help="print the commands")
    parser.add_argument("--render", action="store_true", help="pages anew, from recorded figures")
    arguments = parser.parse_args()
    for name in arguments.only or COMMANDS:
        if arguments.list:
            print(COMMANDS[name])
        elif arguments.render:
            _pages.render(name, page_of(name))
        else:
            print(f"== {COMMANDS[name]}", flush=True)
            status = run(COMMANDS[name])
            if status not in (0, SKIPPED):
                return status
    return 0


def run(command: str) -> int:
    """Run a command with this interpreter; its exit status."""
    if "$ENHANCE_DATA" in command and "ENHANCE_DATA" not in os.environ:
        print("left out: ENHANCE_DATA is not set (docs/benchmarks/index.md)", file=sys.stderr)
        return SKIPPED
    _, *words = map(os.path.expandvars, shlex.split(command))  # a folder's name may have blanks
    return subprocess.run([sys.executable, *words], check=False).returncode


def page_of(name: str) -> _pages.Page:
    """What makes the page of this name from its figures."""
    module = COMMANDS[name].split()[2]
    page: _pages.Page = import_module(f"{module}.page" if "quality" in module else module).page
    return page


if __name__ == "__main__":
    sys.exit(main())
