"""`scorers eval` and `scorers backbones` from the outside."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor

from scorers.backbones import create
from scorers.card import Architecture, ModelCard
from scorers.cli import main
from scorers.errors import InputError
from scorers.evaluation.cost import PAPER, cost, folded_options
from scorers.evaluation.pairs import folder_pairs, pairs
from scorers.evaluation.robustness import jpeg_change, resize_spread, shift_spread
from scorers.photos.resampling import resample
from scorers.preprocess import Preprocess
from scorers.scorer import Scorer


def save(path: Path, pixels: Tensor) -> None:
    array = pixels.mul(255).round().byte().permute(1, 2, 0).numpy()
    Image.fromarray(array).save(path)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``good`` and ``bad`` photos, of which the good are brighter, and ratings that know it."""
    root = tmp_path_factory.mktemp("eval")
    torch.manual_seed(0)
    rows = ["filename,mean,std"]
    for kind, level in (("good", 0.8), ("bad", 0.3)):
        (root / kind).mkdir()
        for i in range(4):
            save(root / kind / f"{i}.png", level + 0.05 * i + 0.02 * torch.randn(3, 34, 40))
            rows.append(f"{kind}/{i}.png,{10 * level + 0.3 * i:.2f},1.5")
    (root / "bad" / "alone.png").write_bytes((root / "bad" / "0.png").read_bytes())
    (root / "ratings.csv").write_text("\n".join(rows) + "\n")
    return root


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    architecture = Architecture("mobilenet_v1", {"width": 0.25, "folded": True})
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    Scorer.untrained(ModelCard("tiny", architecture, Preprocess(size=32))).save(path)
    return path


def brightness(image: Tensor) -> Tensor:
    return image.mean((1, 2, 3))


def test_pairs_are_files_of_one_name(folders: Path) -> None:
    good, bad = folders / "good", folders / "bad"
    assert [(a.name, b.name) for a, b in pairs(good, bad)] == [(f"{i}.png",) * 2 for i in range(4)]
    found = folder_pairs(brightness, good, bad)
    assert found["pair accuracy"].value == 1
    assert found["mean lead"].value == pytest.approx(0.5, abs=0.02)
    assert found["tied pairs"].value == 0
    alike = folder_pairs(lambda photo: torch.ones(1), good, bad)
    assert alike["pair accuracy"].value == alike["tied pairs"].value == 1
    assert folder_pairs(brightness, bad, good)["pair accuracy"].value == 0
    with pytest.raises(InputError, match="no photos in"):
        pairs(good, folders)
    lonely = folders / "lonely"
    lonely.mkdir(exist_ok=True)
    save(lonely / "0.png", torch.rand(3, 8, 8))
    with pytest.raises(InputError, match="must share two file names at least, got 1"):
        pairs(good, lonely)


def test_robustness_is_zero_for_a_score_that_sees_nothing_and_signed_for_one_that_does(
    coffee: Tensor,
) -> None:
    photos = [coffee, coffee.flip(-1)]
    for figure in (
        resize_spread(photos, lambda x: torch.ones(len(x)), 32),
        shift_spread(photos, lambda x: torch.ones(len(x))),
        jpeg_change(photos, lambda x: torch.ones(len(x))),
    ):
        assert (figure.value, figure.low, figure.high, figure.n) == (0, 0, 0, 2)

    def texture(image: Tensor) -> Tensor:
        return image.diff(dim=-1).abs().mean((1, 2, 3))

    nearest, area = (texture(resample(coffee, 32, method)) for method in ("nearest", "area"))
    assert nearest > area
    assert resize_spread(photos, texture, 32).value >= (nearest - area).item() - 1e-6
    assert shift_spread(photos, texture).value > 0
    assert jpeg_change(photos, texture, quality=5).value < 0


