"""Rated photos in memory: the numbers of their files, and one line for what cannot be read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from scorers.errors import InputError
from scorers.training.rated import load_rated


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    pixels = np.random.default_rng(0).integers(0, 256, (2, 24, 24, 3), dtype=np.uint8)
    for name, photo in zip("ab", pixels, strict=True):
        Image.fromarray(photo).save(tmp_path / f"{name}.png")
    text = "\ufefffilename,mean,std\na.png,0.3,\n\n b.png ,0.7,\n"
    (tmp_path / "scores.csv").write_text(text, encoding="utf-8")
    return tmp_path


def test_photos_of_the_size_are_kept_as_they_are_and_others_shrunk_once(folder: Path) -> None:
    rated = load_rated(folder / "scores.csv", 24)
    assert rated.names == ["a.png", "b.png"]
    assert torch.equal(rated.means, torch.tensor([0.3, 0.7]))
    for name, pixels in zip(rated.names, rated.pixels, strict=True):
        with Image.open(folder / name) as photo:
            assert np.array_equal(pixels.permute(1, 2, 0), photo)
            small = photo.resize((8, 8), Image.Resampling.LANCZOS)
        shrunk = load_rated(folder / "scores.csv", 8).pixels[rated.names.index(name)]
        assert np.array_equal(shrunk.permute(1, 2, 0), small)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("name,mean\na.png,1\n", "must have a file name under one of filename, got name,mean"),
        ("filename,score\na.png,1\n", "must have a mean under one of mean"),
        ("filename,mean\na.png,good\n", "line 2: needs a number, got 'good'"),
        ("filename,mean\ngone.png,1\n", r"cannot read .*gone\.png: no such file"),
    ],
)
def test_what_cannot_be_read_is_one_line(text: str, rule: str, folder: Path) -> None:
    (folder / "scores.csv").write_text(text)
    with pytest.raises(InputError, match=rule):
        load_rated(folder / "scores.csv", 8)
