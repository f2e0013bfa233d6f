"""Published PyTorch state dicts: recognised by their names, refused when they are not."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import scorers
from scorers.backbones import create
from scorers.convert.torch_state import from_state, load_backbone, load_torch_state
from scorers.errors import WeightsError
from scorers.nima import NIMA

Named = dict[str, Tensor]


def small_states() -> dict[str, tuple[NIMA, Named]]:
    """Layouts found in the wild, made from networks with known weights."""
    torch.manual_seed(0)
    v1 = NIMA(create("mobilenet_v1", width=0.25, folded=True))
    v2 = NIMA(create("mobilenet_v2", width=0.35))
    state = v2.state_dict()

    def renamed(backbone: str, head: str) -> Named:
        names = ((name.replace("backbone.", backbone), t) for name, t in state.items())
        return {name.replace("head.", head): tensor for name, tensor in names}

    return {
        "ours": (v1, v1.state_dict()),
        "torchvision mobilenet_v2": (v2, renamed("", "classifier.1.")),
        "wrapped mobilenet_v2": (
            v2,
            {
                name.replace("backbone.features.", "base_model.0.").replace("head.", "head.2."): t
                for name, t in state.items()
            },
        ),
        "data parallel": (v2, {f"module.{k}": t for k, t in renamed("", "classifier.1.").items()}),
    }


@pytest.mark.parametrize("layout", sorted(small_states()))
def test_known_layouts_are_recognised(layout: str, tmp_path: Path) -> None:
    network, state = small_states()[layout]
    path = tmp_path / "published.pth"
    torch.save(state, path)
    found, _ = load_torch_state(path)
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(found(image), network.eval()(image))
    assert scorers.load(path).card.name == "published"


@pytest.mark.parametrize("dense", [True, False])
def test_vgg16_heads_are_told_apart(dense: bool) -> None:
    with torch.device("meta"):
        state = {
            name.replace("backbone.", "").replace("head.", f"classifier.{6 if dense else 1}."): t
            for name, t in NIMA(create("vgg16", dense=dense)).state_dict().items()
        }
        _, architecture = from_state(state, "vgg.pth")
    assert architecture.backbone == "vgg16"
    assert architecture.options == ({} if dense else {"dense": False})


def test_bn_inception_needs_a_stated_preprocessing(tmp_path: Path) -> None:
    network = NIMA(create("inception_v2"))
    state = {
        name.replace("backbone.", "").replace("head.", "last_linear."): tensor
        for name, tensor in network.state_dict().items()
    }
    torch.save(state, tmp_path / "inception.pth")
    _, architecture = load_torch_state(tmp_path / "inception.pth")
    assert architecture.backbone == "inception_v2"
    with pytest.raises(WeightsError, match="state a Preprocess"):
        scorers.load(tmp_path / "inception.pth")


def test_checkpoints_are_looked_into(tmp_path: Path) -> None:
    network, state = small_states()["ours"]
    torch.save({"state_dict": state, "epoch": 3}, tmp_path / "checkpoint.pt")
    found, architecture = load_torch_state(tmp_path / "checkpoint.pt")
    assert architecture.options == {"width": 0.25, "folded": True}
    assert torch.equal(found.head.weight, network.head.weight)


def test_an_imagenet_classifier_initialises_a_backbone(tmp_path: Path) -> None:
    torch.manual_seed(0)
    source = create("mobilenet_v2", width=0.35)
    classifier = nn.Linear(1280, 1000)
    torch.save(
        source.state_dict()
        | {"classifier.1.weight": classifier.weight, "classifier.1.bias": classifier.bias},
        tmp_path / "imagenet.pth",
    )
    target = create("mobilenet_v2", width=0.35)
    load_backbone(target, tmp_path / "imagenet.pth")
    for name, tensor in source.state_dict().items():
        assert torch.equal(target.state_dict()[name], tensor)
    with pytest.raises(WeightsError, match="1000 classes, so an image classifier"):
        load_torch_state(tmp_path / "imagenet.pth")
    with pytest.raises(WeightsError, match="features"):
        load_backbone(create("mobilenet_v2", width=0.5), tmp_path / "imagenet.pth")


def test_what_is_not_a_state_dict_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "odd.pth"
    torch.save([torch.zeros(1)], path)
    with pytest.raises(WeightsError, match="holds no state dict"):
        load_torch_state(path)
    torch.save({"fc.weight": torch.zeros(1)}, path)
    with pytest.raises(WeightsError, match="no last layer"):
        load_torch_state(path)
    torch.save({"head.weight": torch.zeros(10, 8), "head.bias": torch.zeros(10)}, path)
    with pytest.raises(WeightsError, match="no backbone known here"):
        load_torch_state(path)
    path.write_bytes(b"half a zip fi")
    with pytest.raises(WeightsError, match="not a PyTorch file"):
        load_torch_state(path)
    with pytest.raises(WeightsError, match="no such file"):
        load_torch_state(tmp_path / "nowhere.pth")


class Payload:
    """Unpickling this would touch a file."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (self.target,)


def test_no_code_in_a_file_is_run(tmp_path: Path) -> None:
    target = tmp_path / "touched"
    path = tmp_path / "evil.pth"
    torch.save({"head.weight": Payload(target)}, path)
    assert pickle.loads(pickle.dumps(Payload(tmp_path / "armed"))) is None
    assert (tmp_path / "armed").exists()  # the payload works where pickles are trusted
    with pytest.raises(WeightsError, match="tensors only"):
        load_torch_state(path)
    assert not target.exists()


HEAD = {"head.weight": torch.rand(10, 1024), "head.bias": torch.rand(10)}
STEM = {**HEAD, "features.conv1.weight": torch.rand(32, 3, 3, 3)}


@pytest.mark.parametrize(
    "state",
    [
        {0: torch.rand(3)},
        {"head.weight": torch.tensor(1.0), "head.bias": torch.tensor(1.0)},
        {"head.weight": torch.rand(0, 1024), "head.bias": torch.rand(0)},
        {**HEAD, "features.conv1.weight": torch.tensor(1.0)},
        {**HEAD, "features.conv1.weight": torch.rand(0, 3, 3, 3)},
        {**STEM, "neck.weight": torch.rand(4)},
        {**STEM, "neck.weight": torch.tensor(1.0)},
        {**STEM, "neck.weight": torch.rand(4, 8), "mixer.weight": torch.tensor(1.0)},
        {
            **HEAD,
            "features.0.0.weight": torch.rand(32, 3, 3, 3),
            "features.1.conv.0.0.weight": torch.rand(3),
        },
    ],
    ids=lambda state: ", ".join(f"{name} {tuple(t.shape)}" for name, t in state.items()),
)
def test_malformed_states_are_refused_in_one_line(state: Named, tmp_path: Path) -> None:
    path = tmp_path / "odd.pth"
    torch.save(state, path)
    with pytest.raises(WeightsError) as caught:
        scorers.load(path)
    assert str(caught.value).startswith(f"cannot read {path}: ")
    assert "\n" not in str(caught.value)
