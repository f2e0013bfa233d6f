"""Every example runs and ends in a picture; here on small photos and with a small scorer."""

from __future__ import annotations

import runpy
import shutil
import subprocess
from functools import partial
from pathlib import Path

import pytest
from PIL import Image
from torch import Tensor

import enhance
import scorers
from enhance.operators import registry

EXAMPLES = sorted((Path(__file__).parent.parent / "examples").glob("*.py"))


DOCS = Path(__file__).parent.parent / "docs"


def has_imagemagick() -> bool:
    """Whether its command is here, and not another program of that name."""
    for name in ("magick", "convert"):
        if program := shutil.which(name):
            said = subprocess.run([program, "-version"], capture_output=True, text=True).stdout
            return "ImageMagick" in said
    return False


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_example_ends_in_a_picture(
    example: Path, coffee: Tensor, scorer_file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if example.stem == "black_box_imagemagick" and not has_imagemagick():
        pytest.skip("ImageMagick is not installed")
    small = coffee[0].permute(1, 2, 0).mul(255).round().byte().numpy()
    for name in ("coffee", "rocket"):
        monkeypatch.setattr(f"skimage.data.{name}", lambda: small)
    monkeypatch.setattr(enhance, "tune", partial(enhance.tune, scorer=scorer_file))
    monkeypatch.setattr(scorers, "NIMALoss", partial(scorers.NIMALoss, scorer_file), raising=False)
    monkeypatch.setattr(registry, "_registered", dict(registry._registered))
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(example), run_name="__main__")
    with Image.open(tmp_path / f"{example.stem}.png") as picture:
        assert min(picture.size) >= min(small.shape[:2])


def test_the_gallery_shows_every_example() -> None:
    page = runpy.run_path(str(DOCS / "gallery.py"))["page"]()
    assert page == (DOCS / "gallery.md").read_text(encoding="utf-8"), "run: python docs/gallery.py"
    for example in EXAMPLES:
        with Image.open(DOCS / "pictures" / "gallery" / f"{example.stem}.jpg") as picture:
            assert min(picture.size) > 200
