"""`scorers train` from the outside."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import scorers
from scorers.cli import main

FAST = ["--backbone", "mobilenet_v1:width=0.25,folded", "--size", "32", "--batch", "8"]


def test_train_writes_a_scorer_that_loads(
    rated_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["train", str(rated_folder / "ratings.csv"), "-o", str(tmp_path / "run"), *FAST]
    command += ["--epochs", "1", "--buckets", "1-5", "--name", "mine", "--scale", "1", "10"]
    assert main([*command, "--json"]) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert found["path"] == str(tmp_path / "run" / "mine.safetensors")
    assert any(name.endswith("SRCC") for name in found["measured"])
    assert err == "scorers: 40 photos of ratings, 2 skipped\n"
    assert scorers.load(found["path"]).card.buckets == (1, 2, 3, 4, 5)
    assert main(command) == 0  # goes on from the end, and prints for people
    assert capsys.readouterr().out.endswith("mine.safetensors\n")


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        (["--recipe", "nina"], "unknown recipe 'nina'; did you mean 'nima'?"),
        (["--epochs", "x"], "epochs are whole numbers such as 5,9, got 'x'"),
        (["--epochs", "1,2"], "epochs must be 1 numbers"),
        (["--buckets", "5-1"], "buckets are written LOW-HIGH, such as 1-10, got '5-1'"),
        (["--backbone", "resnet"], "unknown backbone 'resnet'"),
        (["--backbone", "mobilenet_v1:width=wide"], "width must be a number"),
        (["--backbone", "mobilenet_v1_multilevel:levels=[2"], "a list such as [2,13], got '[2'"),
        (["--name", "a/b"], "name must be a file's, with no folder in it, got 'a/b'"),
        (["--device", "mps"], "device must be cpu, cuda or cuda:N, got 'mps'"),
        (["--device", "meta"], "device must be cpu, cuda or cuda:N, got 'meta'"),
        (["--batch", "1"], "a batch must hold 2 photos a process at least with views of 32x32"),
        (["--init", "nobody"], "unknown scorer 'nobody'"),
        (["--test-list", "gone.txt"], "cannot read gone.txt: No such file"),
        (["--photos", "elsewhere"], "none of the 42 photos of ratings can be read"),
    ],
)
def test_errors_are_one_line(
    arguments: list[str],
    rule: str,
    rated_folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    command = ["train", str(rated_folder / "ratings.csv"), "-o", str(tmp_path / "run")]
    assert main([*command, "--size", "32", *arguments]) == 2
    said = capsys.readouterr().err.splitlines()
    (err,) = [line for line in said if "skipped" not in line and "on the scale 1-10" not in line]
    assert rule in err
    assert not (tmp_path / "run" / "scorer.safetensors").exists()
