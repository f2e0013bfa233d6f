"""A scorer as a loss: gradients, targets, weights, memory, arithmetic, and an ordinary module."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from scorers import opinion
from scorers.card import Architecture, ModelCard
from scorers.errors import InputError, OpinionError
from scorers.losses import GuardedNIMALoss, NIMALoss, Ramp
from scorers.losses.views import native_crops, whole_views
from scorers.nima import NIMA
from scorers.preprocess import Preprocess
from scorers.scorer import Scorer


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(3)


def photos(count: int = 2, height: int = 40, width: int = 48) -> Tensor:
    return torch.rand(count, 3, height, width, generator=seeded()).requires_grad_()


def gradient(loss: Tensor, image: Tensor) -> Tensor:
    (found,) = torch.autograd.grad(loss, image)
    return found


class Smooth(nn.Module):
    """A backbone without kinks, at which finite differences would be wrong."""

    num_features = 6

    def __init__(self) -> None:
        super().__init__()
        layers = [nn.Conv2d(3, 6, 3, 2), nn.Tanh(), nn.Conv2d(6, 6, 3), nn.Tanh()]
        self.features = nn.Sequential(*layers)

    def forward(self, image: Tensor) -> Tensor:
        maps: Tensor = self.features(image)
        return maps.mean((-2, -1))


@pytest.fixture
def smooth() -> Scorer:
    torch.manual_seed(0)
    network = NIMA(Smooth())
    network.head.weight.data.normal_(std=3)
    shown = Preprocess(size=8)
    return Scorer(network, ModelCard("smooth", Architecture("none"), shown))


@pytest.mark.parametrize("options", [{"crops": 2}, {"crops": 0, "whole": 2}, {"crops": 0}])
@pytest.mark.parametrize("to_opinion", [False, True])
def test_gradients_are_those_of_finite_differences(
    smooth: Scorer, options: dict[str, int], to_opinion: bool
) -> None:
    scorer = smooth.double()
    target = torch.linspace(0.01, 0.19, 10) if to_opinion else None
    image = torch.rand(1, 3, 9, 10, dtype=torch.double, generator=seeded()).requires_grad_()

    def value(image: Tensor) -> Tensor:
        # a new generator each time: all evaluations see the same views
        loss = NIMALoss(scorer, target, **options, weight=0.5, checks=0, generator=seeded())
        return loss.double()(image)

    assert torch.autograd.gradcheck(value, image, fast_mode=True)


def test_whole_views_reach_pixels_that_a_fixed_grid_misses(smooth: Scorer) -> None:
    card = replace(smooth.card, preprocess=Preprocess(size=8, method="nearest"))
    scorer = Scorer(smooth.network, card)
    image = photos(1, 40, 40)

    def reached(**options: int) -> float:
        loss = NIMALoss(scorer, crops=0, generator=seeded(), **options)
        return (gradient(loss(image), image).abs().sum(1) > 0).float().mean().item()

    assert reached() <= 64 / 1600
    assert reached(whole=100) > 0.5


def test_views_are_cuts_with_the_images_own_gradient() -> None:
    image = torch.arange(2 * 3 * 20 * 30.0).view(2, 3, 20, 30).requires_grad_()
    for views in (native_crops(image, 8, 5, seeded()), whole_views(image, 5, seeded(), keep=0.5)):
        counted = gradient(views.sum(), image)
        assert counted.sum() == views.numel()
        assert torch.equal(counted, counted.round())
        assert bool((counted.flatten(1).sum(1) == views[0].numel()).all())  # each image on its own


def test_an_opinion_as_target_is_met_by_itself_only(scorer: Scorer) -> None:
    image = photos(1).detach()
    said = scorer.opinion(image)[0]
    assert NIMALoss(scorer, said, crops=0).eval()(image).item() == pytest.approx(0, abs=1e-6)
    certain = torch.eye(10)[9]
    away = NIMALoss(scorer, certain, crops=0).eval()(image)
    assert away.item() == pytest.approx(opinion.emd(said, certain, r=2).item(), abs=1e-6)


def test_a_target_that_is_no_opinion_is_refused(scorer: Scorer) -> None:
    with pytest.raises(OpinionError, match="shares that sum to 1, got"):
        NIMALoss(scorer, torch.full((10,), 0.2))
    with pytest.raises(InputError, match=r"over 10 buckets, got shape \(4,\)"):
        NIMALoss(scorer, torch.full((4,), 0.25))
    with pytest.raises(InputError, match="target must be finite, got nan"):
        NIMALoss(scorer, float("nan"))


def test_weights_count_photos_and_may_leave_one_out(scorer: Scorer) -> None:
    image = photos(2)
    loss = NIMALoss(scorer, crops=0)
    each = loss.each(image).detach()
    weights = torch.tensor([2.0, 0.0])
    value = loss(image, weights)
    assert value.item() == pytest.approx(each[0].item(), abs=1e-5)
    found = gradient(value, image)
    assert found[0].abs().sum() > 0
    assert found[1].abs().sum() == 0
    with pytest.raises(InputError, match=r"one a photo, \(2,\), got \(3,\)"):
        loss(image, torch.ones(3))


def test_the_schedule_counts_training_steps_and_survives_a_checkpoint(scorer: Scorer) -> None:
    image = photos(1)
    loss = NIMALoss(scorer, crops=0, weight=Ramp(1.0, start=1, steps=2), checks=0)
    full = loss.each(image).mean().item()
    with torch.no_grad():
        loss(image)  # judging is no step
    weights = [loss(image).item() / full for _ in range(4)]
    assert weights == pytest.approx([0, 0, 0.5, 1.0], abs=1e-5)
    later = NIMALoss(scorer, crops=0, weight=Ramp(1.0, start=100))
    later.load_state_dict(loss.state_dict())
    assert later.step == 4


def test_a_ramp_cannot_start_before_the_first_step() -> None:
    with pytest.raises(InputError, match="got start=-1, steps=0"):
        Ramp(1.0, start=-1)


@pytest.mark.parametrize("weight", [-1.0, float("nan"), float("inf"), lambda step: -1e-3])
def test_a_weight_that_would_maximise_the_loss_is_refused(scorer: Scorer, weight: object) -> None:
    with pytest.raises(InputError, match="weight"):
        NIMALoss(scorer, weight=weight)(photos(1))  # type: ignore[arg-type]


@pytest.mark.parametrize("shape", [(3, 40, 40), (2, 1, 40, 40), (1, 3, 40)])
def test_what_is_no_batch_of_photos_is_refused_as_it_was_passed(
    scorer: Scorer, shape: tuple[int, ...]
) -> None:
    image = torch.rand(shape).requires_grad_()
    rule = re.escape(f"image must be (B, 3, H, W), got {shape}")
    for loss in (NIMALoss(scorer), NIMALoss(scorer, checks=0)):
        with pytest.raises(InputError, match=rule):
            loss(image)
    with pytest.raises(InputError, match=rule):
        GuardedNIMALoss(NIMALoss(scorer))(image, image.detach())


def test_checkpointing_keeps_the_gradient_and_not_the_activations(smooth: Scorer) -> None:
    image = photos(2)
    kept: list[int] = []

    def remember(tensor: Tensor) -> Tensor:
        kept[-1] += tensor.numel()
        return tensor

    found = []
    for at_once in (0, 1):
        kept.append(0)
        loss = NIMALoss(smooth, crops=3, checkpoint=at_once, generator=seeded())
        with torch.autograd.graph.saved_tensors_hooks(remember, lambda tensor: tensor):
            value = loss(image)
        found.append(gradient(value, image))
    torch.testing.assert_close(*found)
    assert kept[1] < kept[0] / 2


def test_lower_precision_changes_little_and_answers_in_float32(scorer: Scorer) -> None:
    image = photos(2)
    found = []
    for precision in (None, torch.bfloat16):
        loss = NIMALoss(scorer, crops=2, precision=precision, generator=seeded())
        value = loss(image)
        assert value.dtype == torch.float32
        found.append((value.item(), gradient(value, image).flatten()))
    (first, plain), (second, coarse) = found
    assert second == pytest.approx(first, abs=0.3)
    assert torch.cosine_similarity(plain, coarse, dim=0) > 0.9
    assert second != first


def test_autocast_and_a_scaler_around_it_work(scorer: Scorer) -> None:
    image = photos(1)
    loss = NIMALoss(scorer, crops=0)
    plain = gradient(loss(image), image)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    with torch.autocast("cpu", torch.bfloat16):
        value = loss(image)
    scaled = gradient(scaler.scale(value), image) / 1024
    assert value.dtype == torch.float32
    assert torch.cosine_similarity(plain.flatten(), scaled.flatten(), dim=0) > 0.9


def test_a_plain_loop_moves_an_image_towards_the_target(scorer: Scorer) -> None:
    image = nn.Parameter(photos(1).detach())
    loss = NIMALoss(scorer, crops=0)
    optimiser = torch.optim.SGD([image], lr=0.05)
    values = []
    for _ in range(15):
        optimiser.zero_grad()
        value = loss(image)
        value.backward()
        optimiser.step()
        values.append(value.item())
    assert values[-1] < values[0] - 0.1


def test_it_is_an_ordinary_module(scorer: Scorer) -> None:
    model = nn.ModuleDict({"net": nn.Conv2d(3, 3, 1), "looks": NIMALoss(scorer, crops=1)})
    assert {name for name, p in model.named_parameters() if p.requires_grad} == {
        "net.weight",
        "net.bias",
    }
    model.train()
    assert not any(module.training for module in scorer.modules())
    model.load_state_dict(model.state_dict())
    model.to(torch.double)
    assert model["looks"].scorer.buckets.dtype == torch.double


LIGHTNING = """
import sys, warnings
warnings.simplefilter("ignore")
import lightning, torch
from torch import nn
import scorers

