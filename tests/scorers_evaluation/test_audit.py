"""An audit knows a scorer that sees the damage from one that does not."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor

from scorers.cli import main
from scorers.errors import UnknownNameError
from scorers.evaluation.audit import Audit, Judged, judge_pair
from scorers.evaluation.degradations import DEGRADATIONS, Pair, synthesise
from scorers.evaluation.figure import share
from scorers.scorer import Scorer
from scorers.zoo import load


@pytest.fixture
def scorer(scorer_file: str) -> Scorer:
    return load(scorer_file)


def answers(right: int, wrong: int, slope: float | None = 1.0) -> list[Judged]:
    good = [Judged(f"good{i}", 5.0 + i / 10, 4.0, slope) for i in range(right)]
    return good + [Judged(f"bad{i}", 4.0, 4.5, slope) for i in range(wrong)]


@pytest.mark.parametrize("kind", DEGRADATIONS)
def test_damage_is_worse_drawn_and_repeatable(kind: str, coffee: Tensor, chelsea: Tensor) -> None:
    photos = [("a", coffee), ("b", chelsea)]
    first, second = synthesise(kind, photos)
    assert first.worse.shape == first.better.shape
    assert 5e-3 < (first.worse - first.better).abs().mean() < 0.5
    assert torch.equal(first.worse * 255, (first.worse * 255).round())
    again = next(iter(synthesise(kind, photos)))
    other = next(iter(synthesise(kind, photos, seed=1)))
    assert torch.equal(first.worse, again.worse)
    assert not torch.equal(first.worse, other.worse)
    assert second.name == "b"


def test_an_unknown_damage_is_named() -> None:
    with pytest.raises(UnknownNameError, match="unknown damage 'moir'; did you mean 'moire'"):
        synthesise("moir", [])


def test_the_slope_predicts_the_score_a_little_nearer_to_the_better(
    scorer: Scorer, coffee: Tensor
) -> None:
    scorer = scorer.double()  # its scores differ by less than float32 tells
    (pair,) = synthesise("noise", [("coffee", coffee.double())])
    judged = judge_pair(scorer, pair)
    assert judged.slope is not None
    nearer = scorer(torch.lerp(pair.worse, pair.better, 1e-5)).item()
    assert (nearer - judged.worse) / 1e-5 == pytest.approx(judged.slope, rel=0.05)
    assert judged.better == pytest.approx(scorer(pair.better).item(), abs=1e-9)


def test_pairs_of_two_sizes_have_no_slope(scorer: Scorer, coffee: Tensor) -> None:
    assert judge_pair(scorer, Pair("cut", coffee, coffee[..., :-1])).slope is None


def test_a_share_of_few_is_uncertain_even_if_all_agree() -> None:
    few, many = share([True] * 3), share([True] * 300)
    assert few.low == pytest.approx(0.025 ** (1 / 3))  # the exact bound of 3 in 3
    assert many.low > 0.98
    assert few.high == many.high == 1


def test_figures_count_pairs() -> None:
    found = Audit(answers(6, 2))
    assert found.accuracy.value == 0.75
    assert found.wrong == ["bad0", "bad1"]
    assert found.spread["5 %"] < 0 < found.spread["50 %"]
    assert found.lead.low < found.lead.value < found.lead.high
    assert Audit(answers(6, 2, slope=None)).gradient is None


@pytest.mark.parametrize(
    ("judged", "verdict"),
    [
        (answers(60, 0), "is fit to be a loss against haze, beside"),
        (answers(60, 0, slope=None), "is fit to be a loss"),
        (answers(60, 0, slope=-1.0), r"guard only.*gradient leads there in 0%"),
        (answers(52, 8), r"under a guard only: .* in 87% \[75%, 94%\] of 60 pairs; more pairs"),
        (answers(47, 13), r"under a guard only: .* of 60 pairs\."),
        (answers(35, 25), "is not fit .*as chance might"),
        (answers(3, 0), "may or may not be fit .* 3 pairs, and 3 pairs are too few to tell"),
        (answers(0, 3), "is not fit .*as chance might"),
        (
            [*answers(20, 0), *answers(4, 0, slope=-1.0)],
            r"guard only: it puts .* in 100% \[86%, 100%\] of 24 pairs, but its gradient .* in 83%",
        ),
        (
            [*answers(21, 0), *answers(3, 0, slope=-1.0)],
            r"only: .* 24 pairs, and its gradient leads there in 88% \[68%, 97%\]; more pairs may",
        ),
        (answers(5, 55), r"is not fit .* in 8% \["),
    ],
)
def test_the_sentence_follows_the_figures(judged: list[Judged], verdict: str) -> None:
    sentence = Audit(judged).sentence("mine", "haze")
    assert re.search(verdict, sentence)
    assert sentence.startswith("mine ")
    assert sentence.endswith(".")


def test_who_says_the_same_of_all_is_no_guide() -> None:
    """Ties count as right in pair accuracy, as people define it, and are shown beside it."""
    for slope in (None, 0.0):
        found = Audit([Judged(str(i), 5.0, 5.0, slope) for i in range(60)])
        assert found.accuracy.value == found.tied.value == 1
        assert found.wrong == []
        assert "is not fit to be a loss" in found.sentence("mine", "haze")
        assert "tied pairs" in found.rows()
    nothing = Audit([Judged(str(i), float("nan"), float("nan"), None) for i in range(60)])
    assert nothing.accuracy.value == nothing.tied.value == 0
    assert "is not fit to be a loss" in nothing.sentence("mine", "haze")


def save(path: Path, photo: Tensor) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    array = photo[0].mul(255).round().byte().permute(1, 2, 0).numpy()
    Image.fromarray(array).save(path)


def test_the_command_audits_collected_pairs_and_explains_wrong_ones(
    coffee: Tensor, scorer_file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("captum")
    judge = load(scorer_file)
    for i in range(3):
        photo = coffee[..., i * 8 :, :64]
        worse, better = sorted([photo, photo * 0.4], key=lambda x: judge(x).item())
        save(tmp_path / "right" / "better" / f"{i}.png", better)
        save(tmp_path / "right" / "dark" / f"{i}.png", worse)
        # the same photos the wrong way round: the scorer fails on every one
        save(tmp_path / "wrong" / "better" / f"{i}.png", worse)
        save(tmp_path / "wrong" / "dark" / f"{i}.png", better)
    arguments = ["--scorer", scorer_file, "-o", str(tmp_path / "out")]
    assert main(["audit", "--pairs", str(tmp_path), *arguments]) == 2
    assert "must hold a folder `better`" in capsys.readouterr().err
    assert main(["audit", "--pairs", str(tmp_path / "right"), *arguments]) == 0
    said = capsys.readouterr().out
    assert "| pair accuracy" in said
    assert "1.000 [0.292, 1.000]" in said
    assert not (tmp_path / "out").exists()
    arguments += ["--method", "grad-cam", "--explain", "2", "--json"]
    assert main(["audit", "--pairs", str(tmp_path / "wrong"), *arguments]) == 0
    report = json.loads(capsys.readouterr().out)["dark"]
    assert report["figures"]["tiny"]["pair accuracy"]["value"] == 0
    assert report["wrong"]["tiny"] == ["0", "1", "2"]
    assert "tiny is not fit" in report["sentences"][0]
    assert "alike" in report["figures"]["tiny"]["on the border, wrong pairs"]
    with Image.open(tmp_path / "out" / "dark-tiny.png") as figure:
        assert figure.height > 3 * 64  # two pairs, and where it looks on average


def test_the_command_synthesises_damage(
    coffee: Tensor, scorer_file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for i in range(2):
        save(tmp_path / "photos" / f"{i}.png", coffee[..., i * 8 :])
    arguments = ["audit", "--photos", str(tmp_path / "photos"), "--scorer", scorer_file]
    kinds = ["--synthesise", "blur", "moire", "--native", "--explain", "0"]
    assert main([*arguments, *kinds]) == 0
    said = capsys.readouterr().out
    assert said.index("| blur") < said.index("| moire")
    assert said.rstrip().splitlines()[-1].startswith("tiny ")
    assert main([*arguments, "blur"]) == 2
    assert "either --pairs FOLDER, or --synthesise" in capsys.readouterr().err


def test_the_command_goes_on_without_photos_it_cannot_read(
    coffee: Tensor, scorer_file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for i in range(3):
        save(tmp_path / "better" / f"{i}.png", coffee[..., i * 8 :])
        save(tmp_path / "dark" / f"{i}.png", 0.5 * coffee[..., i * 8 :])
    (tmp_path / "better" / "1.png").write_text("no photo")
    options = ["--scorer", scorer_file, "--explain", "0", "--json"]
    assert main(["audit", "--pairs", str(tmp_path), *options]) == 1
    out, err = capsys.readouterr()
    assert json.loads(out)["dark"]["figures"]["tiny"]["pair accuracy"]["n"] == 2
    assert err.count("\n") == 1
    assert "1.png" in err
    damage = ["--photos", str(tmp_path / "better"), "--synthesise", "blur", "noise"]
    assert main(["audit", *damage, *options]) == 1
    out, err = capsys.readouterr()
    assert json.loads(out)["noise"]["figures"]["tiny"]["pair accuracy"]["n"] == 2
    assert err.count("\n") == 1  # named once, though each damage reads it


@pytest.mark.parametrize(
    ("count", "rule"),
    [
        ("1", "count must be 0 for all photos, or 2 at least, got 1"),
        ("-1", "count must be 0 for all photos, or 2 at least, got -1"),
        ("0", "blur: figures need two readable pairs at least, got 1"),
    ],
)
def test_too_few_pairs_are_refused_in_one_line(
    count: str,
    rule: str,
    coffee: Tensor,
    scorer_file: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    save(tmp_path / "alone.png", coffee)
    command = ["audit", "--synthesise", "blur", "--photos", str(tmp_path), "--count", count]
    assert main([*command, "--scorer", scorer_file]) == 2
    assert capsys.readouterr().err == f"scorers: {rule}\n"


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        (["--pairs", "{root}", "--photos", "{root}"], "--photos names what --synthesise damages"),
        (["--pairs", "{root}", "--method", "nonsense"], "attribution method 'nonsense'"),
    ],
)
def test_options_that_cannot_apply_are_refused_before_any_work(
    arguments: list[str], rule: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["audit", *(word.format(root=tmp_path) for word in arguments)]) == 2
    assert rule in capsys.readouterr().err
