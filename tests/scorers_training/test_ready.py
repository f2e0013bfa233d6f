"""What is seen to before the first step, and while there is little of something."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from scorers.backbones.multilevel import MultiLevelMobileNetV1
from scorers.errors import InputError
from scorers.nima import NIMA
from scorers.ratings.readers import read_table
from scorers.training.batches import Batches
from scorers.training.distributed import World, find_device
from scorers.training.fit import Fit, Rated, _Answering
from scorers.training.initial import InitialNetwork, start
from scorers.training.objectives import OBJECTIVES
from scorers.training.ready import check_norms, make_ready
from scorers.training.stages import recipe
from scorers.training.views import ViewDataset

CPU = torch.device("cpu")
LEVELS = {"width": 0.25, "folded": True, "levels": (2, 13), "neck": 8}


def rated(folder: Path, count: int) -> Rated:
    table = read_table(folder / "ratings.csv").take(range(count))
    files = [table.folder / name for name in table.names]
    return Rated(ViewDataset(files, 32, seed=0, keep=True), table.opinions)


def fit(begin: InitialNetwork, folder: Path, out: Path, *, seen: int = 8, **changes: Any) -> Fit:
    plan = replace(recipe("two-stage").with_epochs((1, 0)), batch=4)
    photos = rated(folder, seen)
    options: dict[str, Any] = {
        "network": begin.network, "preprocess": begin.preprocess, "recipe": plan, "train": photos,
        "buckets": tuple(range(1, 11)), "objective": OBJECTIVES["emd"], "validation": photos,
        "out": out, **changes,
    }  # fmt: skip
    return Fit(**options)


def test_many_levels_are_standardised_before_the_first_step(
    rated_folder: Path, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    begin = start("mobilenet_v1_multilevel", LEVELS, size=32)
    levels = begin.network.backbone
    assert isinstance(levels, MultiLevelMobileNetV1)
    photos, batches = rated(rated_folder, 16).views, Batches(16, 8)
    make_ready(
        begin.network, begin.preprocess, photos, batches, recipe("two-stage").stages,
        World(0, 1, CPU),
    )  # fmt: skip
    drawn = batches.places(0).view(-1, 2).tolist()
    shown = torch.stack([photos[0, place, row][0] for place, row in drawn])
    with torch.no_grad():
        pooled = levels.pooled(begin.preprocess.normalise(shown.float() / 255))
    standard = (pooled - levels.centre) / levels.spread
    torch.testing.assert_close(standard.mean(0), torch.zeros(len(standard[0])), atol=1e-2, rtol=0)
    assert (standard.std(0) < 1.001).all()
    assert (standard.std(0) > 0.99).any()

    centre = levels.centre.clone()
    fit(begin, rated_folder, tmp_path).run()  # weights that hold a standard keep it
    assert torch.equal(levels.centre, centre)


def test_a_run_of_many_levels_begins_with_their_standard(
    rated_folder: Path, tmp_path: Path
) -> None:
    begin = start("mobilenet_v1_multilevel", LEVELS, size=32)
    state = fit(begin, rated_folder, tmp_path).run()
    assert state["backbone.centre"].any()
    assert (state["backbone.spread"] != 1).any()


def test_batch_norm_is_not_trained_on_one_value() -> None:
    network = start("mobilenet_v1", {"width": 0.25}).network
    network.train()
    with pytest.raises(InputError, match="2 photos a process at least with views of 32x32, got 1"):
        check_norms(network, 32, CPU)
    assert network.training
    check_norms(network, 64, CPU)  # whose last maps have four values
    check_norms(start("mobilenet_v1", {"width": 0.25, "folded": True}).network, 32, CPU)


def test_one_photo_a_step_trains_a_head_above_frozen_norms(
    rated_folder: Path, tmp_path: Path
) -> None:
    begin = start("mobilenet_v1", {"width": 0.25}, size=32)
    plan = replace(recipe("two-stage").with_epochs((1, 0)), batch=1)
    fit(begin, rated_folder, tmp_path, seen=2, recipe=plan, validation=None).run()


class SecondOfTwo(World):
    """The second of two processes, as if the first held the whole answer."""

    def gather(self, rows: torch.Tensor) -> torch.Tensor:
        assert rows.shape == (0, 10)
        return torch.full((1, 10), 0.1)


def test_a_process_without_a_validation_photo_has_nothing_to_say(
    rated_folder: Path, tmp_path: Path
) -> None:
    begin = start("mobilenet_v1", {"width": 0.25, "folded": True}, size=32)
    run = fit(
        begin, rated_folder, tmp_path, validation=rated(rated_folder, 1),
        world=SecondOfTwo(1, 2, CPU),
    )  # fmt: skip
    best = run._validate(_Answering(begin.network, begin.preprocess), {}, 1, 0, None)
    assert best["epoch"] == 0


class Sixteens(torch.nn.Module):
    """A backbone whose answer is of 16 bits, as under autocast."""

    num_features = 4

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return image.mean((2, 3)).repeat(1, 2)[:, :4].bfloat16()


def test_opinions_are_in_full_precision_whatever_the_features_are() -> None:
    """In bfloat16 the two logits, of one part in a thousand between, would be one."""
    network = NIMA(Sixteens(), buckets=2).eval()
    network.head.weight.data = torch.tensor([[1.0, 0, 0, 0], [1.001, 0, 0, 0]])
    network.head.bias.data.zero_()
    begin = start("mobilenet_v1", {"width": 0.25, "folded": True})
    shown = replace(begin.preprocess, mean=(0.0, 0.0, 0.0), std=(1 / 256,) * 3)
    with torch.autocast("cpu", dtype=torch.bfloat16), torch.no_grad():
        _, said = _Answering(network, shown)(torch.full((1, 3, 32, 32), 255))
    assert (said[0, 1] - said[0, 0]).item() == pytest.approx(math.tanh(0.128), abs=1e-3)


@pytest.mark.parametrize("name", ["mps", "meta", "xla", "fast"])
def test_devices_that_nothing_was_tried_on_are_refused(name: str) -> None:
    with pytest.raises(InputError, match=f"device must be cpu, cuda or cuda:N, got '{name}'"):
        find_device(name)
