"""Where training starts: what a file says holds, and what it cannot say is taken as stated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

import scorers
from scorers.backbones import create
from scorers.card import Architecture, ModelCard
from scorers.convert.torch_state import load_torch_state
from scorers.errors import InputError, WeightsError
from scorers.nima import NIMA
from scorers.scorer import Scorer
from scorers.training.initial import start

NARROW = {"width": 0.25, "folded": True}


def stored(folder: Path, **options: Any) -> Path:
    """A scorer's file, whose card says all."""
    torch.manual_seed(0)
    path = folder / "t.safetensors"
    card = ModelCard("t", Architecture("mobilenet_v1", {**NARROW, **options}), learned_from="00ff")
    Scorer.untrained(card).save(path)
    return path


def bare(folder: Path, backbone: str, **options: Any) -> tuple[NIMA, Path]:
    """A network, and its state dict alone."""
    torch.manual_seed(0)
    network = NIMA(create(backbone, **{**NARROW, **options})).eval()
    path = folder / f"{backbone}.pth"
    torch.save(network.state_dict(), path)
    return network, path


def test_options_that_contradict_a_file_are_refused(tmp_path: Path) -> None:
    path = stored(tmp_path)
    begin = start("mobilenet_v1", {"width": 0.25, "same": False}, weights=path)
    assert begin.architecture.options == NARROW
    assert begin.learned_from == "00ff"
    with pytest.raises(InputError, match=r"t.safetensors is a mobilenet_v1 with same=False, not"):
        start("mobilenet_v1", {"width": 0.25, "same": True}, weights=path)
    with pytest.raises(InputError, match=r"with width=0\.25, not the width=1\.0 asked"):
        start("mobilenet_v1", {"width": 1.0}, weights=path)
    with pytest.raises(InputError, match="mobilenet_v1 has no option 'wide' "):
        start("mobilenet_v1", {"wide": 1}, weights=path)
    with pytest.raises(InputError, match="is a mobilenet_v1, not the vgg16 asked for"):
        start("vgg16", {"dense": False}, weights=path)


def test_a_state_dict_cannot_tell_its_padding_and_takes_what_is_stated(tmp_path: Path) -> None:
    network, path = bare(tmp_path, "mobilenet_v1", same=True)
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        found = start("mobilenet_v1", {"same": True}, weights=path).network.eval()
        torch.testing.assert_close(found(image), network(image))
        assert not torch.allclose(start(weights=path).network.eval()(image), network(image))
    with pytest.raises(InputError, match="with folded=True, not the folded=False asked for"):
        start("mobilenet_v1", {"folded": False}, weights=path)
    with pytest.raises(InputError, match=r"with width=0\.25, not the width=0\.5 asked"):
        start("mobilenet_v1", {"width": 0.5}, weights=path)


def test_a_width_that_its_channels_round_is_taken_as_stated(tmp_path: Path) -> None:
    network, path = bare(tmp_path, "mobilenet_v1", width=0.35)
    begin = start("mobilenet_v1", {"width": 0.35}, weights=path)
    assert begin.architecture.options == {"width": 0.35, "folded": True}
    assert torch.equal(begin.network.head.weight, network.head.weight)


@pytest.mark.parametrize("hidden", [0, 8])
def test_many_levels_are_recognised(hidden: int, tmp_path: Path) -> None:
    network, path = bare(tmp_path, "mobilenet_v1_multilevel", neck=16, hidden=hidden)
    found, architecture = load_torch_state(path)
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(found(image), network(image))
    assert architecture.backbone == "mobilenet_v1_multilevel"
    assert scorers.load(path).card.architecture == architecture


def test_other_levels_must_be_stated(tmp_path: Path) -> None:
    network, path = bare(tmp_path, "mobilenet_v1_multilevel", levels=(2, 13), neck=16)
    with pytest.raises(WeightsError, match=r"its neck mixes 576 statistics, which levels=\[1, 2,"):
        scorers.load(path)
    with pytest.raises(WeightsError, match=r"levels=\[2, 14\] do not give"):
        start("mobilenet_v1_multilevel", {"levels": [2, 14]}, weights=path)
    begin = start("mobilenet_v1_multilevel", {"levels": [2, 13]}, weights=path)
    assert begin.architecture.options["levels"] == [2, 13]
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(begin.network.eval()(image), network(image))


@pytest.mark.parametrize("classes", [1000, 10])
def test_bn_inception_answers_as_when_it_is_shown_blue_green_and_red(
    classes: int, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    body = create("inception_v2", folded=True).eval()
    last = torch.nn.Linear(1024, classes).state_dict(prefix="last_linear.")
    torch.save(body.state_dict() | last, tmp_path / "bninception.pth")
    begin = start("inception_v2", {"folded": True}, weights=tmp_path / "bninception.pth")
    image = torch.rand(2, 3, 64, 64)
    as_published = image.flip(1) * 255 - torch.tensor([104.0, 117.0, 128.0])[:, None, None]
    with torch.no_grad():
        wanted = body(as_published)
        found = begin.network.backbone.eval()(begin.preprocess.normalise(image))
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4 * wanted.abs().max().item())


def test_our_own_bn_inception_is_not_guessed_at(tmp_path: Path) -> None:
    with torch.device("meta"):
        names = NIMA(create("inception_v2", folded=True)).state_dict()
    state = {name: torch.zeros(tensor.shape) for name, tensor in names.items()}
    torch.save(state, tmp_path / "own.pth")
    with pytest.raises(WeightsError, match="does not say how its BN-Inception was shown photos"):
        start("inception_v2", {"folded": True}, weights=tmp_path / "own.pth")
