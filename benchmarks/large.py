"""From 1 to 100 megapixels: ``python -m benchmarks.large --megapixels 100``.

Each size is a process of its own: it replays a recipe on a JPEG file by `enhance.apply`, writes
the result, and tells its seconds, of processor time and by the clock, and its peak resident
memory (``getrusage``). Then, beyond what is measured, windows about the corners of tiles are
rendered again in one piece: how far the photo differs there is the seam. ``--write`` records it in
``docs/benchmarks/large.json`` and ``.md``; ``--quick`` takes 1 and 3 megapixels.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import _pages
from benchmarks._timing import machine

THREADS = 2
ASPECT = 12000 / 8400
SIZES = (1, 2, 5, 12, 25, 50, 100)
SETTINGS: dict[str, dict[str, float]] = {
    "laplacian": {"detail": 1.0, "shadow": 0.2, "brightness": 0.1},
    "tone": {"contrast": 0.2, "vibrance": 0.2, "detail": 1.0, "shadow": 0.2},
    "turbo": {"sigma_s": 3.0},
}
ROUNDS = 3  # of files below `ONCE`, one of larger ones
ONCE = 30e6  # bytes
WINDOW = 64  # pixels on each side of a tile's corner that are compared
FLOAT_BYTES = 12  # of a pixel in three float32 planes


def make_photo(path: Path, megapixels: float, light: float = 1.0) -> None:
    """A JPEG file of a real photo, enlarged, with a little grain so that it has detail.

    A `light` below 1 leaves it dark.
    """
    import numpy as np
    from PIL import Image
    from skimage import data

    width = round(math.sqrt(megapixels * 1e6 * ASPECT))
    height = round(width / ASPECT)
    image = Image.fromarray(data.coffee()).resize((width, height), Image.Resampling.BICUBIC)
    pixels = np.array(image)
    random = np.random.default_rng(0)
    for top in range(0, height, 256):
        strip = pixels[top : top + 256]
        grain = random.normal(0, 3, (*strip.shape[:2], 1)).astype(np.float32)
        pixels[top : top + 256] = (light * (strip + grain)).round().clip(0, 255)
    Image.fromarray(pixels).save(path, quality=92)


def apply_once(source: Path, target: Path, operator: str) -> dict[str, Any]:
    """Replay a recipe and write the result: seconds, and the process's peak memory so far.

    Processor seconds, of all threads, are what other work on the machine hardly changes.
    """
    import torch

    import enhance

    torch.set_num_threads(THREADS)
    recipe = enhance.Recipe((operator,), SETTINGS[operator])
    enhance.apply(torch.rand(3, 64, 64), recipe)  # what is loaded at the first call
    base = _peak()
    clock, processor = [], []
    for _ in range(ROUNDS if source.stat().st_size < ONCE else 1):
        start, begun = time.perf_counter(), time.process_time()
        enhance.apply(source, recipe, output=target)
        clock.append(time.perf_counter() - start)
        processor.append(time.process_time() - begun)
    return {
        "processor": statistics.median(processor),
        "clock": statistics.median(clock),
        "rounds": len(clock),
        "peak": _peak(),
        "before": base,
    }


def seam(source: Path, operator: str) -> dict[str, Any]:
    """Largest difference to a rendering in one piece, about corners of tiles."""
    import torch

    from enhance.imaging.files import read
    from enhance.operators.rendering import render_full, tile_size
    from enhance.operators.resolve import resolve_operator

    torch.set_num_threads(THREADS)
    pixels = read(source).pixels
    extent = (pixels.shape[-2], pixels.shape[-1])
    chosen = resolve_operator((operator,))
    worst, corners = 0.0, 0
    with torch.no_grad():
        tiled = render_full(chosen, pixels, SETTINGS[operator])
        asked = chosen.complete(SETTINGS[operator], like=pixels)
        settings = chosen.calibrate(pixels, asked)
        halo = chosen.halo(extent, settings)
        size, margin = tile_size(halo), 2 * halo + WINDOW
        for row in range(size, extent[0], 2 * size):
            for column in range(size, extent[1], 2 * size):
                top, left = max(0, row - margin), max(0, column - margin)
                window = pixels[..., top : row + margin, left : column + margin]
                whole = chosen(window, extent=extent, **settings)
                near = (
                    slice(max(0, row - WINDOW), row + WINDOW),
                    slice(max(0, column - WINDOW), column + WINDOW),
                )
                inner = tuple(
                    slice(part.start - first, part.stop - first)
                    for part, first in zip(near, (top, left), strict=True)
                )
                difference = (tiled[(..., *near)] - whole[(..., *inner)]).abs().max().item()
                worst, corners = max(worst, difference), corners + 1
    return {"seam": worst, "corners": corners, "tile": size, "halo": halo}


def _peak() -> float:
    """Peak resident memory of this process, in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)


