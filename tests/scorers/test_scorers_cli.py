"""The `scorers` command: what it prints, and one line with status 2 for what it cannot do."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image

import scorers
from scorers import zoo
from scorers.cli import main
from scorers.errors import InputError
from scorers.fetch import fetch
from scorers.photos.decode import read_photo
from scorers.scorer import Scorer


@pytest.fixture
def weights(scorer: Scorer, tmp_path: Path) -> Path:
    scorer.save(tmp_path / "mine.safetensors")
    return tmp_path / "mine.safetensors"


def test_list_names_what_is_ready_and_what_can_be_fetched(
    scorer: Scorer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(zoo, "EMBEDDED", tmp_path)
    zoo.embed(scorer, tmp_path)
    assert main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("tiny ")
    assert lines[0].endswith("[Apache-2.0] (ready)")
    assert lines[1].startswith("idealo-aesthetic ")
    assert lines[1].endswith("(not fetched; run: scorers fetch idealo-aesthetic)")
    assert main(["list", "--cards"]) == 0
    assert "# idealo-technical\n" in capsys.readouterr().out


def test_score_prints_mean_and_spread_of_each_photo(
    weights: Path, coffee_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["score", str(coffee_file), str(coffee_file), "--scorer", str(weights)]) == 0
    lines = capsys.readouterr().out.splitlines()
    scorer, image = scorers.load(weights), read_photo(coffee_file)
    expected = f"{scorer(image).item():6.3f} ±{scorer.std(image).item():5.3f}  {coffee_file}"
    assert lines == [expected, expected]


def test_score_goes_on_after_a_bad_photo(
    weights: Path, coffee_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "text.jpg").write_text("no photo")
    short = tmp_path / "short.png"
    short.write_bytes(coffee_file.read_bytes()[:2000])
    photos = [tmp_path / "gone.png", tmp_path / "text.jpg", short, coffee_file]
    assert main(["score", *map(str, photos), "--scorer", str(weights)]) == 1
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 1
    assert [line.split(":")[1].strip() for line in err.splitlines()] == [
        f"cannot read {photo}" for photo in photos[:3]
    ]
    assert main(["score", str(photos[0]), "--scorer", str(weights)]) == 2


def test_photos_are_read_upright_in_three_channels(tmp_path: Path) -> None:
    grey = Image.new("L", (4, 2), 51)
    exif = grey.getexif()
    exif[0x0112] = 6  # turned by a quarter
    grey.save(tmp_path / "grey.jpg", exif=exif)
    pixels = read_photo(tmp_path / "grey.jpg")
    assert pixels.shape == (1, 3, 4, 2)
    torch.testing.assert_close(pixels, torch.full_like(pixels, 0.2))
    with pytest.raises(InputError, match="no such file"):
        read_photo(tmp_path / "gone.jpg")


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        (["fetch", "idealo-aestetic"], "did you mean 'idealo-aesthetic'"),
        (["score", "x.png", "--scorer", "nothing"], "unknown scorer 'nothing'"),
        (["score", "x.png", "--scorer", "idealo-technical"], "run: scorers fetch"),
        (["score"], "PHOTO"),
        (["fetsh", "x"], "No such command 'fetsh'"),
    ],
)
def test_errors_are_one_line_and_status_2(
    arguments: list[str], rule: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert not out
    assert err.startswith("scorers: ")
    assert err.count("\n") == 1
    assert rule in err


def test_fetch_prints_where_the_file_lies(
    scorer: Scorer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the file in the cache already, so that nothing is downloaded."""
    path = zoo.cache_folder() / "idealo-technical.safetensors"
    path.parent.mkdir(parents=True)
    scorer.save(path)
    assert main(["fetch", "idealo-technical"]) == 0
    assert capsys.readouterr().out == f"idealo-technical: {path}\n"
    assert fetch("idealo-technical") == path


def test_the_pages_in_docs_are_the_cards(tmp_path: Path) -> None:
    """To renew them: scorers list --pages docs/models"""
    assert main(["list", "--pages", str(tmp_path / "models")]) == 0
    docs = Path(__file__).parents[2] / "docs" / "models"
    written = {path.name: path.read_text() for path in (tmp_path / "models").glob("*.md")}
    assert {path.name: path.read_text() for path in docs.glob("*.md")} == written
    loaded = scorers.load("nima-technical").card
    assert loaded.measured
    assert written["nima-technical.md"] == loaded.to_markdown()


def test_a_damaged_file_does_not_hide_the_other_scorers(capsys: pytest.CaptureFixture[str]) -> None:
    damaged = zoo.cache_folder() / "idealo-technical.safetensors"
    damaged.parent.mkdir(parents=True)
    damaged.write_bytes(b"not weights")
    main(["list"])
    out, err = capsys.readouterr()
    assert "nima-aesthetic" in out
    assert str(damaged) in err
