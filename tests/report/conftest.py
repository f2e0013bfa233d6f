"""Results to report on."""

from __future__ import annotations

from pathlib import Path

import pytest
from torch import Tensor

import enhance
from enhance.batch import Row
from enhance.report.photo import photo_report
from enhance.report.sheet import contact_sheet
from enhance.tuning.guards import Clipping


@pytest.fixture(scope="session")
def enhanced(coffee_file: Path, scorer_file: str) -> enhance.TuneResult:
    """A photo enhanced without guards, by a scorer that has opinions."""
    return enhance.tune(coffee_file, "laplacian", scorer_file, crops=2, guards=[])


@pytest.fixture(scope="session")
def refused(coffee: Tensor) -> enhance.TuneResult:
    """A photo whose best setting a guard refuses, by a scorer that has no opinions."""

    def likes_noise(images: Tensor) -> Tensor:
        return 200 * images.diff(dim=-1).abs().mean((1, 2, 3))

    guards = ["interval", Clipping(limit=-1.0)]
    return enhance.tune(coffee, "laplacian", likes_noise, crops=2, guards=guards)


@pytest.fixture(scope="session")
def rows() -> list[Row]:
    return [
        Row("low.png", "low.png", "enhanced", "fine", {"detail": 0.5}, 5.1, 5.0, 0.1, (0.05, 0.15)),
        Row("same.png", "same.png", "untouched", "no gain", {}, 5.0, 5.0, 0.0, (0.0, 0.0)),
        Row.failed("bad.png", "cannot read bad.png: not an image of a known format"),
        Row("high.png", "high.png", "enhanced", "fine", {"detail": 1.5}, 5.9, 5.0, 0.9, (0.8, 1.0)),
    ]


@pytest.fixture(scope="session")
def folders(
    coffee: Tensor, rows: list[Row], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    """Where the photos of `rows` are, and their results, a little darker."""
    from PIL import Image

    places = []
    for name, gain in (("shoot", 1.0), ("out", 0.7)):
        folder = tmp_path_factory.mktemp(name)
        for row in rows:
            if row.output is not None:
                array = (coffee[0] * gain * 255).round().byte().permute(1, 2, 0).numpy()
                Image.fromarray(array).save(folder / row.photo)
        places.append(folder)
    return places[0], places[1]


@pytest.fixture(scope="session")
def pages(
    enhanced: enhance.TuneResult,
    refused: enhance.TuneResult,
    rows: list[Row],
    folders: tuple[Path, Path],
) -> dict[str, str]:
    """A page of each kind."""
    return {
        "enhanced": photo_report(enhanced),
        "refused": photo_report(refused, "a_name_without_any_break_" * 8 + ".jpg"),
        "sheet": contact_sheet(rows, *folders),
    }
