"""Denoising beside its peers: ``python -m benchmarks.denoising``.

Kodak24 with white noise of std 10, 20, 30 and 50 (clipped to 8-bit's range): Turbo at its
defaults and at the best of its widths, scikit-image's total variation and fast non-local means
at the best of their strengths, the peers knowing the noise and Turbo reading it. Then the 100
PolyU pairs of real noise, which are for measuring only. ``--write`` records it in
``docs/benchmarks/denoising.json`` and ``.md``; ``--quick`` takes four crops of each. Needs the
photos: set ``ENHANCE_DATA`` to the folder that holds ``data/``.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import torch
from skimage.restoration import denoise_nl_means, denoise_tv_chambolle
from torch import Tensor

from benchmarks import _pages
from benchmarks._measures import psnr
from benchmarks._photos import LEVELS, central, photo_folder, read
from benchmarks._timing import machine
from enhance.operators.turbo import Turbo

WIDTHS = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.5, 7.5, 10.0)  # px
NLM_STRENGTHS = (0.4, 0.6, 0.8, 1.0)  # h over the noise's std, as scikit-image's gallery advises
TV_WEIGHTS = (0.4, 0.6, 0.8, 1.1, 1.5)  # over the noise's std
THREADS = 1  # the peers use one
QUICK = 4

Denoiser = Callable[[Tensor, float], Iterable[Tensor]]
"""From a noisy photo and its noise std (0 where unknown) to one result per strength."""
TURBO = Turbo()


def turbo_default(noisy: Tensor, std: float) -> Iterator[Tensor]:
    """One result: all settings at their default, noise read from the photo."""
    yield TURBO(noisy)


def turbo_widths(noisy: Tensor, std: float) -> Iterator[Tensor]:
    """Noise read once, then every width."""
    settings = TURBO.calibrate(noisy, TURBO.complete({}, like=noisy))
    layers = TURBO.analyse(noisy, settings)
    for width in WIDTHS:
        yield TURBO.render(layers, {**settings, "sigma_s": torch.tensor(width)})


def total_variation(noisy: Tensor, std: float) -> Iterator[Tensor]:
    """Chambolle's, every weight."""
    pixels = noisy[0].permute(1, 2, 0).numpy()
    for weight in TV_WEIGHTS:
        yield _tensor(denoise_tv_chambolle(pixels, weight=weight * std, channel_axis=-1))


def non_local_means(noisy: Tensor, std: float) -> Iterator[Tensor]:
    """The fast form, 5x5 patches within 13x13, every strength."""
    pixels = noisy[0].permute(1, 2, 0).numpy()
    for strength in NLM_STRENGTHS:
        yield _tensor(
            denoise_nl_means(
                pixels,
                patch_size=5,
                patch_distance=6,
                h=strength * std,
                sigma=std,
                fast_mode=True,
                channel_axis=-1,
            )
        )


DENOISERS: dict[str, Denoiser] = {
    "turbo, defaults": turbo_default,
    "turbo, best width": turbo_widths,
    "total variation, best": total_variation,
    "non-local means, best": non_local_means,
}


def _tensor(pixels: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(pixels)).permute(2, 0, 1)[None].float()


def on_white_noise(paths: list[Path], side: int | None) -> dict[str, dict[str, dict[str, float]]]:
    """By level and denoiser: mean PSNR, worst gain over the noisy photo, seconds a result."""
    results = {}
    for level in LEVELS:
        scores: dict[str, list[float]] = {name: [] for name in ("noisy", *DENOISERS)}
        seconds = dict.fromkeys(DENOISERS, 0.0)
        for seed, path in enumerate(paths):
            clean = central(read(path), side)
            generator = torch.Generator().manual_seed(seed)
            noise = level / 255 * torch.randn(clean.shape, generator=generator)
            noisy = (clean + noise).clamp(0, 1)
            scores["noisy"].append(psnr(noisy, clean))
            for name, denoise in DENOISERS.items():
                start = time.process_time()
                outputs = list(denoise(noisy, level / 255))
                seconds[name] += (time.process_time() - start) / len(outputs) / len(paths)
                scores[name].append(max(psnr(output, clean) for output in outputs))
        results[str(level)] = {
            name: {
                "psnr": float(np.mean(values)),
                "worst_gain": float(np.min(np.subtract(values, scores["noisy"]))),
                "seconds": seconds.get(name, 0.0),
            }
            for name, values in scores.items()
        }
    return results


