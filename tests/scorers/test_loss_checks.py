"""The usual mistakes with a scorer as a loss are found, and only they."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from scorers.errors import InputError
from scorers.losses import GuardedNIMALoss, NIMALoss
from scorers.scorer import Scorer


@pytest.fixture
def image(coffee: Tensor) -> Tensor:
    return coffee.clone().requires_grad_()


def test_a_detached_image_is_refused_while_training_and_fine_while_judging(
    scorer: Scorer, image: Tensor
) -> None:
    loss = NIMALoss(scorer)
    with pytest.raises(InputError, match=r"carries no gradient.*detached"):
        loss(image.detach())
    with torch.no_grad():
        loss(image)
    loss.eval()(image.detach())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x: 255 * x, "to 255; divide 0..255 values by 255"),
        (lambda x: 2 * x - 1, r"map \[-1, 1\] by \(image \+ 1\) / 2"),
        (lambda x: (x - 0.45) / 0.225, "must lie in"),
        (lambda x: x * float("nan"), "must be finite"),
        (lambda x: x / 0, "must be finite"),
    ],
)
def test_a_wrong_range_is_named(scorer: Scorer, image: Tensor, change, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match=message):
        NIMALoss(scorer)(change(image))


def test_overshoot_of_a_learning_network_is_no_mistake(scorer: Scorer, image: Tensor) -> None:
    noise = torch.randn(image.shape, generator=torch.Generator().manual_seed(0))
    NIMALoss(scorer)(image + 0.1 * noise).backward()


def test_a_scorer_in_training_mode_is_refused(scorer: Scorer, image: Tensor) -> None:
    loss = NIMALoss(scorer)
    scorer.network.train()
    with pytest.raises(InputError, match=r"evaluation mode, but .* call scorer.eval\(\)"):
        loss(image)
    scorer.eval()
    loss(image)


def test_a_scorer_that_would_learn_is_refused(scorer: Scorer, image: Tensor) -> None:
    loss = NIMALoss(scorer)
    scorer.network.head.requires_grad_(True)
    with pytest.raises(InputError, match=r"frozen, but head.weight would be trained"):
        loss(image)


@pytest.mark.parametrize("weight", [-1.0, -0.01])
def test_maximising_is_refused(scorer: Scorer, image: Tensor, weight: float) -> None:
    fidelity = (image - 0.5).abs().mean()
    with pytest.raises(InputError, match=f"weighted with {weight:.3g}.*positive weight"):
        (fidelity + weight * NIMALoss(scorer)(image)).backward()


def test_a_scorer_without_gradient_is_refused(scorer: Scorer, image: Tensor) -> None:
    class Silent(Scorer):
        @torch.no_grad()
        def opinion(self, image: Tensor) -> Tensor:
            return super().opinion(image)

    with pytest.raises(InputError, match="passes no gradient"):
        NIMALoss(Silent(scorer.network, scorer.card))(image)


def test_a_zero_gradient_is_refused_but_not_where_it_is_right(
    scorer: Scorer, image: Tensor
) -> None:
    (0 * NIMALoss(scorer)(image)).backward()  # the user's own schedule starts at 0
    NIMALoss(scorer, target=1.0)(image).backward()  # the target is reached
    NIMALoss(scorer, weight=0.0)(image).backward()
    first = scorer.network.backbone.features.conv1
    assert isinstance(first.bias, nn.Parameter)
    first.bias.data.fill_(-1e3)  # every ReLU after it is cut off
    with pytest.raises(InputError, match="zero everywhere"):
        NIMALoss(scorer)(image).backward()


def test_checks_that_cost_time_end_after_the_first_calls(scorer: Scorer, image: Tensor) -> None:
    loss = NIMALoss(scorer, checks=1)
    loss(image)
    (-loss(300 * image)).backward()
    NIMALoss(scorer, checks=0)(300 * image)
    with pytest.raises(InputError, match="carries no gradient"):
        loss(image.detach())  # free, so never left out


@pytest.mark.parametrize("weight", [-1.0, float("nan"), float("inf")])
def test_a_photo_is_not_weighed_to_look_worse(scorer: Scorer, image: Tensor, weight: float) -> None:
    loss = NIMALoss(scorer)
    with pytest.raises(InputError, match=f"`0 <= weights < inf` must hold, but got {weight:g}"):
        loss(image, torch.tensor([weight]))
    assert loss(image, torch.tensor([0.0])) == 0


@pytest.mark.parametrize("precision", [torch.float32, torch.float64, torch.int8])
def test_a_precision_that_saves_nothing_is_refused(scorer: Scorer, precision: torch.dtype) -> None:
    with pytest.raises(InputError, match=f"or None, got {precision}"):
        NIMALoss(scorer, precision=precision)


def test_a_budget_is_a_number(scorer: Scorer, image: Tensor) -> None:
    loss = GuardedNIMALoss(NIMALoss(scorer))
    with pytest.raises(InputError, match="budget must be an error, or inf for no limit, got nan"):
        loss(image, image.detach(), budget=float("nan"))
    loss(image, image.detach(), budget=float("inf"))


def test_a_guarded_loss_without_checks_watches_nothing(scorer: Scorer, image: Tensor) -> None:
    clean = (image + 0.1).detach().clamp(0, 1)
    unwatched = GuardedNIMALoss(NIMALoss(scorer, checks=0))
    (-unwatched(image, clean)).backward()
    watched = GuardedNIMALoss(NIMALoss(scorer, checks=1))
    with pytest.raises(InputError, match="must be minimised"):
        (-watched(image, clean)).backward()
    (-watched(image, clean)).backward()  # only the first call was examined