class Restoration(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = nn.Conv2d(3, 3, 3, padding=1)
        looks = scorers.NIMALoss(sys.argv[1], crops=1, weight=0.01, precision=torch.bfloat16)
        self.loss = scorers.GuardedNIMALoss(looks)

    def training_step(self, batch, index):
        noisy, clean = batch
        return self.loss(self.net(noisy).sigmoid(), clean)

    def validation_step(self, batch, index):
        self.log("val", self.loss(self.net(batch[0]).sigmoid(), batch[1]))

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=0.01)

torch.manual_seed(0)
clean = torch.rand(4, 3, 64, 64)
pairs = torch.utils.data.DataLoader(list(zip(clean + 0.1 * torch.randn_like(clean), clean)), 2)
module = Restoration()
before = module.net.weight.detach().clone()
judge = [p.clone() for p in module.loss.nima.scorer.parameters()]
trainer = lightning.Trainer(
    max_epochs=2, accelerator="cpu", logger=False, enable_checkpointing=False,
    enable_progress_bar=False, enable_model_summary=False, num_sanity_val_steps=1,
)
trainer.fit(module, pairs, pairs)
assert not torch.equal(before, module.net.weight)
assert all(torch.equal(a, b) for a, b in zip(judge, module.loss.nima.scorer.parameters()))
print("steps", int(module.loss.nima.step))
"""


def test_lightning_trains_with_it(scorer_file: str, tmp_path: Path) -> None:
    pytest.importorskip("lightning", exc_type=ImportError)
    # a process of its own: Lightning changes settings of PyTorch and of warnings
    done = subprocess.run(
        [sys.executable, "-c", LIGHTNING, scorer_file],
        capture_output=True, text=True, cwd=tmp_path, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-2:] == ["steps", "4"]  # judging in validation is no step
