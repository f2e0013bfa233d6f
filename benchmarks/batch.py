"""A batch of photos of mixed kinds: photos a second against workers, and the same whatever happens.

    python -m benchmarks.batch                                      # the speed, on few photos
    python -m benchmarks.batch --check --photos 200 --damaged 10    # killed twice, and on Ray

The check ends with status 1 unless the batch that was killed and resumed, and the one on Ray, have
the table and the files of the one that was not.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from skimage import data
from tqdm import tqdm

from benchmarks._timing import machine, write_json
from enhance.batch.journal import NAME
from enhance.testing.folder import mixed_folder

FOLDER = Path("docs/benchmarks")
PHOTOS = ("astronaut", "chelsea", "coffee", "rocket")
PRICE = 0.04
"""Of one hour of one core, in US dollars: about what clouds ask for on demand in 2026."""
MANY = 10_000_000


def main(given: Sequence[str] | None = None) -> int:
    """Run the benchmark or the check."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=int, default=24)
    parser.add_argument("--damaged", type=int, default=0)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--engines", nargs="+", default=["local", "ray"])
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args(given)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        photos = [getattr(data, name)() for name in PHOTOS]
        mixed_folder(folder / "photos", photos, count=arguments.photos, damaged=arguments.damaged)
        if arguments.check:
            return check(folder, arguments.photos, arguments.damaged)
        rows = [
            speed(folder, engine, workers, arguments.photos)
            for engine in arguments.engines
            for workers in tqdm(arguments.workers, desc=engine)
        ]
    table = render_table(rows)
    print(table)
    command = f"python -m benchmarks.batch --photos {arguments.photos}"
    write_json(FOLDER / "batch.json", {"command": command, "machine": machine(), "runs": rows})
    (FOLDER / "batch.md").write_text(f"# Photos a second\n\n`{command}`\n\n{table}\n")
    return 0


def speed(folder: Path, engine: str, workers: int, count: int) -> dict[str, object]:
    """Seconds of a batch from start to end, and from its first photo on."""
    output = folder / f"{engine}{workers}"
    began = time.perf_counter()
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
    }


def render_table(rows: Sequence[dict[str, object]]) -> str:
    """Photos a second, and what `MANY` photos would take and cost."""
    lines = [
        "| engine | workers | start | photos a second | a worker | ten million photos | at "
        f"${PRICE:g} a core hour |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        rate, workers = float(str(row["rate"])), int(str(row["workers"]))
        hours = MANY / rate / 3600
        lines.append(
            f"| {row['engine']} | {workers} | {float(str(row['start'])):.1f} s | {rate:.2f} "
            f"| {rate / workers:.2f} | {hours * workers:,.0f} core hours "
            f"| ${hours * workers * PRICE:,.0f} |"
        )
    return "\n".join(lines)


def check(folder: Path, count: int, damaged: int) -> int:
    """Whether a batch that is killed twice, and one on Ray, end as one that is left alone."""
    expected = 1 if damaged else 0
    with start(folder, folder / "straight") as process:
        assert process.wait() == expected, f"status {process.returncode}"
    for share in (1 / 4, 2 / 3):
        with start(folder, folder / "killed") as process:
            while done(folder / "killed") < share * (count - damaged):
                assert process.poll() is None, "it ended before it could be killed"
                time.sleep(0.05)
            process.send_signal(signal.SIGKILL)
        print(f"killed after {done(folder / 'killed')} of {count}")
    for name, options in (("killed", ()), ("ray", ("--engine", "ray"))):
        with start(folder, folder / name, *options) as process:
            assert process.wait() == expected, f"status {process.returncode}"
    straight = contents(folder, "straight")
    status = 0
    for name in ("killed", "ray"):
        same = contents(folder, name) == straight
        status |= not same
        print(f"{name}: {'the same files and table' if same else 'OTHER FILES OR TABLE'}")
    table = (folder / "straight.csv").read_text().splitlines()[1:]
    failed = sum(",failed," in line for line in table)
    print(f"{len(table)} rows, {failed} failed, exit status {expected}")
    return status | (failed != damaged)


def start(folder: Path, output: Path, *options: str) -> subprocess.Popen[bytes]:
    """The command on the folder of photos, with a table beside the output folder."""
    code = "import sys; from enhance.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "batch", str(folder / "photos"), "-o", str(output)]
    command += ["--table", str(output.with_suffix(".csv")), *options]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    silent = subprocess.DEVNULL
    return subprocess.Popen(command, stdout=silent, stderr=silent, env=environment)


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
