"""NIMA that may not work against fidelity: what the guards promise."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from scorers.errors import InputError
from scorers.losses import GuardedNIMALoss, NIMALoss
from scorers.losses.guarded import l1, project
from scorers.scorer import Scorer


def images(seed: int = 0, size: tuple[int, int] = (20, 27)) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    clean = torch.rand(2, 3, *size, generator=generator)
    restored = clean + 0.1 * torch.randn(clean.shape, generator=generator)
    return restored.requires_grad_(), clean


def windows(values: Tensor, side: int) -> Tensor:
    """``(B, C, H, W)`` to the sums of its windows, one by one."""
    rows = [part.split(side, -1) for part in values.split(side, -2)]
    return torch.stack([part.sum((1, 2, 3)) for row in rows for part in row])


@given(st.integers(0, 10_000), st.integers(1, 30))
def test_what_is_left_opposes_in_no_window_and_is_the_nearest_such(seed: int, side: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    g, f = torch.randn(2, 2, 3, 17, 23, generator=generator, dtype=torch.double)
    kept = project(g, f, side)
    assert bool((windows(kept * f, side) >= -1e-9).all())
    # a projection on a cone: what was taken is at right angles to what is left
    assert windows((g - kept) * kept, side).abs().max() < 1e-9
    torch.testing.assert_close(project(kept, f, side), kept)


def test_what_does_not_oppose_is_left_alone() -> None:
    g = torch.rand(1, 3, 8, 8)
    assert torch.equal(project(g, g, 4), g)
    assert torch.equal(project(g, torch.zeros_like(g), 4), g)
    assert torch.equal(project(-g, g, 0), -g)
    assert project(-g, g, 4).abs().max() < 1e-6


@pytest.mark.parametrize("window", [1, 8])
def test_a_small_step_never_increases_the_error_of_a_window(scorer: Scorer, window: int) -> None:
    restored, clean = images()
    nima = NIMALoss(scorer, crops=0, weight=100.0)
    loss = GuardedNIMALoss(nima, window)
    loss(restored, clean).backward()
    assert restored.grad is not None
    fidelity = (restored - clean).sign() / clean[0].numel() / len(clean)
    step = restored.grad - fidelity  # NIMA's part alone
    assert step.abs().sum() > 0
    smallest = (restored - clean).detach().abs().min()
    after = restored.detach() - step / step.abs().max() * smallest * 0.99
    before, now = ((x - clean).abs().detach() for x in (restored, after))
    assert bool((windows(now - before, window) <= 1e-5).all())
    # and without the guard it does
    free = torch.autograd.grad(nima(restored), restored)[0]
    loose = restored.detach() - free / free.abs().max() * smallest * 0.99
    assert bool((windows((loose - clean).abs() - before, window) > 1e-5).any())


def test_its_value_is_fidelity_and_nima(scorer: Scorer) -> None:
    restored, clean = images()
    nima = NIMALoss(scorer, crops=0, weight=0.1)
    loss = GuardedNIMALoss(nima)
    expected = (l1(restored, clean).mean() + nima(restored)).item()
    assert loss(restored, clean).item() == pytest.approx(expected, abs=1e-6)
    with torch.no_grad():
        assert loss(restored, clean).item() == pytest.approx(expected, abs=1e-6)


def test_unguarded_its_gradient_is_the_plain_sums(scorer: Scorer) -> None:
    restored, clean = images()
    nima = NIMALoss(scorer, crops=0, weight=0.1)
    plain = torch.autograd.grad(l1(restored, clean).mean() + nima(restored), restored)[0]
    guarded = GuardedNIMALoss(nima, window=0)(restored, clean)
    torch.testing.assert_close(torch.autograd.grad(guarded, restored)[0], plain)


def test_over_budget_only_fidelity_counts(scorer: Scorer) -> None:
    restored, clean = images()
    errors = l1(restored, clean).detach()
    budget = torch.stack([errors[0] * 2, errors[1] / 2])
    loss = GuardedNIMALoss(NIMALoss(scorer, crops=0), window=0)
    found = torch.autograd.grad(loss(restored, clean, budget), restored)[0]
    fidelity = (restored - clean).sign() / clean.numel()
    torch.testing.assert_close(found[1], fidelity[1])
    assert (found[0] - fidelity[0]).abs().max() > 1e-4


def test_a_budget_may_be_one_for_all(scorer: Scorer) -> None:
    restored, clean = images()
    loss = GuardedNIMALoss(NIMALoss(scorer, crops=0))
    one, each = (loss(restored, clean, budget) for budget in (0.2, torch.full((2,), 0.2)))
    assert one.item() == each.item()


def test_gradients_scale_and_pass_float16(scorer: Scorer) -> None:
    restored, clean = images()
    loss = GuardedNIMALoss(NIMALoss(scorer, crops=0, weight=1e-3))
    plain = torch.autograd.grad(loss(restored, clean), restored)[0]
    half = restored.detach().half().requires_grad_()
    scaled = torch.autograd.grad(2.0**14 * loss(half, clean), half)[0]
    near = torch.cosine_similarity(plain.flatten(), scaled.float().flatten(), dim=0)
    assert near > 0.95


def test_mistakes_are_named(scorer: Scorer) -> None:
    restored, clean = images()
    loss = GuardedNIMALoss(NIMALoss(scorer))
    with pytest.raises(InputError, match="one shape"):
        loss(restored, clean[:1])
    with pytest.raises(InputError, match="carries no gradient"):
        loss(restored.detach(), clean)
    with pytest.raises(InputError, match="positive weight"):
        (-loss(restored, clean)).backward()
    with pytest.raises(InputError, match=r"fidelity must answer one error a photo, \(2,\), got"):
        GuardedNIMALoss(NIMALoss(scorer), fidelity=F.l1_loss)(restored, clean)
    with pytest.raises(InputError, match=r"budget must be one error a photo, \(2,\), or one"):
        loss(restored, clean, torch.ones(3))
    with pytest.raises(InputError, match="window=-1"):
        GuardedNIMALoss(NIMALoss(scorer), window=-1)
