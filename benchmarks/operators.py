"""Operators beside their peers, forward and backward: ``python -m benchmarks.operators``.

One run on two threads: this package's operators, OpenCV's recursive domain transform and detail
enhancement, kornia's guided blur, at 512x768 and at 12 megapixels. ``--write`` records them in
``docs/benchmarks/operators.json`` and ``.md``; ``--quick`` is a short form.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import torch
from kornia.filters import guided_blur
from torch import Tensor

from benchmarks import _pages
from benchmarks._timing import Timing, machine, measure
from enhance.operators.base import Operator
from enhance.operators.domain_transform import domain_transform
from enhance.operators.laplacian import Laplacian
from enhance.operators.turbo import Turbo

THREADS = 2
SIZES = {"512x768": (512, 768), "12 MP": (3000, 4000)}
QUICK_SIZES = {"512x768": (512, 768)}
OURS = "domain_transform"
PAIRS = {  # ratio: (contestant, peer)
    "RF forward / OpenCV's": (f"{OURS} forward", "cv2.ximgproc.dtFilter"),
    "RF forward+backward / forward": (f"{OURS} forward+backward", f"{OURS} forward"),
    "Laplacian / detailEnhance": ("laplacian forward", "cv2.detailEnhance"),
    "Turbo / guided blur": ("turbo forward", "kornia guided_blur"),
}


def photograph(height: int, width: int) -> Tensor:
    """A real photo, resized: ``(1, 3, H, W)``."""
    from skimage import data

    pixels = cv2.resize(data.coffee(), (width, height), interpolation=cv2.INTER_CUBIC)
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].float().div(255).contiguous()


def contestants(image: Tensor) -> dict[str, Callable[[], object]]:
    """What is timed on one image, by name."""
    floats = np.ascontiguousarray(image[0].permute(1, 2, 0).numpy())
    bytes_ = (floats * 255).round().astype(np.uint8)
    laplacian, turbo = Laplacian(), Turbo()
    tone = {"detail": 1.0, "shadow": 0.2, "brightness": 0.1}
    width = {"sigma_s": 3.0, "sigma_n": 0.05}
    return {
        f"{OURS} forward": lambda: _smooth(image),
        f"{OURS} forward+backward": lambda: _smooth_backward(image),
        "cv2.ximgproc.dtFilter": lambda: cv2.ximgproc.dtFilter(
            floats, floats, 20, 0.3, mode=cv2.ximgproc.DTF_RF, numIters=3
        ),
        "laplacian forward": lambda: _forward(laplacian, image, tone),
        "laplacian forward+backward": lambda: _backward(laplacian, image, tone),
        "turbo forward": lambda: _forward(turbo, image, width),
        "turbo forward+backward": lambda: _backward(turbo, image, width),
        "cv2.detailEnhance": lambda: cv2.detailEnhance(bytes_),
        "kornia guided_blur": lambda: guided_blur(image, image, 9, 0.01),
    }


@torch.no_grad()
def _smooth(image: Tensor) -> Tensor:
    return domain_transform(image)


def _smooth_backward(image: Tensor) -> None:
    pixels, sigma_s = image.clone().requires_grad_(), torch.tensor(20.0, requires_grad=True)
    domain_transform(pixels, None, sigma_s).sum().backward()


@torch.no_grad()
def _forward(operator: Operator[Any], image: Tensor, setting: dict[str, float]) -> Tensor:
    return operator(image, **setting)


def _backward(operator: Operator[Any], image: Tensor, setting: dict[str, float]) -> None:
    """Gradients to the settings, which is what tuning asks for; the image is given."""
    values = {name: torch.tensor(value, requires_grad=True) for name, value in setting.items()}
    operator(image, **values).sum().backward()


def ratios(timings: dict[str, Timing]) -> dict[str, float]:
    """How many times a peer's median each contestant takes."""
    return {name: timings[a].median / timings[b].median for name, (a, b) in PAIRS.items()}


def grid_seconds(rounds: int) -> dict[str, Timing]:
    """All 726 settings of the Laplacian's grid on one analysed 224x224 view."""
    operator = Laplacian()
    layers = operator.analyse(photograph(224, 224))
    detail = operator.parameters_spec["detail"].grid or ()
    nodes = torch.cartesian_prod(
        torch.tensor(detail), torch.linspace(-1, 1, 11), torch.linspace(-1, 1, 11)
    )

    @torch.no_grad()
    def render() -> None:
        for part in nodes.split(66):
            values = dict(zip(("detail", "shadow", "brightness"), part.T, strict=True))
            operator.render(layers, operator.complete(values, like=layers.image))

    return measure({f"laplacian, {len(nodes)} settings at 224x224": render}, rounds=rounds)


def table(results: dict[str, dict[str, Timing]]) -> str:
    """Markdown: one row a contestant and size."""
    lines = ["| what | size | median, s | interquartile range, s |", "|---|---|---|---|"]
    for size, timings in results.items():
        for name, timing in timings.items():
            lines.append(f"| {name} | {size} | {timing.median:.4f} | {timing.iqr:.4f} |")
    return "\n".join(lines)


def main() -> None:
    """Measure, print, and with ``--write`` record in docs/benchmarks."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="small sizes, few rounds")
    _pages.add_options(parser, "operators")
    arguments = _pages.parse(parser)
    if arguments.render:
        _pages.render(arguments.render, page)
        return
    torch.set_num_threads(THREADS)
    cv2.setNumThreads(THREADS)
    sizes = QUICK_SIZES if arguments.quick else SIZES
    results: dict[str, dict[str, Timing]] = {}
    compared: dict[str, dict[str, float]] = {}
    for name, (height, width) in sizes.items():
        rounds = 3 if arguments.quick else 5 if height * width > 10**6 else 15
        results[name] = measure(contestants(photograph(height, width)), rounds=rounds)
        compared[name] = ratios(results[name])
    results["grid"] = grid_seconds(1 if arguments.quick else 5)
    facts = {"command": _pages.command("operators"), "machine": machine()}
    facts |= {"timings": results, "ratios": compared}
    _pages.record("operators", page, facts, write=arguments.write)


def page(facts: _pages.Facts) -> str:
    """The page of what was recorded."""
    known = facts["machine"]
    timings = {
        size: {name: Timing(**timing) for name, timing in found.items()}
        for size, found in facts["timings"].items()
    }
    lines = [
        f"# Operators beside their peers\n\n`{facts['command']}`, one run on {known['threads']} "
        f"threads, loops {known['loops']}; figures and machine in `operators.json`. Turbo "
        "runs two domain transforms; backward is to the settings, for the domain transform "
        "also to the image.\n",
        table(timings),
        "",
        "| ratio | size | value |",
        "|---|---|---|",
    ]
    for size, values in facts["ratios"].items():
        lines += [f"| {name} | {size} | {value:.2f} |" for name, value in values.items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
