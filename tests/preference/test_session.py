"""Left or right: sessions on a small photo, with a person who is simulated."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import enhance
from enhance.operators.base import Parameter
from enhance.operators.blackbox import black_box
from enhance.operators.registry import get
from enhance.operators.rendering import render_full
from enhance.preference.perceived import LEAST, perceived_metric
from enhance.tuning.space import Space


def chosen(left: object, right: object) -> dict[str, object]:
    """A choice of contrast, as the file of a session has it."""
    return {"left": {"contrast": left}, "right": {"contrast": right}, "answer": "left"}


START = {"detail": 0.0, "shadow": 0.0, "brightness": 0.0}


@pytest.mark.parametrize(
    ("operator", "hidden"),
    [
        ("laplacian", {"detail": 1.5, "shadow": 0.4, "brightness": -0.4}),
        ("tone", {"contrast": 0.4, "saturation": -0.3, "detail": 1.0, "brightness": 0.4}),
    ],
)
def test_choices_move_the_optimum_to_what_the_person_likes(
    operator: str, hidden: dict[str, float], coffee: Tensor, person: Callable[..., Any]
) -> None:
    # one answer in ten is wrong
    asked = person(operator, hidden)
    session = enhance.prefer(coffee, operator, start={})
    before = asked.distance(session.settings)
    for _ in range(15):
        session.choose(asked.answer(session.pair()))
    assert asked.distance(session.settings) < before / 2
    assert asked.distance(session.result().settings) < before / 2


def test_the_result_replays_as_any_recipe(coffee: Tensor) -> None:
    session = enhance.prefer(
        coffee, "laplacian", start=START, fixed={"shadow": 0.3}, bounds={"detail": (0, 2)}
    )
    pair = session.pair()
    session.choose("right")
    recipe = session.result()
    assert enhance.Recipe.from_json(recipe.to_json()) == recipe
    assert recipe.settings["shadow"] == 0.3
    assert set(pair.left.settings) == {"detail", "brightness"}
    for version in (pair.left, pair.right):
        assert 0 <= version.settings["detail"] <= 2
        shown = render_full(get("laplacian"), coffee, {"shadow": 0.3, **version.settings})
        assert torch.equal(version.pixels, shown)
    expected = render_full(get("laplacian"), coffee, recipe.settings)
    assert torch.equal(enhance.apply(coffee, recipe), expected)


def test_it_starts_where_tuning_ends(coffee: Tensor, scorer_file: str) -> None:
    tuned = enhance.tune(coffee, "contrast", scorer_file)
    session = enhance.prefer(coffee, "contrast", scorer=scorer_file)
    assert session.settings == {name: tuned.settings[name] for name in session.settings}


def test_a_saved_session_goes_on_as_if_never_left(coffee: Tensor, tmp_path: Path) -> None:
    session = enhance.prefer(coffee, "laplacian", start=START, seed=3, fixed={"shadow": 0.1})
    for answer in ("left", "same"):
        session.choose(answer)
    session.save(tmp_path / "session.json")
    again = enhance.prefer(coffee, resume=tmp_path / "session.json")
    assert again.choices == session.choices
    assert again.settings == session.settings
    assert again.pair().left.settings == session.pair().left.settings
    assert again.result() == session.result()


def test_a_choice_can_be_taken_back(coffee: Tensor) -> None:
    session = enhance.prefer(coffee, "contrast", start={})
    session.choose("left")
    settings, asked = session.settings, session.pair().left.settings
    session.choose("right")
    session.undo()
    assert (session.settings, session.pair().left.settings) == (settings, asked)
    session.undo()
    session.undo()  # nothing more to take back
    assert session.settings == session.start


def test_what_cannot_be_resumed_is_said_in_a_line(coffee: Tensor, tmp_path: Path) -> None:
    path = tmp_path / "session.json"
    with pytest.raises(enhance.RecipeError, match="No such file"):
        enhance.prefer(coffee, resume=path)
    enhance.prefer(coffee, "contrast", start={}).save(path)
    with pytest.raises(enhance.RecipeError, match="photo of 128 x 96 px"):
        enhance.prefer(coffee[..., :64], resume=path)
    with pytest.raises(enhance.ParameterError, match="takes everything from its file"):
        enhance.prefer(coffee, "contrast", resume=path)
    with pytest.raises(enhance.RecipeError, match="of another photo of the same size"):
        enhance.prefer(coffee.flip(-1), resume=path)
    entries = json.loads(path.read_text())
    for broken, complaint in (
        ({**entries, "format": 2}, "format must be 1, got 2"),
        ({name: value for name, value in entries.items() if name != "seed"}, "'seed' is missing"),
        ({**entries, "bounds": {"contrast": [0, 99]}}, "contrast must lie in"),
        ({**entries, "choices": [{"left": {}}]}, "right"),
        ({**entries, "choices": {}}, "choices must be a list, got {}"),
        ({**entries, "choices": ["left"]}, "a choice must be a JSON object, got 'left'"),
        ({**entries, "choices": [chosen(0.1, 9)]}, "contrast must lie in"),
        ({**entries, "choices": [chosen("much", 0)]}, "contrast must be a number, got 'much'"),
        ({**entries, "choices": [chosen([0.1, 0.2], 0)]}, "contrast must be one number"),
        ({**entries, "choices": [{**chosen(0, 0), "left": {}}]}, "must be of contrast, got "),
        ({**entries, "choices": [{**chosen(0, 0), "left": 3}]}, "side of a choice must be a JSON"),
        ({**entries, "size": None}, "size must be two whole numbers, got None"),
        ({**entries, "size": [96]}, r"size must be two whole numbers, got \[96\]"),
        ({**entries, "size": [96, "a"]}, "size must be a whole number, got 'a'"),
        ({**entries, "operators": "contrast"}, "operators must be a list of names"),
        ({**entries, "operators": ["contrst"]}, "did you mean 'contrast'"),
        ({**entries, "start": None}, "start must be a JSON object, got None"),
        ({**entries, "sha256": 3}, "sha256 must be a text, got 3"),
        ({**entries, "choices": [{"left": {}, "right": {}, "answer": "up"}]}, "got 'up'"),
        ([], "must be a JSON object"),
    ):
        path.write_text(json.dumps(broken))
        with pytest.raises(enhance.RecipeError, match=complaint):
            enhance.prefer(coffee, resume=path)


def test_a_file_of_before_photos_were_told_apart_is_read(coffee: Tensor, tmp_path: Path) -> None:
    path = tmp_path / "session.json"
    session = enhance.prefer(coffee, "contrast", start={})
    session.choose("left")
    session.save(path)
    entries = json.loads(path.read_text())
    del entries["sha256"]
    path.write_text(json.dumps(entries))
    assert enhance.prefer(coffee, resume=path).choices == session.choices


def test_a_choice_must_be_one_of_three(coffee: Tensor) -> None:
    session = enhance.prefer(coffee, "contrast", start={})
    with pytest.raises(enhance.ParameterError, match="left, right or same, got 'both'"):
        session.choose("both")  # type: ignore[arg-type]
    with pytest.raises(enhance.ParameterError, match="at least one parameter"):
        enhance.prefer(coffee, "contrast", start={}, fixed={"contrast": 0.1})


def test_distance_in_the_metric_is_colour_difference(coffee: Tensor) -> None:
    from kornia.color import rgb_to_lab

    operator = get("laplacian")
    space = Space.of(operator)
    centre = space.defaults()
    spread = 0.05
    metric = perceived_metric(operator, space, coffee, centre, spread)
    for name, away in (("brightness", 0.1), ("shadow", 0.15)):
        step = space.to_unit({**START, name: away}) - centre
        colours = rgb_to_lab(render_full(operator, coffee, {name: away})) - rgb_to_lab(coffee)
        seen = float(colours.square().sum(1).mean().sqrt())
        least = LEAST * float(step.norm()) / spread
        assert (metric @ step).norm() == pytest.approx(math.hypot(seen, least), rel=0.1)


def test_an_operator_that_always_changes_something_can_be_chosen_for(coffee: Tensor) -> None:
    def dark_lover(images: Tensor) -> Tensor:
        return -images.mean((1, 2, 3))

    def brighten(pixels: Any, gain: float) -> Any:
        return pixels * 0.2 + 0.7 + 0.1 * gain

    gain = Parameter(0, 1, 0.5, "share")
    operator = black_box(brighten, {"gain": gain}, name="brighten", depth="float", reach=0)()
    session = enhance.prefer(coffee, operator, scorer=dark_lover)
    assert session.settings == {"gain": 0.5}


def test_what_was_shown_is_what_the_recipe_makes(coffee: Tensor) -> None:
    noise = 0.06 * torch.randn(coffee.shape, generator=torch.Generator().manual_seed(0))
    noisy = (coffee + noise).clamp(0, 1)
    session = enhance.prefer(noisy, ["contrast", "nlm"], start={"contrast": 0.6})
    shown = session.pair().left
    session.start = dict(shown.settings)  # as if the choices had led there
    applied = enhance.apply(noisy, session.result())
    torch.testing.assert_close(applied, shown.pixels, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [({"seed": -1}, "seed must lie in"), ({"start": 3}, "start must be a recipe")],
)
def test_options_that_break_a_rule(coffee: Tensor, options: dict, complaint: str) -> None:
    with pytest.raises(enhance.ParameterError, match=complaint):
        enhance.prefer(coffee, "contrast", **{"start": {}, **options})
    assert enhance.prefer(coffee, "tone", start="soft").start["contrast"] != 0


def test_what_was_fixed_at_its_default_stays_fixed_when_resumed(
    coffee: Tensor, tmp_path: Path
) -> None:
    path = tmp_path / "session.json"
    options = {"fixed": {"detail": 0}, "start": {"shadow": 0.2}}
    session = enhance.prefer(coffee[..., ::8, ::8], "laplacian", **options)
    session.choose("left")
    session.save(path)
    again = enhance.prefer(coffee[..., ::8, ::8], resume=path)
    assert again.settings == session.settings
    assert again.pair().left.settings == session.pair().left.settings
    assert again.result().settings == session.result().settings


def test_bounds_that_leave_one_value_leave_no_choice(coffee: Tensor) -> None:
    with pytest.raises(enhance.ParameterError, match="at least one parameter must vary"):
        enhance.prefer(coffee, "contrast", bounds={"contrast": (0.1, 0.1)}, start={})
