"""Losses on order, triplets, distributions and teachers: their zeros, signs and gradients."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from scorers import opinion
from scorers.training.batches import stream
from scorers.training.distillation import distillation_loss
from scorers.training.objectives import OBJECTIVES, Answer
from scorers.training.ranking import ranking_hinge
from scorers.training.triplet import (
    aesthetic_space_loss,
    directional_loss,
    triplet_loss,
    valid_triplets,
)
from scorers.training.unified import huber_loss


def opinions(count: int, seed: int = 0) -> Tensor:
    logits = torch.randn(count, 10, generator=stream(seed), dtype=torch.float64)
    return logits.softmax(-1)


def test_triplets_are_the_published_ones() -> None:
    scores = torch.rand(12, generator=stream(1))
    found = {tuple(row) for row in valid_triplets(scores).tolist()}
    expected = set()
    for a, sa in enumerate(scores):
        for p, sp in enumerate(scores):
            for n, sn in enumerate(scores):
                near, far, other = (sa - sp).abs(), (sa - sn).abs(), (sp - sn).abs()
                if near > 0 and 0.3 <= near / far <= 0.7 and 0.3 <= near / other <= 0.7:
                    expected.add((a, p, n))
    assert found == expected
    assert found


def test_the_aesthetic_space_is_reached_by_going_downhill() -> None:
    """Liked photos move outwards, and neighbours in score towards one direction."""
    scores = torch.rand(16, generator=stream(2))
    embeddings = torch.randn(16, 4, generator=stream(3), requires_grad=True)
    first = aesthetic_space_loss(embeddings, scores, stream(4), most=4000)
    for step in range(200):
        loss = aesthetic_space_loss(embeddings, scores, stream(step), most=4000)
        (gradient,) = torch.autograd.grad(loss, embeddings)
        embeddings = (embeddings - 0.5 * gradient).detach().requires_grad_()
    assert loss < 0.3 * first
    ranks = [x.argsort().argsort().double() for x in (embeddings.norm(dim=1), scores)]
    assert torch.corrcoef(torch.stack(ranks))[0, 1] > 0.95


def test_triplet_and_direction_are_zero_exactly_when_satisfied() -> None:
    east, north = torch.tensor([[2.0, 0.0]]), torch.tensor([[0.0, 1.0]])
    assert triplet_loss(east, 3 * east, north) == 0  # directions alone count
    assert triplet_loss(east, north, 3 * east) == 2.5
    better = torch.tensor([1.0])
    assert directional_loss(east, north, better) == 0
    assert directional_loss(east, north, -better) == pytest.approx(1.2)


def test_a_batch_of_equals_costs_nothing_and_still_has_a_gradient() -> None:
    embeddings = torch.randn(3, 4, requires_grad=True)
    loss = aesthetic_space_loss(embeddings, torch.ones(3), stream(0))
    loss.backward()
    assert loss == 0
    assert embeddings.grad is not None
    assert not embeddings.grad.any()
    assert ranking_hinge(torch.rand(4), torch.ones(4)) == 0


def test_the_ranking_hinge_asks_for_half_of_the_difference() -> None:
    means = torch.tensor([4.0, 6.0])
    assert ranking_hinge(torch.tensor([4.0, 5.0]), means) == 0
    assert ranking_hinge(torch.tensor([4.0, 4.5]), means) == 0.5
    assert ranking_hinge(torch.tensor([5.0, 4.0]), means) == 2.0


def test_distillation_is_the_divergence_of_softened_logits() -> None:
    logits = torch.randn(2, 5, 10, generator=stream(0), dtype=torch.float64)
    student, teacher = logits.softmax(-1)
    soft = (logits / 3).log_softmax(-1)
    expected = 9 * (soft[1].exp() * (soft[1] - soft[0])).sum(-1).mean()
    torch.testing.assert_close(distillation_loss(student, teacher, 3), expected)
    assert distillation_loss(teacher, teacher, 3).abs() < 1e-12
    assert torch.isfinite(distillation_loss(torch.eye(10), torch.eye(10).flip(0)))


def test_huber_is_squared_near_and_absolute_far() -> None:
    target = torch.full((1, 2), 0.5, dtype=torch.float64)
    step = torch.tensor([[1.0, -1.0]], dtype=torch.float64)
    near, far = (huber_loss(target + size * step, target, 0.1) for size in (0.05, 0.3))
    torch.testing.assert_close(near.item(), 2 * 0.5 * 0.05**2)
    torch.testing.assert_close(far.item(), 2 * 0.1 * (0.3 - 0.05))


@pytest.mark.parametrize("name", sorted(OBJECTIVES))
def test_objectives_have_true_gradients(name: str) -> None:
    target, features = opinions(6, 1), torch.randn(6, 3, generator=stream(5), dtype=torch.float64)
    buckets = torch.arange(1.0, 11.0, dtype=torch.float64)

    def loss(logits: Tensor, features: Tensor) -> Tensor:
        return (
            OBJECTIVES[name](Answer(features, logits.softmax(-1), target, buckets, stream(0)))
            + 0 * features.sum()
        )

    logits = opinions(6).log()
    assert torch.autograd.gradcheck(loss, (logits.requires_grad_(), features.requires_grad_()))
    features = features.detach()
    perfect = OBJECTIVES[name](Answer(features, target, target, buckets, stream(0)))
    wanted = opinion.mean(target, buckets)
    assert len(valid_triplets(wanted)) > 0
    shape = aesthetic_space_loss(features, wanted, stream(0)) if name == "triplet" else 0.0
    assert float(perfect) == pytest.approx(0.1 * float(shape))


def test_ranking_and_triplet_add_to_the_distance_of_opinions() -> None:
    """Opinions that are in the wrong order, and features without an order, cost more."""
    target, features = opinions(6, 1), torch.randn(6, 3, generator=stream(5), dtype=torch.float64)
    buckets = torch.arange(1.0, 11.0, dtype=torch.float64)
    order = opinion.mean(target, buckets).argsort()
    reversed_ = torch.empty_like(target)
    reversed_[order] = target[order.flip(0)]
    answer = Answer(features, reversed_, target, buckets, stream(0))
    emd = OBJECTIVES["emd"](answer)
    means, wanted = answer.means, answer.wanted
    hinge = ranking_hinge(means, wanted) / 9
    assert hinge > 0.01
    torch.testing.assert_close(OBJECTIVES["ranking"](answer), emd + hinge)
    shape = aesthetic_space_loss(features, wanted, stream(0))
    assert shape > 0
    other = Answer(features, reversed_, target, buckets, stream(0))
    torch.testing.assert_close(OBJECTIVES["triplet"](other), emd + 0.1 * shape)


def test_triplets_of_a_large_batch_are_chosen_among_some_of_its_photos(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[int] = []

    def spied(scores: Tensor) -> Tensor:
        seen.append(len(scores))
        return valid_triplets(scores)

    monkeypatch.setattr("scorers.training.triplet.valid_triplets", spied)
    scores = torch.rand(3000, generator=stream(0))
    embeddings = torch.randn(3000, 4, generator=stream(1), requires_grad=True)
    loss = aesthetic_space_loss(embeddings, scores, stream(2))
    loss.backward()
    assert seen == [256]
    assert loss > 0
    assert embeddings.grad is not None
    assert 0 < int(embeddings.grad.any(1).sum()) <= 256
