"""`enhance prefer`, with answers given beforehand and asked for."""

from __future__ import annotations

import io
import json
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
    assert main([*arguments, "--choices", "same", "--session", session]) == 0
    assert "2 choices between two versions" in capsys.readouterr().out
    go_on = ["prefer", str(coffee_file), "--session", session, "--picture", arguments[-1]]
    assert main([*go_on, "--choices", "same", "--recipe", str(recipe)]) == 0
    assert enhance.Recipe.load(recipe).reason == "3 choices between two versions"


def test_a_session_goes_on_with_the_options_that_it_began_with_only(
    coffee_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    session = str(tmp_path / "session.json")
    command = ["prefer", str(coffee_file), "--picture", str(tmp_path / "two.png")]
    command += ["--session", session, "--choices", "left"]
    options = ["--operator", "laplacian", "--fix", "shadow=0.1", "--bound", "detail=0:2"]
    for given in (options, options, []):
        assert main([*command, *given]) == 0
    before = Path(session).read_bytes()
    capsys.readouterr()
    for other, complaint in (
        (["--operator", "tone"], "--operator must be what"),
        (["--fix", "shadow=0.2"], "began with, 0.1, or be left out, got 0.2"),
        (["--fix", "detail=1"], "--fix detail must be what"),
        (["--bound", "detail=0:3"], "began with, (0.0, 2.0), or be left out, got (0.0, 3.0)"),
        (["--bound", "shadow=0:1"], "--bound shadow must be what"),
        (["--seed", "7"], "--seed must be what"),
    ):
        assert main([*command, *other]) == 2
        assert complaint in capsys.readouterr().err
    assert Path(session).read_bytes() == before


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


def test_rounds_are_those_of_this_run(
    arguments: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for count in ("2 choices", "4 choices"):
        monkeypatch.setattr("sys.stdin", io.StringIO("left\n" * 5))
        again = [*arguments, "--rounds", "2", "--session", str(tmp_path / "session.json")]
        assert main(again) == 0
        shown = capsys.readouterr().out
        assert f"{count} between two versions" in shown
        assert "1 of 2: " in shown
        assert "3 of 2: " not in shown


def test_who_cannot_be_asked_is_told_so(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", None)
    assert main(arguments) == 2
    assert "no standard input to answer on: give --choices" in capsys.readouterr().err


def test_the_picture_is_the_commands_own_unless_it_is_named(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    unnamed, others = arguments[:-2], Path("choice.png")
    own = Path(f"{Path(arguments[1]).name}.choice.png")
    others.write_text("mine")
    for _ in range(2):  # for a script it stays, and is in its own way neither time
        assert main([*unnamed, "--choices", "left"]) == 0
        assert own.read_bytes()[1:4] == b"PNG"
    monkeypatch.setattr("sys.stdin", io.StringIO("left\ndone\n"))
    assert main(unnamed) == 0
    assert not own.exists()
    assert others.read_text() == "mine"


def test_an_interruption_leaves_the_session_and_no_picture(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Interrupted(io.StringIO):
        def readline(self, *_: object) -> str:  # type: ignore[override]
            line = super().readline()
            if not line:
                raise KeyboardInterrupt
            return line

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", Interrupted("left\n"))
    assert main([*arguments[:-2], "--session", "session.json"]) == 130
    assert len(json.loads(Path("session.json").read_text())["choices"]) == 1
    assert not list(tmp_path.glob("*.choice.png"))


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
