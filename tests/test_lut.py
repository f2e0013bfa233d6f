"""A table of colours does to a photo what the recipe does; and what no table holds is refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageFilter
from torch import Tensor

import enhance
from enhance.cli import main
from enhance.errors import RecipeError, WriteError
from enhance.imaging.files import read
from enhance.lut import export
from enhance.operators import registry
from enhance.operators.base import Parameter
from enhance.operators.blackbox import black_box
from enhance.recipe import Recipe

LOOKS = [
    Recipe(("contrast",), {"contrast": 0.6}),
    Recipe(("saturation",), {"saturation": 0.4}),
    Recipe(("exposure", "white_balance"), {"exposure": 0.7, "temperature": 0.3}),
    Recipe(("highlights",), {"highlights": -0.8, "blacks": 0.3}),
    Recipe(("tone",), {"contrast": 0.3}),  # its Laplacian is at rest
    Recipe(("laplacian",), {"saturation": 0.4}),
]


def read_cube(path: Path) -> tuple[int, np.ndarray]:
    lines = path.read_text().splitlines()
    sizes = [line.split()[1] for line in lines if line.startswith("LUT_3D_SIZE")]
    rows = [line.split() for line in lines if re.match(r"-?\d", line)]
    return int(sizes[0]), np.array(rows, np.float64)


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: "+".join(look.operators))
def test_a_cube_does_what_the_recipe_does(look: Recipe, coffee: Tensor, tmp_path: Path) -> None:
    error = export(look, tmp_path / "look.cube")
    size, table = read_cube(tmp_path / "look.cube")
    assert table.shape == (size**3, 3)
    assert table.min() >= 0
    assert table.max() <= 1
    # Pillow has its own interpolation of tables, at 8 bits
    before = Image.fromarray(coffee[0].permute(1, 2, 0).mul(255).round().byte().numpy())
    filtered = before.filter(ImageFilter.Color3DLUT(size, table.ravel()))
    wanted = enhance.apply(coffee, look)[0].permute(1, 2, 0).numpy() * 255
    away = np.abs(np.asarray(filtered) - wanted)
    assert away.mean() < 1
    assert np.quantile(away, 0.99) < 255 * error.usual + 1.5
    assert away.max() < 255 * error.largest + 1.5
    assert error.usual < 1 / 255


def test_a_hald_picture_is_what_becomes_of_the_identity_one(tmp_path: Path) -> None:
    export(Recipe(("contrast",), {"contrast": 0.0}), tmp_path / "identity.png")
    export(LOOKS[0], tmp_path / "look.png")
    identity, look = read(tmp_path / "identity.png").pixels, read(tmp_path / "look.png").pixels
    assert identity.shape == (1, 3, 512, 512)
    assert identity[0, :, 0, :2].T.tolist() == [[0, 0, 0], pytest.approx([1 / 63, 0, 0], abs=1e-4)]
    assert identity[0, :, -1, -1].tolist() == [1, 1, 1]
    assert (enhance.apply(identity, LOOKS[0]) - look).abs().max() < 1e-4


def test_an_untouched_recipe_changes_nothing(tmp_path: Path) -> None:
    recipe = Recipe(("laplacian",), {"detail": 2.0}, verdict="untouched")
    assert export(recipe, tmp_path / "look.cube").largest < 1e-6
    _, table = read_cube(tmp_path / "look.cube")
    assert np.allclose(table[:3], [[0, 0, 0], [1 / 64, 0, 0], [2 / 64, 0, 0]], atol=1e-6)


def test_nor_does_one_of_an_operator_that_always_changes_something(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "_registered", dict(registry._registered))

    def darker(pixels: np.ndarray, gamma: float) -> np.ndarray:
        return pixels**gamma

    spec = {"gamma": Parameter(1, 3, 2, "")}
    registry.register(black_box(darker, spec, name="always_darker"))
    recipe = Recipe(("always_darker",), {"gamma": 2.0}, verdict="untouched")
    assert export(recipe, tmp_path / "look.cube").largest < 1e-6


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe(("laplacian",), {"detail": 1.0}),
        Recipe(("laplacian",), {"brightness": 0.5}),  # of the base, which is smoothed
        Recipe(("turbo",), {}),
        # the less noise, the more alike must be what they average
        *(Recipe(("nlm",), {"sigma_n": std}) for std in (0.001, 0.003, 0.01, 0.02, 0.05)),
        Recipe(("nlm",), {"sigma_n": 1e-4, "k_h": 0.2, "search": 1}),
        *(Recipe(("bilateral",), {"sigma_n": std, "k_r": 1}) for std in (0.001, 0.01, 0.1)),
        Recipe(("bilateral",), {"sigma_n": 1e-4, "k_r": 1, "sigma_s": 0.5}),
        *(Recipe(("turbo",), {"sigma_n": std, "sigma_s": 1}) for std in (0.0005, 0.01, 0.1)),
        Recipe(("dehaze",), {"dehaze": 0.5}),
        Recipe(("unsharp",), {"amount": 0.5}),
        Recipe(("contrast", "laplacian"), {"contrast": 0.5, "detail": 1.0}),
    ],
    ids=lambda recipe: "+".join([*recipe.operators, *map(str, recipe.settings.values())]),
)
def test_what_looks_at_neighbours_is_refused(recipe: Recipe, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"^a table of colours cannot hold what [a-z+]+ does"):
        export(recipe, tmp_path / "look.cube")
    assert not list(tmp_path.iterdir())


def darker_above(pixels: np.ndarray, amount: float) -> np.ndarray:
    return pixels * np.linspace(1 - amount, 1, len(pixels))[:, None, None]


def smeared_down(pixels: np.ndarray, amount: float) -> np.ndarray:
    return pixels + amount * (np.roll(pixels, 1, axis=0) - pixels)


def smeared_across(pixels: np.ndarray, amount: float) -> np.ndarray:
    return pixels + amount * (np.roll(pixels, 1, axis=1) - pixels)


def stretched(pixels: np.ndarray, amount: float) -> np.ndarray:
    low, high = pixels.min(), pixels.max()
    return pixels + amount * ((pixels - low) / (high - low) - pixels)


def darker_if_wide(pixels: np.ndarray, amount: float) -> np.ndarray:
    return pixels * (1 - amount * pixels.shape[1] / 1e4)


@pytest.mark.parametrize(
    "function",
    [darker_above, smeared_down, smeared_across, stretched, darker_if_wide],
    ids=lambda function: function.__name__,
)
def test_so_is_what_depends_on_the_place_or_the_whole(
    function: Callable[..., np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "_registered", dict(registry._registered))
    name = f"lut_{function.__name__}"
    spec = {"amount": Parameter(0, 1, 0, "share")}
    registry.register(black_box(function, spec, name=name, depth="float", identity={}))
    with pytest.raises(RecipeError, match=f"cannot hold what {name} does with amount=0.5"):
        export(Recipe((name,), {"amount": 0.5}), tmp_path / "look.cube")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a.xmp", "no operator here is computed exactly as Camera Raw, Lightroom or darktable"),
        ("a.pp3", "no operator here is computed exactly as RawTherapee computes its own"),
        ("a.3dl", "a table's extension must be .cube or .png, got '.3dl'"),
    ],
)
def test_other_formats_are_refused_with_a_reason(name: str, message: str) -> None:
    with pytest.raises(WriteError, match=re.escape(f"cannot write {name}: {message}")):
        export(LOOKS[0], name)


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe, cube = tmp_path / "r.json", tmp_path / "look.cube"
    LOOKS[0].save(recipe)
    assert main(["export", str(recipe), str(cube)]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"{cube}  interpolated, 99 of 100 colours are within 0.")
    assert torch.isfinite(torch.from_numpy(read_cube(cube)[1])).all()
    assert "changes no colour" not in said
    Recipe(("contrast",), {}).save(recipe)
    assert main(["export", str(recipe), str(cube)]) == 0
    assert f"{recipe} changes no colour" in capsys.readouterr().out
    Recipe(("turbo",), {}).save(recipe)
    assert main(["export", str(recipe), str(cube)]) == 2
    assert "cannot hold what turbo does" in capsys.readouterr().err
