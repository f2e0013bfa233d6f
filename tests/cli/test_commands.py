"""The commands, run in this process on a small photo with a small untrained scorer."""

from __future__ import annotations

import json
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import enhance
from enhance.cli import main
from enhance.errors import ReadError

COMMANDS = ("tune", "apply", "score", "rank", "operators", "demo")


@pytest.fixture
def photo(coffee_file: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(coffee_file, tmp_path / "photo.png"))


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


def complaint(capsys: pytest.CaptureFixture[str]) -> str:
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("enhance: ")
    return lines[0].removeprefix("enhance: ")


@pytest.mark.parametrize(
    "option",
    ["--output=no/a.png", "--compare=no/a.png", "--recipe=no/a.json", "--report=no/a.html"],
)
def test_what_cannot_be_written_is_refused_before_the_work(
    option: str, photo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(enhance, "tune", None)
    assert main(["tune", str(photo), option]) == 2
    assert complaint(capsys).startswith(f"cannot write {option.partition('=')[2]}: no folder")


def test_a_warning_is_one_line(
    photo: Path,
    scorer_file: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    deep = photo.with_suffix(".avif")
    Image.open(photo).save(deep)
    monkeypatch.setattr("enhance.imaging.heif.avif_bit_depth", lambda path: 10)
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        assert main(["score", str(deep), "--scorer", scorer_file]) == 0
    assert complaint(capsys) == f"{deep}: 10 bits of AVIF are read as 8"


def test_no_argument_shows_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    shown = capsys.readouterr().out
    assert all(command in shown for command in (*COMMANDS, "scorers"))


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    assert f"Example: enhance {command}" in capsys.readouterr().out


def test_version_is_the_installed_one(capsys: pytest.CaptureFixture[str]) -> None:
    from importlib.metadata import version

    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"enhance-tune {version('enhance-tune')}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["tone"], "tone"),
        (["tune"], "PHOTO"),
        (["tune", "p.jpg", "--sed", "1"], "--sed"),
        (["tune", "p.jpg", "--seed", "one"], "--seed"),
        (["tune", "p.jpg", "--crops", "1"], "--crops"),
        (["tune", "p.jpg", "--seed", "-1", "--strategy", "bayesian"], "--seed"),
        (["apply", "recipe.json", "p.jpg"], "--output"),
    ],
)
def test_usage_errors(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert message in complaint(capsys)


def test_operators_lists_every_parameter(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["operators", "--json"]) == 0
    listing = {entry["name"]: entry for entry in json.loads(capsys.readouterr().out)}
    assert sorted(listing) == enhance.list_operators()
    assert listing["laplacian"]["parameters"]["detail"]["low"] == -1
    assert main(["operators"]) == 0
    shown = capsys.readouterr().out
    for entry in listing.values():
        assert entry["summary"] in shown
        assert all(name in shown for name in entry["parameters"])


def test_operators_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["operators", "laplacain"]) == 2
    assert "did you mean 'laplacian'?" in complaint(capsys)


