"""Personal taste: learned from tens of ratings or choices, no worse where there is none."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor

import scorers
from scorers import opinion
from scorers import personal as personal_module
from scorers.cli import main
from scorers.errors import InputError
from scorers.personal import ViewFeatures, fit_choices, fit_ratings, look
from scorers.scorer import Scorer


@pytest.fixture(scope="module")
def photos() -> Tensor:
    """120 flat photos of random colours, which even an untrained network tells apart."""
    generator = torch.Generator().manual_seed(5)
    return torch.rand(120, 3, 1, 1, generator=generator).expand(-1, -1, 32, 32).contiguous()


@pytest.fixture
def native(make_scorer: Callable[..., Scorer]) -> Scorer:
    """A scorer of native squares of 16 px."""
    scorer = make_scorer(size=16)
    shown = replace(scorer.card.preprocess, view="native")
    return Scorer(scorer.network, replace(scorer.card, preprocess=shown))


def redness(photos: Tensor) -> Tensor:
    return photos[:, 0].mean((-2, -1)) - photos[:, 1:].mean((-3, -2, -1))


def means(views: ViewFeatures, scorer: Scorer) -> Tensor:
    each = opinion.mean(views.logits.softmax(-1), scorer.buckets.double())
    return (each * views.weights).sum(-1).float()


def agreement(scorer: Scorer, photos: Tensor, taste: Tensor) -> float:
    return torch.corrcoef(torch.stack([scorer(photos), taste]))[0, 1].item()


def test_looking_is_what_the_network_does(scorer: Scorer, photos: Tensor) -> None:
    views = look(scorer, photos[:5].split(1))
    torch.testing.assert_close(means(views, scorer), scorer(photos[:5]))
    both = ViewFeatures.join(
        [views.take(torch.tensor([0, 1])), views.take(torch.tensor([2, 3, 4]))]
    )
    assert torch.equal(both.features, views.features)


def test_looking_at_native_squares_is_what_the_scorer_does(native: Scorer) -> None:
    """Sides as long as a square, longer and shorter: one, three or nine squares a photo."""
    sizes = [(16, 16), (16, 40), (50, 33), (9, 40), (64, 64)]
    images = [torch.rand(1, 3, *size) for size in sizes]
    views = look(native, images)
    expected = torch.cat([native(image) for image in images])
    torch.testing.assert_close(means(views, native), expected)
    assert views.weights.count_nonzero(dim=1).tolist() == [1, 3, 9, 3, 9]
    parts = [look(native, [image]) for image in images]
    torch.testing.assert_close(means(ViewFeatures.join(parts), native), expected)
    torch.testing.assert_close(means(views.take(torch.tensor([3, 1])), native), expected[[3, 1]])


def test_whoever_agrees_with_a_native_scorer_leaves_it_as_it_was(native: Scorer) -> None:
    images = [torch.rand(1, 3, 16 + 3 * i, 64 - 4 * i) for i in range(12)]
    ratings = torch.cat([native(image) for image in images])
    personal = fit_ratings(native, look(native, images), ratings)
    assert personal.card.measured["RMS error on held-out photos, merely shifted"] == 0
    again = torch.cat([personal(image) for image in images])
    torch.testing.assert_close(again, ratings, atol=1e-3, rtol=0)


def test_what_is_measured_of_a_native_scorer_is_what_it_says(native: Scorer) -> None:
    """The fit in features and the scorer that it becomes agree, square by square."""
    images = [torch.rand(1, 3, 16 + 3 * i, 64 - 4 * i) for i in range(12)]
    ratings = torch.linspace(3, 8, 12)
    views = look(native, images)
    personal = fit_ratings(native, views, ratings)
    said = torch.cat([personal(image) for image in images])
    torch.testing.assert_close(means(look(personal, images), personal), said)
    before = torch.cat([native(image) for image in images])
    assert (said - ratings).square().mean() < (before - ratings).square().mean()


def test_a_taste_for_red_is_learned_from_ratings(scorer: Scorer, photos: Tensor) -> None:
    taste = 5.5 + 4 * redness(photos).clamp(-1, 1)
    views = look(scorer, photos[:60].split(1))
    personal = fit_ratings(scorer, views, taste[:60])
    before, after = (agreement(s, photos[60:], taste[60:]) for s in (scorer, personal))
    assert after > 0.8
    assert before < 0.5
    measured = personal.card.measured
    held = float(measured["RMS error on held-out photos"])
    assert held < float(measured["RMS error on held-out photos, merely shifted"])
    unseen = (personal(photos[60:]) - taste[60:]).pow(2).mean().sqrt().item()
    assert unseen == pytest.approx(held, rel=0.5)  # the card does not flatter itself


def test_a_taste_for_red_is_learned_from_choices(scorer: Scorer, photos: Tensor) -> None:
    taste = redness(photos)
    pairs = torch.randint(0, 60, (80, 2), generator=torch.Generator().manual_seed(0))
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    first = taste[pairs[:, 0]] > taste[pairs[:, 1]]
    better = torch.where(first, pairs[:, 0], pairs[:, 1])
    views = look(scorer, photos[:60].split(1))
    personal = fit_choices(scorer, views, better, pairs.sum(1) - better)
    before, after = (agreement(s, photos[60:], taste[60:]) for s in (scorer, personal))
    assert after > 0.7
    assert before < 0.5
    assert float(personal.card.measured["log loss on held-out choices"]) < 0.5


def test_ratings_at_random_teach_nothing_but_their_mean(scorer: Scorer, photos: Tensor) -> None:
    ratings = 4 + 2 * torch.rand(60, generator=torch.Generator().manual_seed(3))
    personal = fit_ratings(scorer, look(scorer, photos[:60].split(1)), ratings)
    measured = list(personal.card.measured.values())
    assert float(measured[2]) <= float(measured[1])
    # no pattern is invented: it answers with about the mean
    assert personal(photos[60:]).std() < 0.3 * ratings.std()
    assert personal(photos).mean().item() == pytest.approx(5, abs=0.5)


def test_what_was_said_of_one_photo_is_held_out_together(scorer: Scorer, photos: Tensor) -> None:
    """Of random ratings said twice nothing can be predicted: a fit must not seem to."""
    ratings = 2 + 7 * torch.rand(12, generator=torch.Generator().manual_seed(7))
    twice = torch.arange(12).repeat(2)
    features = 30 * torch.randn(12, 1, 256, generator=torch.Generator().manual_seed(8)).double()
    views = replace(look(scorer, photos[:12].split(1)), features=features)
    once = fit_ratings(scorer, views, ratings).card.measured
    again = fit_ratings(scorer, views.take(twice), ratings[twice]).card.measured
    for figure in ("RMS error on held-out photos", "RMS error on held-out photos, merely shifted"):
        assert float(again[figure]) == pytest.approx(float(once[figure]), rel=0.05)


def test_what_was_chosen_of_one_pair_is_held_out_together(scorer: Scorer, photos: Tensor) -> None:
    views = look(scorer, photos[:24].split(1))
    features = 30 * torch.randn(24, 1, 256, generator=torch.Generator().manual_seed(8)).double()
    views = replace(views, features=features, logits=views.logits[:1].expand(24, -1, -1))
    better, worse, twice = torch.arange(12), torch.arange(12, 24), torch.arange(12).repeat(2)
    once = fit_choices(scorer, views, better, worse).card.measured
    again = fit_choices(scorer, views, better[twice], worse[twice]).card.measured
    figure = "log loss on held-out choices"
    assert float(again[figure]) == pytest.approx(float(once[figure]), rel=0.05)
    assert float(again[figure]) > 0.6  # log 2 is guessing


def test_evidence_is_held_out_in_five_parts(scorer: Scorer, photos: Tensor) -> None:
    sizes: list[int] = []
    with pytest.MonkeyPatch.context() as patch:
        path = personal_module._path

        def spied(views: ViewFeatures, buckets: Tensor, losses: Any, kept: Tensor) -> Any:
            sizes.append(len(kept))
            return path(views, buckets, losses, kept)

        patch.setattr(personal_module, "_path", spied)
        for count in (11, 12, 16):
            sizes.clear()
            fit_ratings(scorer, look(scorer, photos[:count].split(1)), torch.linspace(2, 9, count))
            assert len(sizes) == 5 + 1
            assert max(sizes[:5]) - min(sizes[:5]) <= 1


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_scorer_on_a_gpu_is_fitted_alike(scorer: Scorer, photos: Tensor) -> None:
    ratings = torch.linspace(2, 9, 20)
    there = copy.deepcopy(scorer).cuda()
    views = look(there, photos[:20].split(1))
    assert views.features.device.type == "cpu"
    personal = fit_ratings(there, views, ratings.cuda())
    assert personal.network.head.weight.is_cuda
    expected = fit_ratings(scorer, look(scorer, photos[:20].split(1)), ratings)
    torch.testing.assert_close(
        personal(photos[20:].cuda()).cpu(), expected(photos[20:]), atol=0.02, rtol=0
    )


def test_the_result_is_a_scorer_like_any_other(
    scorer: Scorer, photos: Tensor, tmp_path: Path
) -> None:
    views = look(scorer, photos[:20].split(1))
    before = scorer(photos)
    personal = fit_ratings(scorer, views, torch.linspace(2, 9, 20), name="mine")
    assert torch.equal(scorer(photos), before)  # the one it came from is left alone
    personal.save(tmp_path / "mine.safetensors")
    loaded = scorers.load(tmp_path / "mine.safetensors")
    assert torch.equal(loaded(photos), personal(photos))
    assert loaded.card.name == "mine"
    assert "20 ratings of one person" in loaded.card.training_data


def test_the_same_evidence_gives_the_same_scorer(scorer: Scorer, photos: Tensor) -> None:
    views, ratings = look(scorer, photos[:20].split(1)), torch.linspace(2, 9, 20)
    first, second = (fit_ratings(scorer, views, ratings) for _ in range(2))
    assert torch.equal(first.network.head.weight, second.network.head.weight)


def test_evidence_that_cannot_be_used_is_refused(scorer: Scorer, photos: Tensor) -> None:
    views = look(scorer, photos[:12].split(1))
    with pytest.raises(InputError, match="12 photos need as many ratings, got 3"):
        fit_ratings(scorer, views, torch.ones(3))
    with pytest.raises(InputError, match=r"ratings must lie in \[1, 10\], got 11"):
        fit_ratings(scorer, views, torch.full((12,), 11.0))
    with pytest.raises(InputError, match=r"got nan"):
        fit_ratings(scorer, views, torch.full((12,), torch.nan))
    with pytest.raises(InputError, match="at least 10 different photos or pairs are needed, got 4"):
        fit_ratings(scorer, views.take(torch.arange(4)), torch.ones(4))
    with pytest.raises(InputError, match=r"one shape \(M,\), got \(3,\) and \(4,\)"):
        fit_choices(scorer, views, torch.zeros(3).long(), torch.zeros(4).long())
    with pytest.raises(InputError, match="indices of the 12 photos"):
        fit_choices(scorer, views, torch.full((10,), 12), torch.zeros(10).long())


@pytest.fixture
def folder(scorer: Scorer, photos: Tensor, tmp_path: Path) -> Path:
    for index, photo in enumerate(photos[:14]):
        pixels = photo.mul(255).round().byte().permute(1, 2, 0).numpy()
        Image.fromarray(pixels).save(tmp_path / f"{index}.png")
    scorer.save(tmp_path / "base.safetensors")
    return tmp_path


def run(folder: Path, table: str) -> int:
    (folder / "table.csv").write_text(table)
    out, base = folder / "mine.safetensors", folder / "base.safetensors"
    table_path = folder / "table.csv"
    return main(["personalize", str(table_path), "-o", str(out), "--scorer", str(base)])


def test_the_command_reads_ratings(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = "".join(f" {i}.png , {2 + i % 7}\n" for i in range(14))
    assert run(folder, "filename,rating\n" + rows) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0] == "ratings: 14"
    assert out[-1] == str(folder / "mine.safetensors")
    assert scorers.load(folder / "mine.safetensors").card.name == "mine"


def test_the_command_reads_choices_and_skips_what_it_cannot_read(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = "".join(f"{i}.png,{i + 1}.png\n" for i in range(13)) + "gone.png,1.png\n"
    assert run(folder, "better,worse\n" + rows) == 1
    out, err = capsys.readouterr()
    assert out.startswith("choices: 13\n")
    assert err == f"scorers: cannot read {folder / 'gone.png'}: no such file\n"


@pytest.mark.parametrize(
    ("table", "rule"),
    [
        ("name,stars\na.png,3\n", "must have columns filename,rating or better,worse"),
        ("", "is empty"),
        ("filename,rating\n", "holds no photos"),
        ("filename,rating\n\n0.png,lovely\n", "table.csv, line 3: needs a number, got 'lovely'"),
        ("filename,rating\ngone.png,3\n", "none of the 1 photos"),
        ("filename,rating\n0.png,3\n", "at least 10"),
        ("filename,rating\n" + 12 * "0.png,3\n", "at least 10 different photos"),
        ("filename,rating\ngone.png,3\n0.png,30\n", "line 3: ratings must lie in [1, 10], got 30"),
    ],
)
def test_tables_that_cannot_be_used_are_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], table: str, rule: str
) -> None:
    assert run(folder, table) == 2
    assert rule in capsys.readouterr().err.splitlines()[-1]
    assert not (folder / "mine.safetensors").exists()


def test_rows_without_a_rating_are_left_out_and_counted(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = "".join(f"{i}.png,{2 + i % 7 if i > 1 else ''}\n" for i in range(14))
    assert run(folder, "filename,rating\n" + rows) == 0
    out, err = capsys.readouterr()
    assert out.startswith("ratings: 12\n")
    assert err == f"scorers: {folder / 'table.csv'}: 2 rows say nothing and are left out\n"


@pytest.mark.parametrize("image", [torch.rand(3, 3, 40, 40), torch.zeros(1, 3, 9, 9).byte()])
def test_only_single_photos_in_floats_are_looked_at(image: Tensor, scorer: Scorer) -> None:
    with pytest.raises(InputError, match="image"):
        look(scorer, [image])


@pytest.mark.parametrize("name", ["mine", "mine.pth"])
def test_a_name_that_could_not_be_loaded_is_refused_before_any_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert main(["personalize", str(tmp_path / "gone.csv"), "-o", str(tmp_path / name)]) == 2
    assert "must end in .safetensors, got" in capsys.readouterr().err


def test_the_command_makes_the_folder_that_it_writes_to(folder: Path) -> None:
    rows = "".join(f"{i}.png,{2 + i % 7}\n" for i in range(14))
    (folder / "table.csv").write_text("filename,rating\n" + rows)
    out, base = folder / "new" / "folder" / "mine.safetensors", folder / "base.safetensors"
    command = ["personalize", str(folder / "table.csv"), "-o", str(out), "--scorer", str(base)]
    assert main(command) == 0
    assert scorers.load(out).card.name == "mine"
