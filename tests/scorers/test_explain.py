"""Explanations: attributions that add up, rings, and bounded attacks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from scorers.card import Architecture, ModelCard
from scorers.cli import main
from scorers.errors import InputError, UnknownNameError
from scorers.explain import METHODS, attribute, border_share, fool, uniform_share
from scorers.explain.figure import overlay, sheet
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
    [Architecture("mobilenet_v2", {"width": 0.1}), Architecture("inception_v2")],
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
    else:  # max pooling has no rule outside a module: the gradient stands in
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
    with pytest.raises(InputError, match="limit=0"):
        fool(scorer, torch.rand(1, 3, 8, 8), limit=0)


def test_overlays_show_the_sign() -> None:
    heat = torch.tensor([[1.0, -1.0]])
    red_left = overlay(torch.full((3, 4, 8), 0.5), heat)
    assert red_left[0, 0, 0] > red_left[2, 0, 0]
    assert red_left[0, 0, -1] < red_left[2, 0, -1]
    same = overlay(torch.full((3, 4, 8), 0.5), torch.zeros(2, 2))
    torch.testing.assert_close(same, torch.full((3, 4, 8), 0.5))
    assert sheet({"a": red_left, "b": same}).size == (16, 4 + 14)


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
    with Image.open(tmp_path / "out" / "coffee.png") as page:
        assert page.size == (128 * 5, 96 + 14)
    assert main(["explain", str(tmp_path / "gone.png"), *arguments]) == 2
    (tmp_path / "empty").mkdir()
    assert main(["explain", str(tmp_path / "empty"), *arguments]) == 2
    assert "no photos in" in capsys.readouterr().err
