"""Losses: EMD and ranking for training a scorer, and a scorer as a loss."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from scorers.errors import InputError
from scorers.losses import NIMALoss, emd_loss, ranking_loss
from scorers.scorer import Scorer


def test_emd_loss_is_equation_1_with_r_2() -> None:
    p, q = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]), torch.tensor([[0.0, 0.0, 1.0]])
    first, second = (2 / 3) ** 0.5, (1 / 3) ** 0.5
    assert emd_loss(p, q.expand(2, 3)).item() == pytest.approx((first + second) / 2)


def test_ranking_loss_is_zero_once_the_margin_is_kept() -> None:
    worse = torch.tensor([4.0, 4.0])
    assert ranking_loss(worse + 0.5, worse, margin=0.5) == 0
    assert ranking_loss(worse, worse + 1, margin=torch.tensor([0.0, 1.0])).item() == 1.5


def test_ranking_loss_has_the_hinges_gradient() -> None:
    better = torch.tensor([5.0, 3.0], requires_grad=True)
    ranking_loss(better, torch.tensor([4.0, 4.0])).backward()
    assert better.grad is not None
    assert better.grad.tolist() == [0.0, -0.5]


def test_the_loss_is_the_distance_to_the_target(scorer: Scorer) -> None:
    image = torch.rand(2, 3, 32, 32)
    score = scorer(image).mean().item()
    with torch.no_grad():
        assert NIMALoss(scorer)(image).item() == pytest.approx(10 - score, abs=1e-5)
        nearer = NIMALoss(scorer, target=score + 3, crops=0)
        assert nearer(image).item() == pytest.approx(3, abs=0.5)
        assert NIMALoss(scorer, target=1.0)(image) == 0


def test_crops_are_native_pixels_of_the_image() -> None:
    seen: list[torch.Tensor] = []

    class Spy(Scorer):
        def opinion(self, image: torch.Tensor) -> torch.Tensor:
            seen.append(image)
            return super().opinion(image)

    from scorers.card import Architecture, ModelCard
    from scorers.preprocess import Preprocess

    spy = Spy.untrained(
        ModelCard("spy", Architecture("mobilenet_v1", {"width": 0.25}), Preprocess(size=8))
    )
    # pixel values name their place, so a crop tells where it was taken
    places = torch.arange(2 * 20 * 30).view(2, 1, 20, 30).expand(2, 3, 20, 30) / 1200
    NIMALoss(spy, crops=3, generator=torch.Generator().manual_seed(1)).eval()(places)
    (crops,) = seen
    assert crops.shape == (6, 3, 8, 8)
    corners = set()
    for index, crop in enumerate(crops):
        first = round(crop[0, 0, 0].item() * 1200)
        photo, top, left = first // 600, first % 600 // 30, first % 30
        assert photo == index // 3
        assert torch.equal(crop, places[photo, :, top : top + 8, left : left + 8])
        corners.add((photo, top, left))
    assert len(corners) > 3


def test_crops_reach_every_pixel(make_scorer: Callable[..., Scorer]) -> None:
    loss = NIMALoss(make_scorer(size=8), crops=64, generator=torch.Generator().manual_seed(0))
    image = torch.rand(1, 3, 10, 12, requires_grad=True)
    loss(image).backward()
    assert image.grad is not None
    assert bool((image.grad.abs().sum((0, 1)) > 0).all())


@pytest.mark.parametrize("size", [(1, 1), (5, 90), (90, 5), (31, 33), (100, 70)])
def test_any_resolution_can_be_trained_on(scorer: Scorer, size: tuple[int, int]) -> None:
    image = torch.rand(2, 3, *size, requires_grad=True)
    NIMALoss(scorer)(image).backward()
    assert image.grad is not None
    assert image.grad.isfinite().all()
    assert image.grad.abs().sum() > 0


def test_the_same_generator_draws_the_same_crops(scorer: Scorer) -> None:
    image = torch.rand(1, 3, 64, 64)

    def losses(seed: int) -> list[float]:
        loss = NIMALoss(scorer, crops=1, generator=torch.Generator().manual_seed(seed)).eval()
        return [loss(image).item() for _ in range(3)]

    assert losses(0) == losses(0)
    assert losses(0) != losses(1)
    assert len(set(losses(0))) == 3


def test_only_the_restored_image_learns(scorer: Scorer) -> None:
    model = nn.Conv2d(3, 3, 1)
    loss = NIMALoss(scorer).train()
    optimiser = torch.optim.SGD([*model.parameters(), *loss.parameters()], lr=0.1)
    before = [parameter.clone() for parameter in loss.parameters()]
    loss(model(torch.rand(1, 3, 40, 40)).sigmoid()).backward()
    optimiser.step()
    assert all(torch.equal(a, b) for a, b in zip(before, loss.parameters(), strict=True))
    assert model.weight.grad is not None


def test_a_negative_number_of_crops_is_refused(scorer: Scorer) -> None:
    with pytest.raises(InputError, match="crops=-1"):
        NIMALoss(scorer, crops=-1)
