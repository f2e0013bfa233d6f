"""Backbones: sizes against the paper's Table V, published state-dict names, padding, folding."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from scorers.backbones import BACKBONES, create
from scorers.backbones.layers import SameConv2d, fold_batch_norm
from scorers.errors import InputError, UnknownNameError
from scorers.nima import NIMA


def nima_on_meta(name: str) -> NIMA:
    """A network without memory behind it: shapes only."""
    with torch.device("meta"):
        return NIMA(create(name)).eval()


def multiply_adds(network: nn.Module) -> int:
    """Of convolutions and linear layers, for one 224x224 photo."""
    total = 0

    def count(layer: nn.Module, _: object, output: torch.Tensor) -> None:
        nonlocal total
        weight = layer.weight
        assert isinstance(weight, torch.Tensor)
        total += output.numel() * weight[0].numel()

    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            layer.register_forward_hook(count)
    network(torch.zeros(1, 3, 224, 224, device="meta"))
    return total


# Talebi and Milanfar 2018, Table V: million parameters, billion flops. Published figures of the
# same networks: MobileNet v1 .569 and VGG16 15.47 billion multiply-adds, so the paper counts about
# two flops for each, and something besides. Its Inception-v2 is TensorFlow's, whose first
# convolution is separable and whose blocks 4c and 4d are narrower than Caffe's, which we follow.
@pytest.mark.parametrize(
    ("name", "million", "billion", "parameters_within", "flops_within"),
    [
        ("mobilenet_v1", 3.22, 1.29, 0.005, 0.13),
        ("inception_v2", 10.16, 4.37, 0.015, 0.10),
        ("vgg16", 134.3, 31.6, 0.001, 0.03),
    ],
)
def test_sizes_are_those_of_the_paper(
    name: str, million: float, billion: float, parameters_within: float, flops_within: float
) -> None:
    network = nima_on_meta(name)
    parameters = sum(parameter.numel() for parameter in network.parameters())
    assert parameters / 1e6 == pytest.approx(million, rel=parameters_within)
    assert 2 * multiply_adds(network) / 1e9 == pytest.approx(billion, rel=flops_within)


def test_mobilenet_v2_has_its_published_size() -> None:
    """torchvision's documents 3,504,872 parameters with the classifier, .301 GMAC without bias."""
    network = nima_on_meta("mobilenet_v2")
    backbone = sum(parameter.numel() for parameter in network.backbone.parameters())
    assert backbone + 1280 * 1000 + 1000 == 3_504_872
    assert multiply_adds(network) / 1e9 == pytest.approx(0.301, abs=0.002)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "mobilenet_v2",
            {
                "features.0.0.weight": (32, 3, 3, 3),
                "features.0.1.running_mean": (32,),
                "features.1.conv.0.0.weight": (32, 1, 3, 3),
                "features.1.conv.1.weight": (16, 32, 1, 1),
                "features.2.conv.0.0.weight": (96, 16, 1, 1),
                "features.17.conv.2.weight": (320, 960, 1, 1),
                "features.17.conv.3.bias": (320,),
                "features.18.0.weight": (1280, 320, 1, 1),
            },
        ),
        (
            "vgg16",
            {
                "features.0.weight": (64, 3, 3, 3),
                "features.28.bias": (512,),
                "classifier.0.weight": (4096, 25088),
                "classifier.3.bias": (4096,),
            },
        ),
        (
            "inception_v2",
            {
                "conv1_7x7_s2.bias": (64,),
                "conv2_3x3_bn.running_var": (192,),
                "inception_3a_pool_proj.weight": (32, 192, 1, 1),
                "inception_3c_double_3x3_2.weight": (96, 96, 3, 3),
                "inception_4d_1x1.weight": (96, 608, 1, 1),
                "inception_4e_3x3.weight": (192, 128, 3, 3),
                "inception_5a_1x1.weight": (352, 1056, 1, 1),
                "inception_5b_pool_proj_bn.weight": (128,),
            },
        ),
    ],
)
def test_state_dict_names_are_the_published_ones(
    name: str, expected: dict[str, tuple[int, ...]]
) -> None:
    with torch.device("meta"):
        shapes = {key: tuple(value.shape) for key, value in create(name).state_dict().items()}
    assert {key: shapes[key] for key in expected} == expected


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("mobilenet_v1", {"width": 0.25, "same": True}),
        ("mobilenet_v1", {"width": 0.25}),
        ("mobilenet_v2", {"width": 0.35}),
        ("inception_v2", {}),
    ],
)
def test_folding_changes_nothing_but_the_names(name: str, options: dict[str, float]) -> None:
    torch.manual_seed(0)
    network = create(name, **options).double()
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            for value in (layer.running_mean, layer.weight.data, layer.bias.data):
                value.uniform_(0.5, 1.5)  # type: ignore[union-attr]
            layer.running_var.uniform_(0.5, 2.0)  # type: ignore[union-attr]
    network.eval()
    image = torch.rand(1, 3, 64, 64, dtype=torch.float64)
    with torch.no_grad():
        expected = network(image)
        folded = create(name, folded=True, **options).double().eval()
        folded.load_state_dict(fold_batch_norm(network).state_dict())
        assert expected.std() > 0
        torch.testing.assert_close(folded(image), expected)


