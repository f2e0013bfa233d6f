"""Explanations: attributions that add up, rings, and bounded attacks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from scorers.card import Architecture, ModelCard
from scorers.cli import main
from scorers.errors import InputError, UnknownNameError
from scorers.evaluation.audit import judge_pair
from scorers.evaluation.degradations import Pair
from scorers.explain import (
    METHODS,
    attribute,
    border_share,
    fool,
    laid_out,
    squares,
    uniform_share,
)
from scorers.explain.figure import overlay, sheet
from scorers.explain.wrong import explain_pair
from scorers.preprocess import Preprocess
from scorers.scorer import Scorer


def blocks(count: int, height: int, width: int) -> Tensor:
    """Photos of coarse coloured blocks, which shrinking does not turn to grey."""
    generator = torch.Generator().manual_seed(1)
    coarse = torch.rand(count, 3, 4, 5, generator=generator, dtype=torch.float64)
    return F.interpolate(coarse, size=(height, width))


def flat_and_view(scorer: Scorer, image: Tensor) -> tuple[Tensor, Tensor]:
    view = scorer.card.preprocess.resize(image)
    return scorer(view.mean((-2, -1), keepdim=True).expand_as(view)), scorer(view)


@pytest.mark.parametrize("method", ["integrated-gradients", "deeplift"])
def test_attributions_sum_to_the_difference_of_scores(
    scorer: Scorer, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DeepLIFT exactly; the path integral, across the kinks of ReLU6, with enough steps."""
    pytest.importorskip("captum")
    monkeypatch.setattr("scorers.explain.attribution._STEPS", 512)
    exact, image = scorer.double(), blocks(3, 40, 50)
    flat, score = flat_and_view(exact, image)
    found = attribute(exact, image, method).sum((-2, -1))
    assert (score - flat).abs().min() > 0.05
    tolerance = 1e-8 if method == "deeplift" else 0.02 * (score - flat).abs().max().item()
    torch.testing.assert_close(found, score - flat, atol=tolerance, rtol=0)


@pytest.mark.parametrize(
    "architecture",
    [
        Architecture("mobilenet_v2", {"width": 0.1}),
        Architecture("inception_v2"),
        Architecture("mobilenet_v1_multilevel", {"width": 0.25, "neck": 8, "hidden": 8}),
    ],
)
def test_deeplift_adds_up_with_residuals(architecture: Architecture) -> None:
    pytest.importorskip("captum")
    torch.manual_seed(0)
    card = ModelCard("other", architecture, Preprocess(size=32))
    scorer = Scorer.untrained(card).double()
    scorer.network.head.weight.data.normal_()
    image = blocks(1, 32, 32)
    flat, score = flat_and_view(scorer, image)
    found = attribute(scorer, image, "deeplift").sum((-2, -1))
    if architecture.backbone == "mobilenet_v2":
        torch.testing.assert_close(found, score - flat)
    else:  # pooling by maximum or deviation has no rule: the gradient stands in
        assert found.isfinite().all()


@pytest.mark.parametrize("method", sorted(METHODS))
def test_photos_are_explained_one_by_one(scorer: Scorer, method: str) -> None:
    pytest.importorskip("captum")
    scorer, image = scorer.double(), blocks(2, 40, 50)
    together = attribute(scorer, image, method)
    assert together.shape == (2, 32, 32)
    assert not together.requires_grad
    for photo, heat in zip(image.split(1), together, strict=True):
        alone = attribute(scorer, photo, method)[0]
        torch.testing.assert_close(alone, heat)


@pytest.mark.parametrize("method", ["occlusion", "integrated-gradients"])
def test_attributions_find_what_the_score_depends_on(method: str) -> None:
    """A scorer that reads the middle only must have nothing elsewhere."""
    pytest.importorskip("captum")

    class Middle(Scorer):
        def forward(self, image: Tensor) -> Tensor:
            return image[..., 12:20, 12:20].mean((-3, -2, -1))

    card = ModelCard("m", Architecture("mobilenet_v1", {"width": 0.1}), Preprocess(size=32))
    image = torch.full((1, 3, 32, 32), 0.2)
    image[..., 12:20, 12:20] = 0.9
    heat = attribute(Middle.untrained(card), image, method)[0]
    assert heat[12:20, 12:20].sum() > 0.5 * heat.sum()
    assert heat[:8].abs().max() == 0
    assert heat.min() >= 0


def test_explaining_leaves_the_scorer_as_it_was(scorer: Scorer) -> None:
    pytest.importorskip("captum")
    image = torch.rand(1, 3, 32, 32)
    before, state = scorer(image), {k: v.clone() for k, v in scorer.state_dict().items()}
    for method in METHODS:
        attribute(scorer, image, method)
    assert torch.equal(scorer(image), before)
    assert all(torch.equal(state[k], v) for k, v in scorer.state_dict().items())
    assert not any(m._forward_hooks or m._backward_hooks for m in scorer.modules())


