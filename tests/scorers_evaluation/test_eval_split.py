"""`scorers eval --part test`: the split that `train` left out, and a word where it is another."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from scorers.cli import main
from scorers.ratings.split import part_of

NAMES = [f"{i}.png" for i in range(40)]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with photos, ratings, a test list that is not the hash's, and a scorer of those."""
    folder = tmp_path_factory.mktemp("split")
    generator = np.random.default_rng(0)
    rows = ["filename,mean,std,scale"]
    for name in NAMES:
        level = generator.uniform(0.1, 0.9)
        pixels = np.clip(level + generator.normal(0, 0.1, (36, 36, 3)), 0, 1) * 255
        Image.fromarray(pixels.astype("uint8")).save(folder / name)
        rows.append(f"{name},{1 + 9 * level:.3f},1.4,1-10")
    (folder / "ratings.csv").write_text("\n".join(rows) + "\n")
    listed = [Path(name).stem for name in NAMES if part_of(name) == "train"][:6]
    (folder / "test.txt").write_text("\n".join(listed))
    command = ["train", str(folder / "ratings.csv"), "-o", str(folder / "run")]
    command += ["--test-list", str(folder / "test.txt"), "--size", "32", "--epochs", "1"]
    assert main([*command, "--backbone", "mobilenet_v1:width=0.25,folded", "--batch", "8"]) == 0
    return folder


def evaluate(folder: Path, *arguments: str) -> int:
    scorer = ["--scorer", str(folder / "run" / "scorer.safetensors")]
    return main(["eval", str(folder / "ratings.csv"), *scorer, *arguments])


def test_the_photos_left_out_are_the_test(
    trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["--part", "test", "--test-list", str(trained / "test.txt"), "--json"]
    assert evaluate(trained, *given) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["agreement"]["ratings"]["photos"] == 6
    assert err == ""


def test_another_split_is_said_in_one_line(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluate(trained, "--part", "test") == 0
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "scorer was trained on photos of this test split of ratings, such as" in err
    assert "--test-list" in err
    assert evaluate(trained) == 0  # all photos, which is no test
    assert capsys.readouterr().err == ""
    other = tmp_path / "others.csv"  # photos of other names, of which nothing is known
    rows = (trained / "ratings.csv").read_text().splitlines()
    other.write_text("\n".join([rows[0], *(f"x{row}" for row in rows[1:])]))
    for name in NAMES:
        shutil.copy(trained / name, tmp_path / f"x{name}")
    scorer = str(trained / "run" / "scorer.safetensors")
    assert main(["eval", str(other), "--scorer", scorer, "--part", "test"]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        (["--test-list", "{root}/test.txt"], "name one with --part, such as --part test"),
        (["--part", "test", "--test-list", "gone.txt"], "cannot read gone.txt: No such file"),
        (
            ["--part", "test", "--test-list", "{root}/test.txt", "--test-list", "{root}/test.txt"],
            "give a test list once for each table or not at all, got 2",
        ),
    ],
)
def test_a_test_list_that_cannot_be_used_is_refused(
    arguments: list[str], rule: str, trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluate(trained, *(argument.format(root=trained) for argument in arguments)) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert rule in err
