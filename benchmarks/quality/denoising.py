"""Denoising: which width each method chooses for Turbo, and what that costs in dB."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

import enhance
import scorers
from benchmarks._measures import psnr
from benchmarks._photos import LEVELS
from benchmarks.quality.tasks import Task, base, warmed_up
from enhance.operators.turbo import Turbo
from scorers.evaluation.figure import Figure, average, share

Chooser = Callable[[Tensor], dict[str, float] | None]
"""From a noisy photo to Turbo's settings; None to leave it as it is."""
GRID = Turbo.parameters_spec["sigma_s"].grid or ()


@dataclass(frozen=True)
class Row:
    """One method on one photo: PSNR of the noisy photo, of the result, and of the best width."""

    photo: str
    method: str
    noisy: float
    found: float
    best: float
    sigma_s: float | None
    seconds: float


def choosers(shared: Path) -> dict[str, Chooser]:
    """Every method by the name that the tables give it."""
    published = shared / "weights/idealo_mobilenet_aesthetic.int8.tflite"
    return {
        "default width": lambda noisy: {},
        "ours, default": partial(tuned),
        "ours, gradient": partial(tuned, strategy="gradient"),
        "ours, hybrid": partial(tuned, strategy="hybrid"),
        "ours, grid": partial(tuned, strategy="grid"),
        "raw NIMA, grid": lambda noisy: tuned(
            noisy, scorer=scorers.load(published), strategy="grid", guards=[]
        ),
        "calibrate_denoiser": calibrated,
    }


def tuned(noisy: Tensor, **options: Any) -> dict[str, float] | None:
    """What `enhance.tune` chooses."""
    result = enhance.tune(noisy[0], "turbo", **options)
    return dict(result.settings) if result.verdict == "enhanced" else None


def calibrated(noisy: Tensor) -> dict[str, float]:
    """The width that scikit-image's J-invariance prefers, noise read once as for the others."""
    from skimage.restoration import calibrate_denoiser

    operator = Turbo()
    read = operator.calibrate(noisy, operator.complete({}, like=noisy))
    known = {name: value for name, value in read.items() if name != "sigma_s"}

    def denoise(pixels: np.ndarray, sigma_s: float, channel_axis: int) -> np.ndarray:
        image = torch.from_numpy(pixels).permute(2, 0, 1)[None].float()
        with torch.no_grad():
            return operator(image, sigma_s=sigma_s, **known)[0].permute(1, 2, 0).numpy()

    _, (tried, losses) = calibrate_denoiser(
        noisy[0].permute(1, 2, 0).numpy(),
        denoise,
        {"sigma_s": list(GRID), "channel_axis": [-1]},
        extra_output=True,
    )
    return {"sigma_s": float(tried[int(np.argmin(losses))]["sigma_s"])}


def run(tasks: Iterable[Task], methods: Mapping[str, Chooser]) -> list[Row]:
    """Every method on every photo, beside the best of the grid's widths in hindsight."""
    operator, rows = Turbo(), []
    on_photos = {name: _on_photo(choose) for name, choose in methods.items()}
    for task in warmed_up(tasks, on_photos):
        noisy, clean = task.photo, task.reference
        assert clean is not None
        with torch.no_grad():
            settings = operator.calibrate(noisy, operator.complete({}, like=noisy))
            layers = operator.analyse(noisy, settings)

            def reached(**chosen: float) -> float:
                at = settings | {n: torch.tensor(float(v)) for n, v in chosen.items()}  # noqa: B023
                return psnr(operator.render(layers, at), clean)  # noqa: B023

            before, best = psnr(noisy, clean), max(reached(sigma_s=width) for width in GRID)
        for name, choose in methods.items():
            start = time.perf_counter()
            chosen = choose(noisy)
            seconds = time.perf_counter() - start
            width = None if chosen is None else chosen.get("sigma_s", _default_width())
            with torch.no_grad():
                found = before if chosen is None else reached(**chosen)
            rows.append(Row(task.name, name, before, found, best, width, seconds))
            lost = f"{best - found:.2f} dB lost"
            print(f"{task.name}: {name} {width}, {lost}, {seconds:.1f} s", flush=True)
    return rows


def _default_width() -> float:
    return Turbo.parameters_spec["sigma_s"].default


def _on_photo(choose: Chooser) -> Callable[[Task], object]:
    return lambda task: choose(task.photo)


def kodak_figures(rows: list[Row]) -> dict[str, Figure | float]:
    """dB lost against hindsight, by level of noise and over all."""
    figures: dict[str, Figure | float] = {}
    for level in LEVELS:
        own = [r.best - r.found for r in rows if r.photo.endswith(f"std {level}")]
        figures[f"dB lost, std {level}"] = average(own)
    lost = [r.best - r.found for r in rows]
    figures["dB lost, all"] = average(lost, groups=[base(r.photo) for r in rows])
    figures["worst, dB lost"] = max(lost)
    figures["median seconds"] = float(np.median([r.seconds for r in rows]))
    return figures


def polyu_figures(rows: list[Row]) -> dict[str, Figure | float]:
    """How often real noise was reduced, and by how much; photos of one scene are alike."""
    scenes = [base(r.photo) for r in rows]
    gain = np.array([r.found - r.noisy for r in rows])
    return {
        "closer than noisy": share(gain > 0, groups=scenes),
        "gain, dB": average(gain, groups=scenes),
        "worst gain, dB": float(gain.min()),
        "dB lost against hindsight": average([r.best - r.found for r in rows], groups=scenes),
        "untouched": share([r.sigma_s is None for r in rows], groups=scenes),
        "median seconds": float(np.median([r.seconds for r in rows])),
    }
