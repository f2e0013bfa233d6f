"""`enhance demo`: a real photo tuned with each operator, in numbers and in pictures."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from enhance.cli.console import describe, make_folder
from enhance.errors import MissingExtraError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NOISE_STD = 20
"""Standard deviation, of 255, of the noise that Turbo is given to remove."""


def demo(
    photo: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Your own photo instead of scikit-image's."),
    ] = None,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FOLDER", help="Where the pictures go.")
    ] = Path("demo"),
) -> None:
    """Tune a real photo, print what changed, and write before/after pictures.

    Tone is tuned on the photo as it is and on a dark and flat copy of it, denoising on a noisy
    copy. Without a photo of your own it is a public-domain one that scikit-image ships.
    """
    import enhance
    from enhance.comparison import save_before_after

    make_folder(output)
    name, pixels = _read(photo) if photo is not None else _shipped()
    for scene in SCENES:
        given = scene.spoil(pixels)
        print(f"{name}{scene.told}: tuning {scene.operator}", flush=True)
        started = time.perf_counter()
        result = enhance.tune(given, operator=scene.operator)
        print(describe(result, time.perf_counter() - started))
        if scene.told:
            before, after = psnr(given, pixels), psnr(result.image, pixels)
            print(f"  against the photo as it was: {before:.2f} dB -> {after:.2f} dB")
        path = output / f"{name}_{scene.title}.png"
        result.save(path)
        result.recipe.save(path.with_suffix(".json"))
        compared = path.with_name(f"{path.stem}_before_after.jpg")
        save_before_after(given, result.image, compared)
        print(f"  wrote {path} and {compared.name}\n", flush=True)


@dataclass(frozen=True)
class Scene:
    """What the demo does to the photo, which operator then answers, and how it is told."""

    title: str
    operator: str
    told: str
    spoil: Callable[[NDArray[np.uint8]], NDArray[np.uint8]]


def darken(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """As undeveloped: a stop less light, in linear light, and half the contrast and colour."""
    import torch

    from enhance.imaging.eight_bits import eight_bits
    from scorers.photos.damage import Damage

    amounts = {"exposure": -1.0, "contrast": -0.5, "saturation": -0.5}
    damage = Damage({kind: torch.tensor([amount]) for kind, amount in amounts.items()})
    image = torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255
    return eight_bits(damage(image))


def add_noise(pixels: NDArray[np.uint8], std: float = NOISE_STD) -> NDArray[np.uint8]:
    """Add white Gaussian noise of this standard deviation, in 8-bit levels; always the same."""
    import numpy as np

    noise = np.random.default_rng(0).normal(0, std, pixels.shape)
    return np.clip(np.rint(pixels + noise), 0, 255).astype(np.uint8)


def psnr(image: NDArray[np.uint8], truth: NDArray[np.uint8]) -> float:
    """Peak signal-to-noise ratio of 8-bit images, in dB."""
    import numpy as np

    error = np.mean((image.astype(np.float64) - truth) ** 2)
    return float(10 * np.log10(255**2 / error))


def _read(photo: Path) -> tuple[str, NDArray[np.uint8]]:
    from enhance.imaging.eight_bits import eight_bits
    from enhance.imaging.files import read

    return photo.stem, eight_bits(read(photo).pixels)


def _shipped() -> tuple[str, NDArray[np.uint8]]:
    try:
        from skimage import data
    except ImportError:
        raise MissingExtraError(
            "the demo's photo comes with scikit-image: pip install scikit-image, or name a photo "
            "of yours with --photo"
        ) from None
    return "rocket", data.rocket()


SCENES = (
    Scene("tone", "tone", "", lambda pixels: pixels),
    Scene("dark", "tone", ", dark and flat", darken),
    Scene("noisy", "turbo", f", noise of std {NOISE_STD} added", add_noise),
)
