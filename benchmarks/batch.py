"""A batch of photos of mixed kinds: photos a second against workers, and the same whatever happens.

    python -m benchmarks.batch [--write]                            # the speed, on few photos
    python -m benchmarks.batch --check --photos 200 --damaged 10    # killed twice, and on Ray

The check ends with status 1 unless the batch that was killed and resumed, and the one on Ray, have
the table and the files of the one that was not. Its scorer is small and knows nothing, since it is
the batch that is checked: every photo is changed, and none takes long.
"""

from __future__ import annotations

import argparse
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from skimage import data
from tqdm import tqdm

from benchmarks import _pages
from benchmarks._timing import machine
from enhance.batch.journal import NAME
from enhance.testing.folder import Pixels, mixed_folder
from scorers.card import Architecture, ModelCard
from scorers.preprocess import Preprocess
from scorers.scorer import Scorer

PHOTOS = ("astronaut", "chelsea", "coffee", "rocket")
SIZE, CHECK_SIZE = 512, 96
"""Longest side of the photos in px."""
PRICE = 0.04
"""Of one hour of one core, in US dollars: about what clouds ask for on demand in 2026."""
MANY = 10_000_000
QUICKLY = ("--operator", "contrast", "--operator", "laplacian", "--crops", "2", "--no-guards")


def main(given: Sequence[str] | None = None) -> int:
    """Run the benchmark or the check."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=int, default=24)
    parser.add_argument("--damaged", type=int, default=0)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--engines", nargs="+", default=["local", "ray"])
    parser.add_argument("--check", action="store_true")
    _pages.add_options(parser, "batch")
    arguments = parser.parse_args(given)
    if arguments.render:
        _pages.render(arguments.render, page)
        return 0
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        photos = [small(name, CHECK_SIZE if arguments.check else SIZE) for name in PHOTOS]
        count = arguments.photos
        good, bad = mixed_folder(folder / "photos", photos, count=count, damaged=arguments.damaged)
        if arguments.check:
            return check(folder, len(good), bad, max(arguments.workers))
        load = os.getloadavg()[0]
        mixed_folder(folder / "one", photos, count=1, damaged=0)
        rows = [
            speed(folder, engine, workers, count)
            for engine in arguments.engines
            for workers in tqdm(arguments.workers, desc=engine)
        ]
        seconds = processor_seconds(folder, rows, count)
    command = _pages.command("batch", given)
    facts = {"command": command, "machine": machine(), "load": load, "runs": rows}
    facts |= {"processor_seconds": seconds}
    _pages.record("batch", page, facts, write=arguments.write)
    return 0


def small(name: str, size: int) -> Pixels:
    """A photo of scikit-image, made smaller."""
    photo = Image.fromarray(getattr(data, name)())
    photo.thumbnail((size, size))
    return np.asarray(photo)


def speed(folder: Path, engine: str, workers: int, count: int) -> dict[str, object]:
    """Seconds of a batch from start to end, and from its first photo on."""
    output = folder / f"{engine}{workers}"
    before, began = spent(), time.perf_counter()
    with start(folder, output, "--engine", engine, "--workers", str(workers)) as process:
        while done(output) < 1 and process.poll() is None:
            time.sleep(0.02)
        first = time.perf_counter()
    ended = time.perf_counter()
    return {
        "engine": engine,
        "workers": workers,
        "start": first - began,
        "rate": (count - 1) / (ended - first),
        "processor_seconds": spent() - before,
    }


def spent() -> float:
    """Processor seconds of the processes that this one has started and seen end."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def processor_seconds(folder: Path, rows: Sequence[dict[str, object]], count: int) -> float:
    """Of a photo, on one local worker: what `count` of them took more than one alone."""
    before = spent()
    with start(folder, folder / "alone", "--workers", "1", photos="one"):
        pass
    alone = spent() - before
    (whole,) = (r for r in rows if (r["engine"], r["workers"]) == ("local", 1))
    return (float(str(whole["processor_seconds"])) - alone) / (count - 1)