def test_a_tuned_photo_is_what_its_recipe_makes_of_the_original(
    photo: Path, scorer_file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    better, recipe, compared = (tmp_path / name for name in ("b.png", "r.json", "c.png"))
    arguments = ["tune", str(photo), "--scorer", scorer_file, "--no-guards", "--fix", "shadow=0.25"]
    arguments += ["--bound", "detail=1:2", "-o", str(better), "--recipe", str(recipe)]
    assert main([*arguments, "--compare", str(compared), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["settings"]["shadow"] == 0.25
    assert 1 <= told["settings"]["detail"] <= 2
    assert told["gain"] == pytest.approx(told["score"] - told["baseline"])
    assert told["written"] == [str(better), str(recipe), str(compared)]

    assert main(["apply", str(recipe), str(photo), "-o", str(tmp_path / "out")]) == 0
    replayed = tmp_path / "out" / "photo.png"
    assert capsys.readouterr().out == f"{replayed}\n"
    np.testing.assert_array_equal(pixels(replayed), pixels(better))
    assert not np.array_equal(pixels(better), pixels(photo))

    height, width = pixels(photo).shape[:2]
    assert pixels(compared).shape == (height, 2 * width + 8, 3)


def test_tuning_says_what_it_found(
    photo: Path, scorer_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(photo.parent.iterdir())
    assert main(["tune", str(photo), "--scorer", scorer_file, "--strategy", "gradient"]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"{photo}: ")
    assert "95 % interval" in said
    assert "gradient" in said
    assert sorted(photo.parent.iterdir()) == before  # nothing was asked to be written


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--operator", "turbu"], "did you mean 'turbo'?"),
        (["--strategy", "gird"], "did you mean 'grid'?"),
        (["--scorer", "nima-aestetic"], "did you mean 'nima-aesthetic'?"),
        (["--fix", "detial=1"], "did you mean 'detail'?"),
        (["--fix", "detail=7"], "detail must lie in [-1, 5], got 7"),
        (["--fix", "detail=nan"], "detail must lie in [-1, 5], got nan"),
        (["--bound", "detail=2:1"], "detail"),
        (["--bound", "detail"], "--bound must be NAME=LOW:HIGH"),
    ],
)
def test_options_that_break_a_rule(
    arguments: list[str], message: str, photo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tune", str(photo), *arguments]) == 2
    assert message in complaint(capsys)


def test_photos_that_cannot_be_read(
    photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text, short, empty = (tmp_path / name for name in ("notes.jpg", "short.png", "empty.jpg"))
    text.write_text("not a photo")
    short.write_bytes(photo.read_bytes()[:2000])
    empty.touch()
    for path in (tmp_path / "missing.jpg", text, short, empty, tmp_path):
        assert main(["tune", str(path)]) == 2
        assert complaint(capsys).startswith(f"cannot read {path}: ")


def test_the_input_is_never_overwritten(
    photo: Path, scorer_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = photo.read_bytes()
    arguments = [
        "tune",
        str(photo),
        "--scorer",
        scorer_file,
        "--no-guards",
        "--bound",
        "detail=1:2",
    ]
    assert main([*arguments, "-o", str(photo)]) == 2
    assert str(photo) in complaint(capsys)
    assert photo.read_bytes() == before


def test_score_goes_on_after_a_bad_photo(
    photo: Path, scorer_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = photo.with_name("missing.jpg")
    assert main(["score", str(missing), str(photo), "--scorer", scorer_file]) == 1
    captured = capsys.readouterr()
    assert captured.err == f"enhance: cannot read {missing}: no such file\n"
    assert captured.out.splitlines()[0].endswith(str(photo))
    assert main(["score", str(missing), "--scorer", scorer_file]) == 2


def test_score_goes_on_after_a_name_that_no_file_can_have(
    photo: Path, scorer_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    endless = photo.with_name("a" * 300 + ".jpg")
    assert main(["score", str(endless), str(photo), "--scorer", scorer_file]) == 1
    assert capsys.readouterr().out.splitlines()[0].endswith(str(photo))


def test_rank_puts_the_highest_score_first(
    photo: Path, scorer_file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "shoot"
    folder.mkdir()
    for shade in (0, 90, 255):
        Image.new("RGB", (70, 64), (shade, 128, 128)).save(folder / f"{shade}.png")
    shutil.copy(photo, folder)
    assert main(["score", str(folder), "--scorer", scorer_file, "--json"]) == 0
    scores = {row["photo"]: row["score"] for row in json.loads(capsys.readouterr().out)}
    assert main(["rank", str(folder), "--scorer", scorer_file, "--json"]) == 0
    ranked = json.loads(capsys.readouterr().out)
    assert [row["photo"] for row in ranked] == sorted(scores, key=scores.__getitem__, reverse=True)
    assert [row["rank"] for row in ranked] == [1, 2, 3, 4]

    assert main(["rank", str(folder), "--scorer", scorer_file, "--top", "2"]) == 0
    assert [line.split()[-1] for line in capsys.readouterr().out.splitlines()] == [
        row["photo"] for row in ranked[:2]
    ]


def test_apply_refuses_two_photos_of_one_name(
    photo: Path, scorer_file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe, other = tmp_path / "r.json", tmp_path / "other"
    other.mkdir()
    shutil.copy(photo, other)
    assert main(["tune", str(photo), "--scorer", scorer_file, "--recipe", str(recipe)]) == 0
    capsys.readouterr()
    out = tmp_path / "out"
    assert main(["apply", str(recipe), str(photo), str(other), "-o", str(out)]) == 2
    assert "two of the photos have this name" in complaint(capsys)
    assert not out.exists()


def test_apply_refuses_a_picture_as_the_folder_of_several(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe, target = tmp_path / "recipe.json", tmp_path / "both.png"
    enhance.Recipe(("contrast",), {"contrast": 0.2}).save(recipe)
    photos = [tmp_path / "a.png", tmp_path / "b.png"]
    for photo in photos:
        Image.new("RGB", (8, 8)).save(photo)
    assert main(["apply", str(recipe), *map(str, photos), "-o", str(target)]) == 2
    assert "several photos need a folder, got the name of a picture" in capsys.readouterr().err
    assert not target.exists()


def test_apply_names_results_as_batch_does(
    photo: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    written: list[Path] = []
    monkeypatch.setattr(enhance, "apply", lambda given, recipe, output: written.append(output))
    recipe, raw = tmp_path / "r.json", tmp_path / "a.nef"
    enhance.Recipe(("contrast",), {"contrast": 0.2}).save(recipe)
    raw.touch()
    out = tmp_path / "out.v2"  # a folder, whatever its name
    out.mkdir()
    assert main(["apply", str(recipe), str(raw), "-o", str(out)]) == 0
    assert main(["apply", str(recipe), str(raw), str(photo), "-o", str(out)]) == 0
    assert written == [out / "a.nef.jpg", out / "a.nef.jpg", out / "photo.png"]
    assert main(["apply", str(recipe), str(raw), "-o", str(tmp_path / "a.dng")]) == 2
    assert "unknown extension '.dng'" in complaint(capsys)
    assert len(written) == 3


def test_apply_needs_a_recipe(photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["apply", str(photo), str(photo), "-o", "out"]) == 2
    assert str(photo) in complaint(capsys)


def raising(error: BaseException) -> object:
    def tune(*arguments: object, **options: object) -> None:
        raise error

    return tune


def test_an_interrupted_command_ends_quietly(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(enhance, "tune", raising(KeyboardInterrupt()))
    assert main(["tune", "photo.jpg"]) == 130
    assert capsys.readouterr().err == ""


def test_a_message_of_several_lines_becomes_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(enhance, "tune", raising(ReadError("cannot\nread\n it")))
    assert main(["tune", "photo.jpg"]) == 2
    assert complaint(capsys) == "cannot read it"


def test_a_fault_of_ours_is_one_line_unless_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("ENHANCE_TRACEBACK", raising=False)
    monkeypatch.setattr(enhance, "tune", raising(RuntimeError("boom")))
    assert main(["tune", "photo.jpg"]) == 2
    assert complaint(capsys).startswith("RuntimeError: boom (a fault in enhance")
    monkeypatch.setenv("ENHANCE_TRACEBACK", "1")
    with pytest.raises(RuntimeError, match="boom"):
        main(["tune", "photo.jpg"])
