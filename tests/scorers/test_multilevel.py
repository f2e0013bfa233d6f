"""Reading several levels: what is pooled, its scale, and its slope where nothing varies."""

from __future__ import annotations

import pytest
import torch

from scorers.backbones.mobilenet import MobileNetV1
from scorers.backbones.multilevel import MultiLevelMobileNetV1
from scorers.card import Architecture, ModelCard
from scorers.errors import InputError
from scorers.preprocess import Preprocess
from scorers.scorer import Scorer


@pytest.fixture
def network() -> MultiLevelMobileNetV1:
    torch.manual_seed(0)
    return MultiLevelMobileNetV1(width=0.25, folded=True, levels=(2, 13), neck=8).double().eval()


@pytest.fixture
def photos() -> torch.Tensor:
    return torch.rand(6, 3, 64, 64, generator=torch.Generator().manual_seed(1)).double()


def test_the_last_level_is_what_mobilenet_answers(
    network: MultiLevelMobileNetV1, photos: torch.Tensor
) -> None:
    plain = MobileNetV1(width=0.25, folded=True).double().eval()
    plain.features.load_state_dict(network.features.state_dict())
    torch.testing.assert_close(network(photos)[:, -plain.num_features :], plain(photos))


def test_mean_and_deviation_are_those_of_the_maps(
    network: MultiLevelMobileNetV1, photos: torch.Tensor
) -> None:
    maps = photos
    for name, layer in network.features.named_children():
        maps = layer(maps)
        if name == "conv_pw_2_relu":
            break
    count = maps.shape[1]
    pooled = network.pooled(photos)
    torch.testing.assert_close(pooled[:, :count], maps.mean((2, 3)), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(
        pooled[:, count : 2 * count],
        (maps.var((2, 3), correction=0) + 1e-4).sqrt(),
        rtol=1e-5,
        atol=1e-6,
    )


def test_standardised_features_have_no_mean_and_unit_deviation(
    network: MultiLevelMobileNetV1, photos: torch.Tensor
) -> None:
    pooled = network.pooled(photos)
    network.standardise(pooled)
    standard = (pooled - network.centre) / network.spread
    torch.testing.assert_close(standard.mean(0), torch.zeros_like(standard[0]), atol=1e-4, rtol=0)
    assert float(standard.detach().std(0).max()) <= 1 + 1e-4


def test_what_is_pooled_once_can_be_mixed_later(
    network: MultiLevelMobileNetV1, photos: torch.Tensor
) -> None:
    torch.testing.assert_close(network.mix(network.pooled(photos)), network(photos))


def test_an_odd_picture_does_not_carry_the_answer_away(network: MultiLevelMobileNetV1) -> None:
    pooled = network.centre + 1e6 * torch.ones_like(network.centre)
    network.last = 0  # the published part is a mean of the photo, and may grow
    extreme = network.mix(pooled[None])
    torch.testing.assert_close(network.mix(10 * pooled[None]), extreme)


def test_a_second_layer_mixes_once_more(photos: torch.Tensor) -> None:
    network = MultiLevelMobileNetV1(width=0.25, levels=(2, 13), neck=8, hidden=5).double().eval()
    assert network(photos).shape == (6, network.num_features) == (6, 5 + 256)


def test_a_flat_photo_has_a_finite_slope(network: MultiLevelMobileNetV1) -> None:
    flat = torch.full((1, 3, 64, 64), 0.3, dtype=torch.float64, requires_grad=True)
    network(flat).sum().backward()
    assert flat.grad is not None
    assert bool(flat.grad.isfinite().all())


@pytest.mark.parametrize("levels", [(14,), (0, 2), ()])
def test_levels_must_exist(levels: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="levels must be blocks 1 to 13"):
        MultiLevelMobileNetV1(width=0.25, levels=levels)


def test_a_scorer_keeps_its_scale_in_its_file(tmp_path, photos: torch.Tensor) -> None:  # type: ignore[no-untyped-def]
    from scorers.zoo import load_file

    card = ModelCard(
        "levels",
        Architecture("mobilenet_v1_multilevel", {"width": 0.25, "levels": [2, 13], "neck": 8}),
        Preprocess(size=64),
    )
    scorer = Scorer.untrained(card)
    backbone = scorer.network.backbone
    assert isinstance(backbone, MultiLevelMobileNetV1)
    backbone.standardise(backbone.pooled(photos.float()))
    scorer.save(tmp_path / "levels.safetensors")
    again = load_file(tmp_path / "levels.safetensors")
    torch.testing.assert_close(again(photos.float()), scorer(photos.float()))