@given(
    height=st.integers(1, 12),
    width=st.integers(1, 12),
    stride=st.integers(1, 3),
    kernel=st.sampled_from([1, 3, 5]),
)
def test_same_padding_is_tensorflows(height: int, width: int, stride: int, kernel: int) -> None:
    """Output ceil(n / stride); where padding is odd the extra row is below, the column right."""
    torch.manual_seed(0)
    layer = SameConv2d(1, 1, kernel, stride=stride).double()
    image = torch.rand(1, 1, height, width, dtype=torch.float64)
    with torch.no_grad():
        found = layer(image)
    assert found.shape[-2:] == (-(-height // stride), -(-width // stride))
    # sample by sample: output i reads input i * stride - (padding above) + tap, zero outside
    before = [max((-(-n // stride) - 1) * stride + kernel - n, 0) // 2 for n in (height, width)]
    wide = F.pad(image, (before[1], kernel * 2, before[0], kernel * 2))
    with torch.no_grad():
        dense = F.conv2d(wide, layer.weight, layer.bias)[..., ::stride, ::stride]
    torch.testing.assert_close(found, dense[..., : found.shape[-2], : found.shape[-1]])


def test_stride_two_on_even_sizes_pads_bottom_and_right_only() -> None:
    layer = SameConv2d(1, 1, 3, stride=2, bias=False)
    nn.init.ones_(layer.weight)
    found = layer(torch.ones(1, 1, 4, 4))
    assert found.tolist() == [[[[9.0, 6.0], [6.0, 4.0]]]]


@pytest.mark.parametrize("name", sorted(BACKBONES))
def test_every_backbone_maps_photos_to_its_number_of_features(name: str) -> None:
    with torch.device("meta"):
        network = create(name).eval()
        features = network(torch.zeros(2, 3, 224, 224))
    assert features.shape == (2, network.num_features)


def test_gradients_reach_the_image() -> None:
    torch.manual_seed(0)
    network = NIMA(create("mobilenet_v2", width=0.1)).eval().double()
    image = torch.rand(1, 3, 32, 32, dtype=torch.float64, requires_grad=True)
    network(image)[0, 0].backward()
    assert image.grad is not None
    assert image.grad.abs().amax(dim=(0, 2, 3)).min() > 0


def test_unknown_names_and_options_are_named() -> None:
    with pytest.raises(UnknownNameError, match=r"did you mean 'vgg16'"):
        create("vgg61")
    with pytest.raises(InputError, match=r"vgg16.*'width'"):
        create("vgg16", width=0.5)


@pytest.mark.parametrize(
    ("name", "options", "rule"),
    [
        ("mobilenet_v1", {"width": -1}, "`width > 0` must hold, but got width=-1"),
        ("mobilenet_v2", {"width": 0}, "`width > 0` must hold, but got width=0"),
        ("mobilenet_v1", {"width": "a"}, "backbone mobilenet_v1: "),
        ("vgg16", {"dense": "no"}, "backbone vgg16: dense must be true or false, got 'no'"),
        ("mobilenet_v1_multilevel", {"levels": (13, 2)}, "levels must be blocks 1 to 13, asc"),
        ("mobilenet_v1_multilevel", {"levels": [2, 2]}, "levels must be blocks 1 to 13, asc"),
        ("mobilenet_v1_multilevel", {"neck": -1}, "`neck >= 1` must hold, but got neck=-1"),
        ("mobilenet_v1_multilevel", {"dropout": 2}, "`0 <= dropout < 1` must hold, but got"),
    ],
)
def test_options_out_of_their_range_are_refused(
    name: str, options: dict[str, object], rule: str
) -> None:
    with pytest.raises(InputError, match=rule):
        create(name, **options)


def test_a_head_needs_two_buckets() -> None:
    with pytest.raises(InputError, match="buckets=1"):
        NIMA(create("mobilenet_v1", width=0.1), buckets=1)