def _child(*arguments: object) -> dict[str, Any]:
    """What another process of this module prints, as JSON."""
    command = [sys.executable, "-m", "benchmarks.large", *map(str, arguments)]
    # threads that wait must sleep: where a processor is shared, spinning would count as work
    environment = {**os.environ, "OMP_NUM_THREADS": str(THREADS), "OMP_WAIT_POLICY": "PASSIVE"}
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def slope(rows: list[dict[str, Any]]) -> float:
    """Exponent of processor time against size: 1 is linear; least squares on logarithms."""
    points = [(math.log(row["megapixels"]), math.log(row["processor"])) for row in rows]
    x, y = (sum(values) / len(points) for values in zip(*points, strict=True))
    return sum((a - x) * (b - y) for a, b in points) / sum((a - x) ** 2 for a, _ in points)


def report(results: dict[str, list[dict[str, Any]]]) -> str:
    """Markdown tables."""
    lines = [
        "| operator | megapixels | processor, s | s / MP | clock, s | peak, GB "
        "| peak / float image | seam |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for operator, rows in results.items():
        for row in rows:
            size, peak = row["megapixels"], row["peak"]
            photo = size * 1e6 * FLOAT_BYTES
            lines.append(
                f"| {operator} | {size:g} | {row['processor']:.2f} | {row['processor'] / size:.3f} "
                f"| {row['clock']:.2f} | {peak / 1e9:.2f} | {(peak - row['before']) / photo:.1f} "
                f"| {row['seam']:.1e} |"
            )
    lines += ["", "| operator | exponent of processor time against size |", "|---|---|"]
    lines += [f"| {name} | {slope(rows):.3f} |" for name, rows in results.items()]
    return "\n".join(lines)


def main() -> None:
    """Measure, print, and with ``--write`` record in docs/benchmarks."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--megapixels", type=float, default=100, help="the largest photo")
    parser.add_argument("--operators", nargs="+", default=list(SETTINGS), choices=SETTINGS)
    parser.add_argument("--quick", action="store_true", help="small sizes")
    _pages.add_options(parser, "large")
    parser.add_argument("--child", nargs="+", help=argparse.SUPPRESS)
    arguments = _pages.parse(parser)
    if arguments.child:
        step, source, *rest = arguments.child
        if step == "make":
            make_photo(Path(source), float(rest[0]))
            print("{}")
        elif step == "apply":
            print(json.dumps(apply_once(Path(source), Path(rest[0]), rest[1])))
        else:
            print(json.dumps(seam(Path(source), rest[0])))
        return
    if arguments.render:
        _pages.render(arguments.render, page)
        return
    sizes = [1, 3] if arguments.quick else [s for s in SIZES if s < arguments.megapixels]
    if not arguments.quick:
        sizes.append(arguments.megapixels)
    results: dict[str, list[dict[str, Any]]] = {name: [] for name in arguments.operators}
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "applied.jpg"
        for size in sizes:
            source = Path(folder) / f"{size:g}.jpg"
            _child("--child", "make", source, size)
            for operator, rows in results.items():
                row = _child("--child", "apply", source, target, operator)
                row |= _child("--child", "seam", source, operator)
                rows.append({"megapixels": size, **row})
                print(f"{operator}, {size:g} MP: {rows[-1]}", file=sys.stderr, flush=True)
    facts = {"command": _pages.command("large"), "machine": {**machine(), "threads": THREADS}}
    _pages.record("large", page, facts | {"results": results}, write=arguments.write)


def page(facts: _pages.Facts) -> str:
    """The page of what was recorded."""
    results = facts["results"]
    largest = max(row["megapixels"] for rows in results.values() for row in rows)
    return (
        f"# From 1 to {largest:g} megapixels\n\n`{facts['command']}` on "
        f"{facts['machine']['threads']} threads: a JPEG file read, worked on in tiles, and written "
        "as JPEG by `enhance.apply`. Each row is a process of its own: "
        f"seconds after a first small photo, median of {ROUNDS} runs but of one for files above "
        f"{ONCE / 1e6:g} MB, of the processor and by the clock of a machine "
        "that was at other work too, peak resident memory of all of it, and, as multiples of the "
        "photo in float32, what it took beyond the libraries. Seam is the largest "
        "difference to a rendering in one piece about corners of tiles, of a range of 1 (a level "
        "of 8 bits is 3.9e-3; 0 where the photo is one tile). Figures and machine are in "
        f"`large.json`.\n\n{report(results)}\n"
    )


if __name__ == "__main__":
    main()