@pytest.mark.parametrize("method", sorted(METHODS))
def test_photos_of_any_float_are_explained_and_nothing_else(scorer: Scorer, method: str) -> None:
    pytest.importorskip("captum")
    photo = blocks(1, 40, 50)
    assert attribute(scorer, photo, method).shape == (1, 32, 32)
    assert fool(scorer, photo).view.shape == (1, 3, 32, 32)
    for wrong in (photo[0], (photo * 255).byte()):
        with pytest.raises(InputError, match="image must be"):
            attribute(scorer, wrong, method)
        with pytest.raises(InputError, match="image must be"):
            fool(scorer, wrong)


def test_unknown_methods_get_the_nearest(scorer: Scorer) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'grad-cam'"):
        attribute(scorer, torch.rand(1, 3, 8, 8), "gradcam")


@pytest.mark.parametrize("ring", [0.1, 0.125, 0.25, 0.4])
def test_a_flat_map_has_the_rings_share_of_the_area(ring: float) -> None:
    expected = uniform_share(40, 60, ring)
    assert border_share(torch.full((2, 40, 60), -3.0), ring).tolist() == pytest.approx(
        [expected] * 2
    )
    assert border_share(torch.zeros(1, 40, 60), ring).item() == pytest.approx(expected)


def test_border_share_tells_inside_from_outside() -> None:
    heat = torch.zeros(2, 32, 32)
    heat[0, 16, 16] = 1
    heat[1, 0, 16] = -1
    assert border_share(heat).tolist() == [0, 1]
    with pytest.raises(InputError, match=r"ring must lie in \(0, 0\.5\), got 0\.5"):
        border_share(heat, ring=0.5)


@pytest.mark.parametrize("raise_score", [True, False])
def test_an_attack_moves_the_score_within_its_limit(scorer: Scorer, raise_score: bool) -> None:
    torch.manual_seed(0)
    image = torch.rand(2, 3, 32, 32)
    limit = 3 / 255
    found = fool(scorer, image, raise_score=raise_score, limit=limit)
    change = found.view - image
    assert change.abs().max() <= limit + 1e-6
    assert found.view.min() >= 0
    assert found.view.max() <= 1
    assert bool(((found.after > found.before) == raise_score).all())
    torch.testing.assert_close(found.before, scorer(image))
    torch.testing.assert_close(found.after, scorer(found.view))
    torch.testing.assert_close(found.heat, change.abs().mean(1))


def test_an_attack_needs_room(scorer: Scorer) -> None:
    for limit in (0.0, float("nan")):
        with pytest.raises(InputError, match=f"limit={limit:g}"):
            fool(scorer, torch.rand(1, 3, 8, 8), limit=limit)


def test_overlays_show_the_sign() -> None:
    heat = torch.tensor([[1.0, -1.0]])
    red_left = overlay(torch.full((3, 4, 8), 0.5), heat)
    assert red_left[0, 0, 0] > red_left[2, 0, 0]
    assert red_left[0, 0, -1] < red_left[2, 0, -1]
    same = overlay(torch.full((3, 4, 8), 0.5), torch.zeros(2, 2))
    torch.testing.assert_close(same, torch.full((3, 4, 8), 0.5))
    assert sheet({"a": red_left, "b": same}).size == (16, 4 + 14)


def test_a_map_finer_than_the_photo_is_averaged() -> None:
    stripes = torch.tensor([1.0, -1.0]).repeat(32)[None].expand(8, -1)
    same = overlay(torch.full((3, 4, 8), 0.5), stripes + 1e-3)
    # inside, a column holds as much of both, and a little red
    assert bool((same[0] > same[2])[:, 1:-1].all())


@pytest.fixture
def native(make_scorer: Callable[..., Scorer]) -> Scorer:
    """A scorer of native squares of 16 px."""
    scorer = make_scorer(size=16)
    shown = replace(scorer.card.preprocess, view="native")
    return Scorer(scorer.network, replace(scorer.card, preprocess=shown)).double()


@pytest.mark.parametrize("size", [(16, 16), (40, 56), (9, 40), (20, 20)])
def test_squares_score_what_the_photo_scores(native: Scorer, size: tuple[int, int]) -> None:
    photos = blocks(2, *size)
    seen = squares(native, photos)
    each = native(seen.flatten(0, 1)).unflatten(0, seen.shape[:2])
    torch.testing.assert_close(each.mean(1), native(photos))
    heats = torch.rand(seen.shape[0], seen.shape[1], 16, 16).double()
    plane = laid_out(native, heats, *size)
    assert plane.shape == (2, *(max(side, 16) for side in size))
    torch.testing.assert_close(plane.sum((-2, -1)), heats.sum((-2, -1)).mean(1))


