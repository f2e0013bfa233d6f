"""The restoration example: its parts do what the page says of them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor

ROOT = Path(__file__).parents[1]
if str(ROOT) not in sys.path:  # examples and docs are not installed
    sys.path.insert(0, str(ROOT))

from docs import restoration as document  # noqa: E402
from examples.restoration import __main__ as example  # noqa: E402
from examples.restoration import losses, measuring, pairs, table  # noqa: E402
from examples.restoration.network import Restorer, rounded  # noqa: E402
from examples.restoration.training import Plan, Trainer  # noqa: E402
from scorers.errors import InputError  # noqa: E402
from scorers.evaluation.audit import sentence  # noqa: E402
from scorers.evaluation.figure import Figure, share  # noqa: E402
from scorers.losses.balance import balanced_weight  # noqa: E402
from scorers.scorer import Scorer  # noqa: E402
from scorers.zoo import load  # noqa: E402


@pytest.fixture
def scorer(scorer_file: str) -> Scorer:
    return load(scorer_file)


def test_the_page_is_up_to_date() -> None:
    written = document.TARGET.read_text(encoding="utf-8")
    assert document.page() == written, "run: python -m docs.restoration"


def test_recorded_sentences_follow_the_recorded_figures() -> None:
    for path in document.AUDITS.glob("*.json"):
        for damage, one in json.loads(path.read_text(encoding="utf-8")).items():
            said = []
            for scorer, figures in one["figures"].items():
                right, tied = figures["pair accuracy"], figures["tied pairs"]
                hits = round((right["value"] - tied["value"]) * right["n"])
                in_order = share([index < hits for index in range(right["n"])])
                gradient = figures.get("gradient towards the better")
                led = None if gradient is None else Figure(**gradient)
                said.append(sentence(scorer, damage, in_order, led))
            assert one["sentences"] == said


def test_train_and_test_photos_are_apart() -> None:
    assert not set(pairs.TRAIN) & set(pairs.TEST)


def test_photos_that_are_too_small_are_named_before_any_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, size in (("a.png", (300, 240)), ("b.png", (300, 200))):
        Image.new("RGB", size).save(tmp_path / name)
    monkeypatch.setattr("sys.argv", ["restoration", "--small", "--train", str(tmp_path)])
    assert example.main() == 2
    assert capsys.readouterr().err == (
        "photos to be learned from must be 224 px high and wide at least, "
        "got 200 x 300 for photo 2 of 2\n"
    )
    record = tmp_path / "gone" / "run.json"
    monkeypatch.setattr("sys.argv", ["restoration", "--small", "--json", str(record)])
    assert example.main() == 2
    assert str(record) in capsys.readouterr().err


@pytest.mark.parametrize("size", [(32, 40), (37, 51)])
def test_an_untrained_network_changes_nothing_and_learns(size: tuple[int, int]) -> None:
    network, photo = Restorer(8), torch.rand(1, 3, *size)
    restored = network(photo)
    torch.testing.assert_close(restored, photo)
    restored.mean().backward()
    assert network.leave.bias.grad is not None
    assert network.leave.bias.grad.abs().sum() > 0


def test_tiles_do_not_overlap() -> None:
    places = torch.arange(70 * 100.0).view(1, 1, 70, 100)
    found = pairs.tiles([places], 32, at_most=4)
    assert len(found) == 4
    values = torch.cat([tile.flatten() for tile in found])
    assert len(values.unique()) == len(values)
    assert len(pairs.tiles([places] * 3, 32, at_most=1)) == 3


@pytest.mark.parametrize("spoil", pairs.TASKS.values())
def test_spoiling_loses_fidelity(spoil: pairs.Spoil, coffee: Tensor) -> None:
    spoilt = spoil(coffee, torch.Generator().manual_seed(0))
    figures = measuring.measure(lambda photo: photo, [spoilt, coffee], [coffee, coffee], {})
    assert figures["PSNR"][0] < 32 < figures["PSNR"][1]
    assert figures["SSIM"][0] < 0.97 < figures["SSIM"][1]


def test_the_perceptual_distance_is_zero_for_equals_and_passes_gradients(
    scorer: Scorer, coffee: Tensor
) -> None:
    near = losses.Perceptual(scorer)
    changed = (coffee + 0.1 * torch.randn_like(coffee)).requires_grad_()
    assert near(coffee, coffee) == 0
    distance = near(changed, coffee)
    distance.backward()
    assert distance > 0
    assert changed.grad is not None
    assert changed.grad.abs().sum() > 0


def test_a_balanced_weight_scales_one_gradient_to_a_share_of_another() -> None:
    x = torch.rand(5).requires_grad_()
    loss, against = x.square().sum(), (3 * x).sum()
    weight = balanced_weight(loss, against, x, 0.25)
    (first,) = torch.autograd.grad(weight * loss, x, retain_graph=True)
    (second,) = torch.autograd.grad(against, x, retain_graph=True)
    assert (first.norm() / second.norm()).item() == pytest.approx(0.25)
    with pytest.raises(InputError, match="strength must be positive, got 0"):
        balanced_weight(loss, against, x, 0)
    with pytest.raises(InputError, match="loss has no gradient"):
        balanced_weight(0 * loss, against, x, 1)


def test_every_loss_trains_from_one_start_and_l1_learns(scorer: Scorer, coffee: Tensor) -> None:
    photo = torch.nn.functional.interpolate(coffee, (240, 300), mode="bilinear")
    plan = Plan(first=40, then=1, batch=1, later=1, width=8, rate=0.003)
    trainer = Trainer([photo], pairs.noise, plan, "cpu")
    start = trainer.pretrain()
    noisy = pairs.noise(coffee, torch.Generator().manual_seed(1))
    with torch.no_grad():
        before, after = ((x - coffee).square().mean() for x in (noisy, start(noisy)))
    assert after < 0.95 * before
    kept = [weight.clone() for weight in start.parameters()]
    outcomes = {}
    for name in losses.NAMES:
        network = trainer.go_on(start, name, scorer, strength=0.5)
        outcomes[name] = torch.cat([weight.detach().flatten() for weight in network.parameters()])
    assert all(torch.equal(a, b) for a, b in zip(kept, start.parameters(), strict=True))
    assert len({round(float(w.double().sum()), 9) for w in outcomes.values()}) == 4


def results(gain: float, fidelity: float) -> dict[str, measuring.Figures]:
    base = {"PSNR": [30.0, 31.0, 29.0], "SSIM": [0.9] * 3, "a": [5.0] * 3, "b": [4.0] * 3}
    changed = base | {
        "PSNR": [value + fidelity for value in base["PSNR"]],
        "a": [5.2] * 3,
        "b": [4.0 + gain] * 3,
    }
    return {"given": base, "L1": base, "L1 + NIMA": changed}


@pytest.mark.parametrize(
    ("gain", "fidelity", "said"),
    [
        (0.1, -0.2, "L1 + NIMA helps (PSNR -0.200"),
        (0.1, -0.4, "does not help: it costs more than 0.3 dB"),
        (-0.1, 0.0, "does not help: b does not gain"),
    ],
)
def test_helping_means_that_every_scorer_gains_and_fidelity_stays(
    gain: float, fidelity: float, said: str
) -> None:
    (answer,) = table.answers(results(gain, fidelity), "a", ["b"])
    assert said in answer
    row = table.lines(results(gain, fidelity), "a", ["b"])[-1]
    assert row.endswith(f"| {4 + gain:.3f} | {0 if gain > 0 else 100}% |")


def test_photos_are_judged_as_files_hold_them() -> None:
    assert torch.equal(
        rounded(torch.tensor([-0.2, 0.5001, 1.7])), torch.tensor([0, 128, 255]) / 255
    )
