"""`enhance prefer`, with answers given beforehand and asked for."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

import enhance
from enhance.cli import main


@pytest.fixture
def arguments(coffee_file: Path, tmp_path: Path) -> list[str]:
    picture = tmp_path / "two.png"
    given = ["--operator", "contrast", "--seed", "2", "--picture", str(picture)]
    return ["prefer", str(coffee_file), *given]


def test_choices_given_beforehand(
    arguments: list[str], coffee_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    better, recipe = tmp_path / "better.png", tmp_path / "recipe.json"
    files = ["-o", str(better), "--recipe", str(recipe)]
    assert main([*arguments, "--choices", "left,r,same", *files]) == 0
    shown = capsys.readouterr().out
    assert "3 choices between two versions" in shown
    assert f"wrote {better}" in shown
    saved = enhance.Recipe.load(recipe)
    assert f"{saved.settings['contrast']:.3f}" in shown
    with Image.open(better) as image, Image.open(tmp_path / "two.png") as two:
        assert image.size == (128, 96)
        assert two.size == (2 * 128 + 8, 96)


def test_a_session_goes_on_call_by_call(
    arguments: list[str], coffee_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    session, recipe = str(tmp_path / "session.json"), tmp_path / "recipe.json"
    assert main([*arguments, "--choices", "left", "--session", session]) == 0
    assert main([*arguments, "--choices", "same", "--session", session]) == 2
    assert "leave the options out" in capsys.readouterr().err
    go_on = ["prefer", str(coffee_file), "--session", session, "--picture", arguments[-1]]
    assert main([*go_on, "--choices", "same", "--recipe", str(recipe)]) == 0
    assert enhance.Recipe.load(recipe).reason == "2 choices between two versions"


def test_it_asks(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("left\nup\nR\nundo\ns\ndone\n"))
    assert main(arguments) == 0
    shown = capsys.readouterr().out
    assert "1 of 20: left, right, same, undo or done? " in shown
    assert "got 'up'" in shown
    assert "2 choices between two versions" in shown


def test_it_stops_after_the_rounds_asked_for_and_at_the_end_of_input(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for rounds, count in (("2", "2 choices"), ("9", "5 choices")):
        monkeypatch.setattr("sys.stdin", io.StringIO("left\n" * 5))
        assert main([*arguments, "--rounds", rounds]) == 0
        assert f"{count} between two versions" in capsys.readouterr().out


def test_wrong_words_and_targets_are_refused_before_any_work(
    arguments: list[str], coffee_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*arguments, "--choices", "left,up"]) == 2
    assert "must be one of left, right, same, got 'up'" in capsys.readouterr().err
    assert main([*arguments, "--choices", "left,right", "--rounds", "1"]) == 2
    assert "give --rounds, to be asked, or --choices, not both" in capsys.readouterr().err
    before = coffee_file.read_bytes()
    assert main([*arguments[:-1], str(coffee_file), "--choices", "left"]) == 2
    assert coffee_file.read_bytes() == before
