"""No command writes over what it reads, nor two results to one file."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from PIL import Image

import enhance
from enhance import batch
from enhance.batch import BatchResult, Row
from enhance.cli import main
from enhance.recipe import Recipe


@pytest.fixture
def photo(coffee_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy in the working folder; whoever begins to work on it has lost."""
    for name in ("tune", "prefer", "apply"):
        monkeypatch.setattr(enhance, name, None)
    monkeypatch.chdir(tmp_path)
    shutil.copy(coffee_file, tmp_path / "a.png")
    return Path("a.png")


def refused(arguments: list[str], path: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"enhance: cannot write {path}: ")
    return line


@pytest.mark.parametrize(
    ("command", "option"),
    [
        ("tune", "--output"),
        ("tune", "--recipe"),
        ("tune", "--storage"),
        ("tune", "--compare"),
        ("prefer", "--output"),
        ("prefer", "--recipe"),
        ("prefer", "--picture"),
        ("prefer", "--session"),
    ],
)
@pytest.mark.parametrize("name", ["a.png", "link.png", "hard.png"])
def test_no_output_takes_the_place_of_the_photo(
    command: str, option: str, name: str, photo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    os.symlink("a.png", "link.png")
    os.link("a.png", "hard.png")
    before = photo.read_bytes()
    assert "it is the input" in refused([command, "./a.png", option, name], name, capsys)
    assert photo.read_bytes() == before


@pytest.mark.parametrize(
    ("command", "first", "second"),
    [
        ("tune", "--output", "--compare"),
        ("tune", "--recipe", "--report"),
        ("prefer", "--output", "--picture"),
        ("prefer", "--recipe", "--session"),
    ],
)
def test_no_two_outputs_are_one_file(
    command: str,
    first: str,
    second: str,
    photo: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    name = "same.html" if second == "--report" else "same.jpg"
    arguments = [command, "a.png", first, name, second, str(tmp_path / name)]
    assert f"both {first} and {second} name it" in refused(arguments, str(tmp_path / name), capsys)


def test_a_table_takes_the_place_of_no_recipe(photo: Path, capsys: pytest.CaptureFixture) -> None:
    line = refused(["batch", ".", "-o", "o", "--table", "o/a.png.json"], "o/a.png.json", capsys)
    assert "both the recipe of a.png and --table name it" in line
    refused(["batch", ".", "-o", "o", "--table", "o/shared.json"], "o/shared.json", capsys)


def test_a_look_takes_the_place_of_no_recipe(photo: Path, capsys: pytest.CaptureFixture) -> None:
    Recipe(("contrast",), {"contrast": 0.5}).save("look.cube")
    assert "it is the input" in refused(["export", "look.cube", "./look.cube"], "look.cube", capsys)


def test_no_result_of_apply_takes_the_place_of_another_photo(
    photo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Recipe(("contrast",), {"contrast": 0.5}).save("r.json")
    Path("in").mkdir()
    for name in ("x.nef", "x.nef.jpg"):
        Path(name).touch()
    shutil.move("x.nef", "in")
    refused(["apply", "r.json", "in/x.nef", "x.nef.jpg", "-o", "."], "x.nef.jpg", capsys)


def test_an_absolute_table_in_a_relative_folder_that_is_yet_to_be_made(
    photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run_batch(folder: Path, output: Path, *arguments: object, **options: object) -> BatchResult:
        output.mkdir()
        return BatchResult([Row("a.png", "a.png", "untouched", "")], 0)

    monkeypatch.setattr(batch, "run_batch", run_batch)
    table = tmp_path / "o" / "r.csv"
    assert main(["batch", ".", "-o", "o", "--table", str(table)]) == 0
    assert table.is_file()


@pytest.mark.parametrize("command", ["tune", "prefer"])
def test_transparency_that_would_be_lost_is_found_before_the_search(
    command: str, photo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.new("RGBA", (20, 20), (9, 9, 9, 9)).save("t.png")
    assert "transparency" in refused([command, "t.png", "-o", "t.jpg"], "t.jpg", capsys)
