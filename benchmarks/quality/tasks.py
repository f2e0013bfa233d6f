"""The photos: what is given to a method, and what its answer is compared with."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from benchmarks._photos import LEVELS, central, read, scene
from scorers.photos.damage import tone_damage
from scorers.training.rated import load_rated

WARM_UP = 128
"""Side of the square on which a method runs once before it is timed, in px."""


@dataclass(frozen=True)
class Task:
    """One photo to improve.

    Attributes:
        name: of the photo, and of what was done to it.
        photo: ``(1, 3, H, W)`` in [0, 1], what a method is given.
        reference: the photo as it should be; None where nobody knows.
        stored: results of other methods for this photo, as files, by method.
    """

    name: str
    photo: Tensor
    reference: Tensor | None = None
    stored: dict[str, Path] | None = None


def fivek(shared: Path, count: int | None) -> Iterator[Task]:
    """Inputs with expert C's version, and the stored output of the fast local Laplacian filter."""
    folder = shared / "data/fivek_dpe9"
    for path in sorted((folder / "Input").glob("*.png"))[:count]:
        stored = {"FLLF, stored": folder / "FLLF" / path.name}
        yield Task(path.stem, read(path), read(folder / "Label" / path.name), stored)


def recovery(shared: Path, count: int | None, seed: int = 0) -> Iterator[Task]:
    """Good photos from the test split, each damaged and undamaged; the damage saved as 8 bits."""
    good = load_rated(shared / "data/unsplash_biq256/scores.csv", 256).part("test")
    generator = torch.Generator().manual_seed(seed)
    for index in torch.randperm(len(good), generator=generator)[:count]:
        clean = good.batch(index[None])
        damaged = tone_damage(1, generator)(clean).mul(255).round() / 255
        name = Path(good.names[int(index)]).stem
        yield Task(f"{name} damaged", damaged, clean)
        yield Task(f"{name} undamaged", clean, clean)


def low_light(shared: Path, count: int | None) -> Iterator[Task]:
    """Badly lit photos, DICM and LIME, in turn where only some are asked for."""
    folders = [shared / "data/lowlight_dicm", shared / "data/lowlight_lime"]
    files = [[p for p in sorted(f.iterdir()) if p.suffix in (".jpg", ".bmp")] for f in folders]
    if count is not None:
        share = [count - count // 3, count // 3]
        files = [paths[:part] for paths, part in zip(files, share, strict=True)]
    for paths in files:
        for path in paths:
            yield Task(f"{path.parent.name} {path.stem}", read(path))


def kodak(shared: Path, count: int | None, side: int | None) -> Iterator[Task]:
    """Clean photos with white noise of each of the `LEVELS`, clipped and rounded to 8 bits."""
    for seed, path in enumerate(sorted((shared / "data/kodak24").glob("*.png"))[:count]):
        clean = central(read(path), side)
        for level in LEVELS:
            generator = torch.Generator().manual_seed(seed)
            noise = level / 255 * torch.randn(clean.shape, generator=generator)
            noisy = (clean + noise).clamp(0, 1).mul(255).round() / 255
            yield Task(f"{path.stem} std {level}", noisy, clean)


def polyu(shared: Path, count: int | None, side: int | None) -> Iterator[Task]:
    """Real noisy photos, the mean of many shots as reference; evenly chosen where not all."""
    paths = sorted((shared / "data/polyu_real_noise").glob("*_real.JPG"))
    for path in paths[:: max(1, len(paths) // count) if count else 1][:count]:
        clean = path.with_name(path.name.replace("_real", "_mean"))
        yield Task(path.stem, central(read(path), side), central(read(clean), side))


def base(name: str) -> str:
    """The photo that a task's is a version of, or the scene: what is independent of others.

    >>> base("kodim01 std 10"), base("a.b undamaged"), base("Sony_4_200_3200_door_10_real")
    ('kodim01', 'a.b', 'Sony_4_200_3200_door')
    """
    return scene(re.sub(r" (std \d+|damaged|undamaged)$", "", name))


def warmed_up(
    tasks: Iterable[Task], methods: Mapping[str, Callable[[Task], object]]
) -> Iterator[Task]:
    """The tasks, once each method has run on the middle of the first: loading is not timed."""
    given = iter(tasks)
    for task in given:
        reference = None if task.reference is None else central(task.reference, WARM_UP)
        small = replace(task, photo=central(task.photo, WARM_UP), reference=reference)
        for method in methods.values():
            method(small)
        yield task
        break
    yield from given
