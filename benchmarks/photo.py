"""One 12-megapixel photo, from its file to the tuned file: ``python -m benchmarks.photo``.

Every operator and strategy runs in a process of its own, twice: the first run includes what is
loaded on demand, the second does not. Seconds of wall clock and of processor, step by step. The
photo is dark, so that there is something to apply. ``--write`` records it in
``docs/benchmarks/photo.json`` and ``.md``; ``--quick`` takes one megapixel.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import torch

from benchmarks import _pages
from benchmarks._timing import machine
from benchmarks.large import make_photo

STRATEGIES = ("instant", "gradient")
OPERATORS = ("laplacian", "tone")
MEGAPIXELS = 12.0
DARK = 0.3  # of the brightness that it was taken with


def steps(source: Path, target: Path, operator: str, strategy: str) -> dict[str, Any]:
    """Read, tune, apply and write once: ``[wall, processor]`` seconds of each."""
    import enhance
    from enhance.imaging.files import read

    seconds: dict[str, Any] = {}

    def timed(name: str, work: Callable[[], Any]) -> Any:
        wall, processor = time.perf_counter(), time.process_time()
        done = work()
        seconds[name] = [time.perf_counter() - wall, time.process_time() - processor]
        return done

    timed("decode", lambda: read(source))
    timed("decode again", lambda: read(source))
    result = timed("tune", lambda: enhance.tune(source, operator, strategy=strategy))
    # tuning decodes too, which is counted above; what decoding loads is loaded by then
    again = seconds.pop("decode again")
    seconds["tune"] = [t - d for t, d in zip(seconds["tune"], again, strict=True)]
    timed("apply", lambda: result.pixels)
    timed("encode", lambda: result.save(target))
    columns = list(seconds.values())
    seconds["all"] = [sum(column) for column in zip(*columns, strict=True)]
    return {"verdict": result.verdict, "seconds": seconds}


def child(source: str, target: str, operator: str, strategy: str) -> None:
    """What a process of its own does: print both runs as JSON."""
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    runs = [steps(Path(source), Path(target), operator, strategy) for _ in range(2)]
    print(json.dumps({"first": runs[0], "again": runs[1]}))


def imported() -> float:
    """Processor seconds of a process that imports the tuner, with all that it needs, and ends."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", "import enhance.tuning.tune"], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def report(results: Mapping[str, Any]) -> str:
    """A Markdown table of wall and processor seconds."""
    names = ("decode", "tune", "apply", "encode", "all")
    lines = [
        "| operator | strategy | run | verdict | " + " | ".join(names) + " |",
        "|---|---|---|---|" + "---|" * len(names),
    ]
    for pair, found in results.items():
        operator, strategy = pair.split()
        for run in ("first", "again"):
            cells = (found[run]["seconds"][name] for name in names)
            shown = " | ".join(f"{wall:.2f} ({cpu:.2f})" for wall, cpu in cells)
            head = f"| {operator} | {strategy} | {run} | {found[run]['verdict']}"
            lines.append(f"{head} | {shown} |")
    return "\n".join(lines)


def main() -> None:
    """Measure, print, and with ``--write`` record in docs/benchmarks."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="one megapixel")
    _pages.add_options(parser, "photo")
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    arguments = _pages.parse(parser)
    if arguments.child:
        child(*arguments.child)
        return
    if arguments.render:
        _pages.render(arguments.render, page)
        return
    results: dict[str, Any] = {}
    megapixels = 1.0 if arguments.quick else MEGAPIXELS
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "photo.jpg", Path(folder) / "tuned.jpg"
        make_photo(source, megapixels, DARK)
        environment = {**os.environ, "OMP_NUM_THREADS": str(arguments.threads)}
        for pair in product(OPERATORS, STRATEGIES):
            command = [sys.executable, "-m", "benchmarks.photo", "--child"]
            done = subprocess.run(
                [*command, str(source), str(target), *pair],
                stdout=subprocess.PIPE,
                text=True,
                check=True,
                env=environment,
            )
            results[" ".join(pair)] = json.loads(done.stdout.splitlines()[-1])
    facts = {
        "command": _pages.command("photo"),
        "machine": {**machine(), "threads": arguments.threads},
        "megapixels": megapixels,
        "import": imported(),
        "results": results,
    }
    _pages.record("photo", page, facts, write=arguments.write)


def page(facts: _pages.Facts) -> str:
    """The page of what was recorded."""
    count = facts["machine"]["threads"]
    return (
        f"# One photo of {facts['megapixels']:g} megapixels\n\n`{facts['command']}`: a JPEG file "
        f"tuned and written again, on {count} thread{'' if count == 1 else 's'}. "
        "Seconds of wall clock, and of the processor in brackets: the figure to read where "
        "other programs share the machine, as `load` in `photo.json` tells. The first run of a "
        "process loads what it needs on demand (scorers, kornia, Numba's loops), the second has "
        f"it. Importing torch and the tuner comes before: {facts['import']:.1f} s of processor."
        f"\n\n{report(facts['results'])}\n"
    )


if __name__ == "__main__":
    main()