def test_native_scores_are_explained_where_the_squares_lie(native: Scorer) -> None:
    pytest.importorskip("captum")
    image = blocks(2, 60, 76)
    heat = attribute(native, image, "deeplift")
    assert heat.shape == (2, 60, 76)
    # squares of 16 px begin at 0, 22, 44 and at 0, 30, 60
    assert heat[:, 16:22].abs().max() == heat[..., 16:30].abs().max() == 0
    assert heat[:, 22:38, 30:46].abs().amax((-2, -1)).min() > 0
    seen = squares(native, image)
    flat = native(seen.mean((-2, -1), keepdim=True).expand_as(seen).flatten(0, 1)).view(2, -1)
    torch.testing.assert_close(heat.sum((-2, -1)), native(image) - flat.mean(1))


def test_an_attack_on_a_native_scorer_moves_its_score_of_the_photo(native: Scorer) -> None:
    image = blocks(2, 40, 50)
    found = fool(native, image)
    torch.testing.assert_close(found.before, native(image))
    torch.testing.assert_close(found.after, native(found.view))
    assert found.view.shape == image.shape
    assert found.heat.shape == (2, 40, 50)
    assert bool((found.after > found.before).all())


@pytest.mark.parametrize("view", ["whole", "native"])
def test_pairs_are_explained_as_they_were_judged(scorer: Scorer, view: str) -> None:
    pytest.importorskip("captum")
    shown = replace(scorer.card.preprocess, view=view, blur=1.5, crops=1)
    judge = Scorer(scorer.network, replace(scorer.card, preprocess=shown)).double()
    better, worse = blocks(2, 40, 50).split(1)
    pair = Pair("a", better, worse)
    judged = judge_pair(judge, pair)
    explained = explain_pair(judge, pair, "deeplift")
    assert explained.lead == pytest.approx(judged.better - judged.worse)
    if view == "whole":
        torch.testing.assert_close(explained.better, shown.resize(better)[0])


def test_the_command_writes_a_sheet_and_prints_border_attention(
    make_scorer: Callable[..., Scorer],
    coffee_file: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pytest.importorskip("captum")
    make_scorer(size=16).save(tmp_path / "mine.safetensors")
    arguments = ["-o", str(tmp_path / "out"), "--scorer", str(tmp_path / "mine.safetensors")]
    methods = ["--method", "grad-cam", "--method", "occlusion"]
    assert main(["explain", str(coffee_file.parent), *arguments, *methods]) == 0
    out = capsys.readouterr().out
    assert "outer eighth; 0.438 alike" in out
    assert "occlusion" in out
    with Image.open(tmp_path / "out" / "coffee.explained.png") as page:
        assert page.size == (128 * 5, 96 + 14)
    assert main(["explain", str(tmp_path / "gone.png"), *arguments]) == 2
    (tmp_path / "empty").mkdir()
    assert main(["explain", str(tmp_path / "empty"), *arguments]) == 2
    assert "no photos in" in capsys.readouterr().err


@pytest.fixture
def command(make_scorer: Callable[..., Scorer], tmp_path: Path) -> list[str]:
    pytest.importorskip("captum")
    weights = tmp_path / "weights.safetensors"
    make_scorer(size=16).save(weights)
    return ["explain", "--scorer", str(weights), "--method", "grad-cam"]


def test_an_unknown_method_is_refused_before_any_work(
    coffee_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    command = ["explain", str(coffee_file), "-o", str(out), "--method", "grad-cams"]
    assert main([*command, "--scorer", str(tmp_path / "gone.safetensors")]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "unknown attribution method 'grad-cams'; did you mean 'grad-cam'?" in err
    assert not out.exists()


def test_pictures_leave_the_photos_alone(
    coffee_file: Path, tmp_path: Path, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    photo = folder / "p0.png"
    photo.write_bytes(coffee_file.read_bytes())
    assert main([*command, str(photo), "-o", str(folder)]) == 0
    assert sorted(path.name for path in folder.iterdir()) == ["p0.explained.png", "p0.png"]
    assert photo.read_bytes() == coffee_file.read_bytes()
    # the picture is a photo of the folder now, and where the photo's picture would go
    picture = (folder / "p0.explained.png").read_bytes()
    assert main([*command, str(folder), "-o", str(folder)]) == 2
    assert "pictures must not replace photos" in capsys.readouterr().err
    assert (folder / "p0.explained.png").read_bytes() == picture
    assert len(list(folder.iterdir())) == 2


def test_photos_of_one_name_get_a_picture_each(
    coffee_file: Path, tmp_path: Path, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    photos = [tmp_path / name / "1.png" for name in ("a", "b")]
    for photo in photos:
        photo.parent.mkdir()
        photo.write_bytes(coffee_file.read_bytes())
    assert main([*command, *map(str, photos), "-o", str(tmp_path / "out")]) == 0
    written = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert written == ["1-2.explained.png", "1.explained.png"]
    assert capsys.readouterr().out.splitlines()[1].endswith("1-2.explained.png")