def on_real_noise(paths: list[Path], side: int | None) -> dict[str, dict[str, float]]:
    """PSNR on real pairs: mean, and in how many pairs it is above the noisy photo's."""
    gains: dict[str, list[float]] = {"turbo, defaults": [], "turbo, best width": []}
    before = []
    for path in paths:
        noisy = central(read(path), side)
        clean = central(read(path.with_name(path.name.replace("real.JPG", "mean.JPG"))), side)
        before.append(psnr(noisy, clean))
        for name, values in gains.items():
            best = max(psnr(output, clean) for output in DENOISERS[name](noisy, 0.0))
            values.append(best - before[-1])
    noisy_row = {"psnr": float(np.mean(before)), "pairs": len(paths)}
    return {"noisy": noisy_row} | {
        name: {
            "psnr": float(np.mean(before) + np.mean(values)),
            "better": int(np.sum(np.array(values) > 0)),
            "pairs": len(paths),
            "median_gain": float(np.median(values)),
            "worst_gain": float(np.min(values)),
        }
        for name, values in gains.items()
    }


def report(white: dict[str, dict[str, dict[str, float]]], real: dict[str, dict[str, float]]) -> str:
    """Both tables in Markdown, and what falls short."""
    names = ["noisy", *DENOISERS]
    lines = [f"| noise std | {' | '.join(names)} |", "|---" * (len(names) + 1) + "|"]
    for level, rows in white.items():
        cells = [f"{rows[name]['psnr']:.2f}" for name in names]
        lines.append(f"| {level} | {' | '.join(cells)} |")
    turbo, tv, nlm = (list(DENOISERS)[n] for n in (1, 2, 3))
    lines += ["", "| noise std | Turbo - total variation, dB | Turbo - non-local means, dB |"]
    lines[-1] += " worst photo's gain, dB | Turbo's processor time / non-local means' |"
    lines.append("|---|---|---|---|---|")
    for level, rows in white.items():
        differences = (rows[turbo]["psnr"] - rows[peer]["psnr"] for peer in (tv, nlm))
        cells = [f"{value:+.2f}" for value in differences]
        cells.append(f"{rows[turbo]['worst_gain']:+.2f}")
        cells.append(f"{rows['turbo, defaults']['seconds'] / rows[nlm]['seconds']:.2f}")
        lines.append(f"| {level} | {' | '.join(cells)} |")
    lines += ["", "| real pairs | PSNR, dB | better than noisy | median gain | worst gain |"]
    lines.append("|---|---|---|---|---|")
    for name, row in real.items():
        if name == "noisy":
            lines.append(f"| noisy | {row['psnr']:.2f} | | | |")
        else:
            lines.append(
                f"| {name} | {row['psnr']:.2f} | {row['better']} of {row['pairs']} "
                f"| {row['median_gain']:+.2f} | {row['worst_gain']:+.2f} |"
            )
    return "\n".join(lines)


@torch.no_grad()
def main() -> None:
    """Measure, print, and with ``--write`` record in docs/benchmarks."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="four crops of each")
    parser.add_argument("--side", type=int, help="central squares of this many px; else whole")
    _pages.add_options(parser, "denoising")
    arguments = _pages.parse(parser)
    if arguments.render:
        _pages.render(arguments.render, page)
        return
    folder = photo_folder() / "data"
    kodak = sorted((folder / "kodak24").glob("*.png"))
    real = sorted((folder / "polyu_real_noise").glob("*real.JPG"))
    if not kodak or not real:
        sys.exit(f"{folder} must hold kodak24 and polyu_real_noise")
    torch.set_num_threads(THREADS)
    for denoise in DENOISERS.values():
        list(denoise(torch.rand(1, 3, 256, 256), 0.1))  # what the first call loads is not timed
    side = 256 if arguments.quick else arguments.side
    if arguments.quick:
        kodak, real = kodak[:: len(kodak) // QUICK], real[:: len(real) // QUICK]
    white, pairs = on_white_noise(kodak, side), on_real_noise(real, side)
    facts = {
        "command": _pages.command("denoising"),
        "machine": machine(),
        "photos": "whole" if side is None else f"central squares of {side} px",
        "kodak": len(kodak),
        "white": white,
        "real": pairs,
    }
    _pages.record("denoising", page, facts, write=arguments.write)


def page(facts: _pages.Facts) -> str:
    """The page of what was recorded."""
    return (
        f"# Denoising beside its peers\n\n`{facts['command']}`: PSNR in dB, "
        f"mean of {facts['kodak']} Kodak photos with clipped white noise, then "
        f"{facts['real']['noisy']['pairs']} PolyU pairs of real noise ({facts['photos']}), on one "
        f"thread, Turbo's loops {facts['machine']['loops']}. The peers are "
        f"told the noise's std, Turbo reads it. Best means the best of {len(WIDTHS)} widths, "
        f"{len(TV_WEIGHTS)} weights or {len(NLM_STRENGTHS)} strengths per photo, chosen with the "
        "clean photo at hand; no setting was chosen on the real pairs. Figures and machine are in "
        f"`denoising.json`.\n\n{report(facts['white'], facts['real'])}\n"
    )


if __name__ == "__main__":
    main()