def test_eval_prints_the_matrix_pairs_and_sensitivity(
    folders: Path, weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = folders / "other.csv"
    rows = [f"good/{i}.png,{i + 4},1-10" for i in range(4)]
    other.write_text("\n".join(["filename,mean,scale", *rows]))
    copy = tmp_path / weights.name  # of one name: told apart by where they lie
    copy.write_bytes(weights.read_bytes())
    command = ["eval", str(folders / "ratings.csv"), str(other)]
    command += ["--scorer", str(weights), "--scorer", str(copy)]
    command += ["--pairs", str(folders / "good"), str(folders / "bad")]
    command += ["--sensitivity", str(folders / "good")]
    assert main([*command, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found) == {"agreement", "pairs", "sensitivity"}
    assert set(found["agreement"]) == {"ratings", "other"}
    assert found["agreement"]["ratings"]["photos"] == 8
    cells = found["agreement"]["ratings"]["scorers"]
    assert cells["tiny"] == cells[str(copy)]
    assert {"accuracy at 5", "SRCC", "LCC of std", "EMD", "KL", "rho"} <= set(cells["tiny"])
    assert cells["tiny"]["SRCC"]["low"] <= cells["tiny"]["SRCC"]["value"]
    assert "EMD" not in found["agreement"]["other"]["scorers"]["tiny"]
    assert found["pairs"]["tiny"]["pair accuracy"]["n"] == 4
    assert main(command) == 0
    page = capsys.readouterr().out
    assert "ratings, 8 photos (means taken to be on the scale 1-10, since none is stated)" in page
    assert "other, 4 photos; only means are known" in page
    assert "spread over resize methods" in page


def test_eval_goes_on_without_photos_it_cannot_read(
    folders: Path, weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (folders / "ratings.csv").read_text() + "gone.png,5,1.5\n"
    (tmp_path / "more.csv").write_text(text)
    command = ["eval", str(tmp_path / "more.csv"), "--photos", str(folders)]
    assert main([*command, "--scorer", str(weights)]) == 1
    out, err = capsys.readouterr()
    assert "more, 8 photos" in out
    assert err.count("\n") == 1
    assert "gone.png: no such file" in err
    for kind in ("good", "bad"):
        (tmp_path / kind).mkdir()
        for i in range(3):
            save(tmp_path / kind / f"{i}.png", torch.rand(3, 33, 33))
    (tmp_path / "bad" / "1.png").write_text("no photo")
    command = ["eval", "--pairs", str(tmp_path / "good"), str(tmp_path / "bad")]
    assert main([*command, "--scorer", str(weights), "--json"]) == 1
    out, err = capsys.readouterr()
    assert json.loads(out)["pairs"]["tiny"]["pair accuracy"]["n"] == 2
    assert "1.png" in err


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        ([], "name a table, or --pairs, or --sensitivity"),
        (["{root}/ratings.csv", "--part", "exam"], "part must be one of all, train"),
        (["{root}/ratings.csv", "--photos", "a", "--photos", "b"], "once for each table"),
        (["{root}/ratings.csv", "--device", "fast"], "device must be cpu, cuda or cuda:N"),
        (["--sensitivity", "{root}"], "no photos in"),
        (["gone.csv"], "cannot read gone.csv: No such file"),
        (["{root}/ratings.csv", "--cut", "nan"], "cut must be finite, got nan"),
        (["--pairs", "a", "b", "--cut", "5"], "--cut lies on a rating table's scale: name a table"),
    ],
)
def test_eval_errors_are_one_line(
    arguments: list[str],
    rule: str,
    folders: Path,
    weights: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = [argument.format(root=folders) for argument in arguments]
    assert main(["eval", *given, "--scorer", str(weights)]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert rule in err


@pytest.mark.parametrize("name", sorted(PAPER))
def test_parameters_are_those_of_the_papers_table(name: str) -> None:
    """Counted on no device, since VGG16 alone would take half a gigabyte."""
    with torch.device("meta"):
        backbone = create(name, **folded_options(name))
        head = torch.nn.Linear(int(backbone.num_features), 10)  # type: ignore[arg-type]
    count = sum(p.numel() for net in (backbone, head) for p in net.parameters()) / 1e6
    assert count == pytest.approx(PAPER[name][0], rel=0.02)


def test_operations_of_a_backbone_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    narrow = cost(lambda: create("mobilenet_v1", width=0.25), size=64, repeats=2)
    large = cost(lambda: create("mobilenet_v1", width=0.25), size=128, repeats=2)
    head = 2 * 256 * 10 / 1e9
    assert (large.gflops - head) / (narrow.gflops - head) == pytest.approx(4)
    assert narrow.milliseconds > 0
    assert narrow.spread >= 0
    command = ["backbones", "mobilenet_v1:width=0.25", "--size", "64", "--repeats", "2"]
    assert main([*command, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["mobilenet_v1:width=0.25"]
    assert found["gflops"] == pytest.approx(narrow.gflops)
    assert main(command) == 0
    assert "mobilenet_v1:width=0.25" in capsys.readouterr().out
    with pytest.raises(InputError, match="`batch >= 1` and `repeats >= 1`"):
        cost(lambda: create("mobilenet_v1"), repeats=0)
    assert main(["backbones", "mobilenet_v3"]) == 2
    assert "did you mean 'mobilenet_v" in capsys.readouterr().err
