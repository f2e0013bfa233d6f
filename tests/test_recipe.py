"""A recipe survives its file exactly, and a wrong one is refused by field and value."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from enhance.errors import EnhanceError, RecipeError, WriteError
from enhance.recipe import Recipe

names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
numbers = st.floats(allow_nan=False, allow_infinity=False)
optional = st.none() | numbers
recipes = st.builds(
    Recipe,
    operators=st.lists(names, min_size=1, max_size=3).map(tuple),
    settings=st.dictionaries(names, numbers, max_size=4),
    verdict=st.sampled_from(["enhanced", "untouched"]),
    reason=st.text(st.characters(codec="utf-8"), max_size=20),
    strategy=st.none() | names,
    seed=st.none() | st.integers(-(2**70), 2**70),
    scorer=st.none() | names,
    scorer_sha256=st.none() | names,
    score=optional,
    baseline=optional,
    gain=optional,
    interval=st.none() | st.tuples(numbers, numbers).map(lambda pair: tuple(sorted(pair))),
    versions=st.dictionaries(names, names, max_size=2),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(recipe=recipes)
def test_a_recipe_comes_back_from_its_file_exactly(recipe: Recipe, tmp_path: Path) -> None:
    path = tmp_path / "photo.json"
    recipe.save(path)
    assert Recipe.load(path) == recipe
    assert Recipe.load(path).to_json() == recipe.to_json()


def test_the_file_does_not_depend_on_the_order_of_settings() -> None:
    versions = {"torch": "2", "enhance-tune": "1"}
    one = Recipe(("a",), {"x": 1.0, "y": 2.0}, versions=versions)
    two = Recipe(("a",), {"y": 2.0, "x": 1.0}, versions=dict(reversed(versions.items())))
    assert one.to_json() == two.to_json()


def test_numbers_of_other_libraries_are_taken() -> None:
    recipe = Recipe(
        ["a"],  # type: ignore[arg-type]
        {"x": np.float32(0.1), "y": torch.tensor(2.5), "z": 1},  # type: ignore[dict-item]
        interval=[np.float64(0.1), 1],  # type: ignore[arg-type]
        gain=np.float32(0.5),  # type: ignore[arg-type]
    )
    assert recipe.operators == ("a",)
    assert recipe.settings == {"x": float(np.float32(0.1)), "y": 2.5, "z": 1.0}
    assert Recipe.from_json(recipe.to_json()) == recipe


def test_whole_numbers_and_intervals_of_other_libraries_are_taken() -> None:
    for seed in (np.int64(3), np.uint8(3), torch.tensor(3)):
        recipe = Recipe(("a",), {}, seed=seed)  # type: ignore[arg-type]
        assert recipe.seed == 3
        assert type(recipe.seed) is int
    for interval in (np.array([0.0, 1.0]), torch.tensor([0.0, 1.0]), (n for n in (0, 1))):
        recipe = Recipe(("a",), {}, interval=interval)  # type: ignore[arg-type]
        assert recipe.interval == (0.0, 1.0)
        assert Recipe.from_json(recipe.to_json()) == recipe


@given(recipe=recipes)
def test_equal_recipes_are_one_in_a_set(recipe: Recipe) -> None:
    assert len({recipe, Recipe.from_json(recipe.to_json())}) == 1


def test_zero_has_no_sign_in_a_set() -> None:
    assert len({Recipe(("a",), {"x": zero}, gain=zero) for zero in (0.0, -0.0)}) == 1


def test_recipes_that_differ_are_two_in_a_set() -> None:
    assert len({Recipe(("a",), {"x": 1.0}), Recipe(("a",), {"x": 2.0})}) == 2


def test_a_recipe_says_what_made_it() -> None:
    assert Recipe(("a",), {}).versions["torch"].startswith(torch.__version__.split("+")[0])
    assert set(Recipe(("a",), {}).versions) == {"enhance-tune", "torch"}


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"operators": []}, "operators must be a list of names, got []"),
    ({"operators": "laplacian"}, "operators must be a list of names, got 'laplacian'"),
    ({"operators": [3]}, "operators must be a list of names, got [3]"),
    ({"settings": [1]}, "settings must map names to numbers, got [1]"),
    ({"settings": {"detail": "high"}}, "settings.detail must be a finite number, got 'high'"),
    ({"settings": {"detail": None}}, "settings.detail must be a finite number, got None"),
    ({"settings": {"detail": True}}, "settings.detail must be a finite number, got True"),
    ({"settings": {"detail": math.inf}}, "settings.detail must be a finite number, got inf"),
    ({"settings": {"detail": 10**400}}, "settings.detail must be a finite number, got 1000"),
    ({"verdict": "better"}, "verdict must be enhanced or untouched, got 'better'"),
    ({"reason": None}, "reason must be a text, got None"),
    ({"strategy": 3}, "strategy must be a text, got 3"),
    ({"scorer_sha256": 3}, "scorer_sha256 must be a text, got 3"),
    ({"seed": 0.5}, "seed must be a whole number, got 0.5"),
    ({"seed": True}, "seed must be a whole number, got True"),
    ({"gain": "much"}, "gain must be a finite number, got 'much'"),
    ({"interval": [1]}, "interval must be two numbers, got [1]"),
    ({"interval": "12"}, "interval must be two numbers, got '12'"),
    ({"interval": {"1": 1, "2": 2}}, "interval must be two numbers, got {'1': 1, '2': 2}"),
    ({"interval": 7}, "interval must be two numbers, got 7"),
    ({"interval": [1, math.nan]}, "interval must be a finite number, got nan"),
    ({"interval": [2, 1]}, "interval must have low <= high, got 2 and 1"),
    ({"versions": {"torch": 2}}, "versions must map names to versions, got {'torch': 2}"),
    ({"format": 2}, "format must be a version from 1 to 1, got 2"),
    ({"format": 0}, "format must be a version from 1 to 1, got 0"),
    ({"format": "1"}, "format must be a version from 1 to 1, got '1'"),
    ({"sharpness": 3}, "unknown field 'sharpness' (known: "),
]


@pytest.mark.parametrize(("change", "message"), WRONG)
def test_a_wrong_field_is_named_with_its_value(
    change: dict[str, Any], message: str, tmp_path: Path
) -> None:
    entries = json.loads(Recipe(("laplacian",), {"detail": 1.0}).to_json()) | change
    path = tmp_path / "photo.json"
    path.write_text(json.dumps(entries))
    with pytest.raises(RecipeError) as caught:
        Recipe.load(path)
    assert str(caught.value).startswith(f"cannot read recipe {path}: {message}")
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, EnhanceError | ValueError)


@pytest.mark.parametrize("field", ["operators", "settings", "format"])
def test_a_missing_field_is_named(field: str) -> None:
    entries = json.loads(Recipe(("laplacian",), {"detail": 1.0}).to_json())
    del entries[field]
    with pytest.raises(RecipeError, match=f"a recipe must have the field '{field}'"):
        Recipe.from_json(json.dumps(entries))


def test_a_newer_format_is_named_before_the_fields_it_may_bring() -> None:
    with pytest.raises(RecipeError, match=r"got 7 \(newer recipes need a newer enhance-tune\)"):
        Recipe.from_json('{"format": 7, "masks": []}')


@given(text=st.text(max_size=40))
def test_any_text_is_a_recipe_or_refused(text: str) -> None:
    with pytest.raises(RecipeError):
        Recipe.from_json(text)


@pytest.mark.parametrize("content", ["", "[]", "3", "{", "[" * 100_000])
def test_what_is_no_recipe(content: str, tmp_path: Path) -> None:
    path = tmp_path / "photo.json"
    path.write_text(content)
    with pytest.raises(RecipeError, match=r"cannot read recipe .*: a recipe must be"):
        Recipe.load(path)


def test_files_that_cannot_be_read_or_written(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"cannot read recipe .*nowhere\.json: no such file"):
        Recipe.load(tmp_path / "nowhere.json")
    with pytest.raises(RecipeError, match="Is a directory"):
        Recipe.load(tmp_path)
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    with pytest.raises(RecipeError, match=r"photo\.jpg: it is not text"):
        Recipe.load(tmp_path / "photo.jpg")
    with pytest.raises(WriteError, match="no folder"):
        Recipe(("a",), {}).save(tmp_path / "no" / "photo.json")
