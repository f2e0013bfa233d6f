from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import enhance
from enhance.cli import main
from enhance.cli.demo import SCENES, add_noise, darken, psnr


def test_each_scene_leaves_a_photo_a_recipe_and_a_comparison(
    coffee_file: Path,
    scorer_file: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    quick = partial(enhance.tune, scorer=scorer_file, crops=2)
    monkeypatch.setattr(enhance, "tune", quick)
    folder = tmp_path / "demo"
    assert main(["demo", "--photo", str(coffee_file), "-o", str(folder)]) == 0
    said = capsys.readouterr().out
    assert said.count("95 % interval") == 3
    assert said.count("against the photo as it was") == 2
    with Image.open(coffee_file) as photo:
        size = photo.size
    for scene in SCENES:
        with Image.open(folder / f"coffee_{scene.title}.png") as result:
            assert result.size == size
        with Image.open(folder / f"coffee_{scene.title}_before_after.jpg") as both:
            assert both.size == (2 * size[0] + 8, size[1])
        recipe = enhance.Recipe.load(folder / f"coffee_{scene.title}.json")
        assert recipe.operators == (scene.operator,)


def test_a_dark_copy_is_dark_flat_and_pale() -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)
    dark = darken(pixels)
    assert dark.mean() < pixels.mean()
    assert dark.std() < 0.7 * pixels.std()
    assert np.ptp(dark, axis=2).mean() < 0.6 * np.ptp(pixels, axis=2).mean()


def test_noise_has_the_stated_strength_and_is_always_the_same() -> None:
    grey = np.full((100, 100, 3), 128, np.uint8)
    noisy = add_noise(grey)
    assert np.std(noisy.astype(float)) == pytest.approx(20, rel=0.02)
    np.testing.assert_array_equal(noisy, add_noise(grey))


def test_psnr_of_a_known_error() -> None:
    grey = np.full((8, 8, 3), 128, np.uint8)
    assert psnr(grey + 5, grey) == pytest.approx(20 * np.log10(255 / 5))