def page(facts: _pages.Facts) -> str:
    """Photos a second, and what `MANY` photos would take and cost."""
    rows, seconds, load = (facts[key] for key in ("runs", "processor_seconds", "load"))
    lines = [
        "| engine | workers | start | photos a second | a worker |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        rate, workers = float(str(row["rate"])), int(str(row["workers"]))
        lines.append(
            f"| {row['engine']} | {workers} | {float(str(row['start'])):.1f} s | {rate:.3f} "
            f"| {rate / workers:.3f} |"
        )
    hours = MANY * seconds / 3600
    cores = facts["machine"]["cores"]
    return "\n".join(
        [
            f"# Photos a second\n\n`{facts['command']}`\n",
            *lines,
            "",
            f"The machine had {cores} cores and, before the first run, a load of {load:.1f}"
            + (": it was in use, and photos a second are fewer than on an idle one." * (load > 0.5))
            + "." * (load <= 0.5),
            "",
            f"A photo of {SIZE} px took {seconds:.1f} s of processor time, whoever else used the "
            f"machine. Ten million of them take {hours:,.0f} core hours: "
            f"{hours / 1000:,.0f} h on 1000 cores, ${hours * PRICE:,.0f} at ${PRICE:g} each.\n",
        ]
    )


def check(folder: Path, good: int, bad: Sequence[str], workers: int) -> int:
    """Whether a batch that is killed twice, and one on Ray, end as one that is left alone."""
    expected = 1 if bad else 0
    quickly = (*QUICKLY, "--scorer", tiny_scorer(folder), "--workers", str(workers))
    whole(folder, "straight", expected, *quickly)
    rows = [line.split(",") for line in (folder / "straight.csv").read_text().splitlines()[1:]]
    failed = {row[0] for row in rows if row[2] == "failed"}
    told = (folder / "straight.err").read_text().splitlines()
    named = {name for name in bad if any(f"/{name}: " in line for line in told)}
    right = len(rows) - len(failed) == good and failed == named == set(bad)
    print(f"{len(rows) - len(failed)} results, {len(named)} named errors, exit status {expected}")
    for share in (1 / 4, 2 / 3):
        with start(folder, folder / "killed", *quickly) as process:
            while done(folder / "killed") < share * good:
                assert process.poll() is None, "it ended before it could be killed"
                time.sleep(0.05)
            process.send_signal(signal.SIGKILL)
        print(f"killed after {done(folder / 'killed')} results")
    straight = contents(folder, "straight")
    for name, options in (("killed", ()), ("ray", ("--engine", "ray"))):
        whole(folder, name, expected, *quickly, *options)
        same = contents(folder, name) == straight
        right = right and same
        print(f"{name}: {'the same files and table' if same else 'OTHER FILES OR TABLE'}")
    return 0 if right else 1


def whole(folder: Path, name: str, status: int, *options: str) -> None:
    """Run a batch to its end, or exit with what it said where it has another status."""
    with start(folder, folder / name, *options) as process:
        found = process.wait()
    if found != status:
        said = (folder / f"{name}.err").read_text().strip()
        sys.exit(f"{name}: exit status {found} instead of {status}: {said}")


def tiny_scorer(folder: Path) -> str:
    """The path of a scorer of random weights."""
    torch.manual_seed(0)
    card = ModelCard(
        "tiny", Architecture("mobilenet_v1", {"width": 0.25}), preprocess=Preprocess(size=64)
    )
    path = folder / "tiny.safetensors"
    Scorer.untrained(card).save(path)
    return str(path)


def start(
    folder: Path, output: Path, *options: str, photos: str = "photos"
) -> subprocess.Popen[bytes]:
    """The command on the folder of photos, with a table and its stderr beside the output folder."""
    code = "import sys; from enhance.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "batch", str(folder / photos), "-o", str(output)]
    command += ["--table", str(output.with_suffix(".csv")), *options]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with output.with_suffix(".err").open("w") as errors:
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors, env=environment)


def done(output: Path) -> int:
    """How many photos the journal has."""
    journal = output / NAME
    return journal.read_bytes().count(b"\n") - 1 if journal.exists() else 0


def contents(folder: Path, name: str) -> dict[str, bytes]:
    """Every file that a batch wrote, and its table."""
    files = sorted(path for path in (folder / name).rglob("*") if path.is_file())
    found = {str(path.relative_to(folder / name)): path.read_bytes() for path in files}
    return found | {"table": (folder / f"{name}.csv").read_bytes()}


if __name__ == "__main__":
    sys.exit(main())
