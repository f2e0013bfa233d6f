"""The scorer: what goes in, what comes out, and that it stays frozen."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from scorers.card import Architecture, ModelCard
from scorers.errors import InputError
from scorers.nima import NIMA
from scorers.scorer import Scorer


def test_scores_are_the_mean_and_std_of_the_opinion(scorer: Scorer) -> None:
    image = torch.rand(3, 3, 40, 50)
    opinion = scorer.opinion(image)
    ratings = torch.arange(1.0, 11.0)
    assert opinion.shape == (3, 10)
    torch.testing.assert_close(opinion.sum(-1), torch.ones(3))
    torch.testing.assert_close(scorer(image), opinion @ ratings)
    spread = ((ratings - scorer(image)[:, None]) ** 2 * opinion).sum(-1).sqrt()
    torch.testing.assert_close(scorer.std(image), spread)


def test_the_buckets_set_the_scale(scorer: Scorer) -> None:
    network = scorer.network
    zero_based = ModelCard(
        "zero", scorer.card.architecture, scorer.card.preprocess, tuple(range(10))
    )
    image = torch.rand(2, 3, 32, 32)
    torch.testing.assert_close(Scorer(network, zero_based)(image), scorer(image) - 1)


def test_photos_together_score_as_they_do_alone(scorer: Scorer) -> None:
    image = torch.rand(4, 3, 37, 53)
    alone = torch.cat([scorer(photo) for photo in image.split(1)])
    torch.testing.assert_close(scorer(image), alone)


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (7, 3), (32, 32), (200, 100)])
def test_any_size_is_judged(scorer: Scorer, size: tuple[int, int]) -> None:
    assert scorer(torch.rand(1, 3, *size)).isfinite().all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_any_float_dtype_is_judged(scorer: Scorer, dtype: torch.dtype) -> None:
    image = torch.rand(1, 3, 32, 32)
    found = scorer(image.to(dtype))
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, scorer(image.to(dtype).float()))


@pytest.mark.parametrize(
    ("image", "rule"),
    [
        (torch.rand(3, 32, 32), r"must be \(B, 3, H, W\), got \(3, 32, 32\)"),
        (torch.rand(1, 1, 32, 32), r"got \(1, 1, 32, 32\)"),
        (torch.rand(1, 3, 0, 32), r"got \(1, 3, 0, 32\)"),
        (torch.zeros(1, 3, 32, 32, dtype=torch.uint8), "got torch.uint8"),
        ([[0.0]], "got list"),
    ],
)
def test_what_is_no_photo_is_refused(scorer: Scorer, image: torch.Tensor, rule: str) -> None:
    with pytest.raises(InputError, match=rule):
        scorer(image)


def test_gradients_flow_to_the_image_and_to_nothing_else(scorer: Scorer) -> None:
    image = torch.rand(2, 3, 40, 40, requires_grad=True)
    scorer(image).sum().backward()
    assert image.grad is not None
    assert image.grad.abs().sum() > 0
    assert all(parameter.grad is None for parameter in scorer.parameters())


def test_the_gradient_is_the_slope_of_the_score(scorer: Scorer) -> None:
    exact = scorer.double()
    image = torch.rand(1, 3, 5, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(exact, image)


def test_training_a_model_around_it_leaves_it_frozen(scorer: Scorer) -> None:
    image = torch.rand(2, 3, 32, 32)
    before = scorer(image)
    around = nn.ModuleDict({"judge": scorer}).train()
    assert not any(module.training for module in around["judge"].modules())
    assert torch.equal(scorer(image), before)
    assert not any(parameter.requires_grad for parameter in around.parameters())


def test_view_size_is_the_preprocessings(scorer: Scorer) -> None:
    assert scorer.view_size == 32


def test_a_card_of_another_scale_is_refused() -> None:
    card = ModelCard("five", Architecture("mobilenet_v1", {"width": 0.25}), buckets=(1, 2, 3, 4, 5))
    ten = NIMA(card.architecture.build(5).backbone, buckets=10)
    with pytest.raises(InputError, match="over 10 buckets, its card names 5"):
        Scorer(ten, card)
