"""Damage: each kind does what its name says, and half of it is half way."""

from __future__ import annotations

import pytest
import torch

from scorers.photos.damage import (
    CAMERA,
    DETAIL,
    LUMA,
    OVERDONE,
    TONE,
    Damage,
    camera_noise,
    overdone_damage,
    sample_damage,
    single_damage,
    tone_damage,
)
from scorers.photos.sensor import sensor_noise


@pytest.fixture
def photo() -> torch.Tensor:
    return 0.2 + 0.6 * torch.rand(1, 3, 48, 48, generator=torch.Generator().manual_seed(1))


def damaged(photo: torch.Tensor, **amounts: float) -> torch.Tensor:
    return Damage({name: torch.tensor([value]) for name, value in amounts.items()})(photo)


def test_nothing_is_nothing(photo: torch.Tensor) -> None:
    none = Damage(dict.fromkeys([*TONE, *DETAIL], torch.zeros(1)))
    torch.testing.assert_close(none(photo), photo, rtol=0, atol=1e-5)


@pytest.mark.parametrize("kind", ["exposure", "gamma", "contrast", "saturation", "lift"])
def test_a_damage_grows_along_its_direction(photo: torch.Tensor, kind: str) -> None:
    for bound in TONE[kind]:
        apart = [
            (damaged(photo, **{kind: share * bound}) - photo).abs().mean()
            for share in (0.25, 0.5, 1.0)
        ]
        assert 0 < apart[0] < apart[1] < apart[2]


def test_one_stop_doubles_linear_light(photo: torch.Tensor) -> None:
    from scorers.photos.damage import to_linear

    darker = damaged(photo, exposure=-1.0)
    torch.testing.assert_close(2 * to_linear(darker), to_linear(photo), rtol=1e-4, atol=1e-5)


def test_half_contrast_halves_the_spread(photo: torch.Tensor) -> None:
    flat = damaged(photo, contrast=-0.6931472)
    torch.testing.assert_close(flat - 0.5, 0.5 * (photo - 0.5), rtol=0, atol=1e-5)


def test_noise_has_the_std_it_is_asked_for() -> None:
    grey = torch.full((1, 3, 256, 256), 0.5)
    for seed in range(6):
        noise = camera_noise(grey, torch.Generator().manual_seed(seed))
        assert float(noise.std()) == pytest.approx(1.0, rel=0.05)


def test_camera_damage_lies_within_tone_damage() -> None:
    for name, (low, high) in CAMERA.items():
        assert TONE[name][0] <= low <= high <= TONE[name][1]


def test_single_damage_is_of_one_kind_and_every_kind_comes() -> None:
    drawn = torch.stack(list(single_damage(200, torch.Generator().manual_seed(0)).amounts.values()))
    assert bool(((drawn != 0).sum(0) == 1).all())
    assert bool((drawn != 0).any(1).all())


def test_tone_damage_mixes_and_repeats() -> None:
    first, again = (tone_damage(400, torch.Generator().manual_seed(5)) for _ in range(2))
    assert all(torch.equal(first.amounts[name], again.amounts[name]) for name in TONE)
    kinds = sum((value != 0).int() for value in first.amounts.values())
    assert 0.2 < float((kinds == 1).float().mean()) < 0.45
    assert float(first.amounts["exposure"].mean()) < -0.1, "undeveloped photos are dark, mostly"


def test_overdone_damage_only_ever_adds() -> None:
    drawn = overdone_damage(400, torch.Generator().manual_seed(3)).amounts
    for name, (low, high) in OVERDONE.items():
        assert low <= float(drawn[name].min())
        assert float(drawn[name].max()) <= high
    kinds = sum((value != 0).int() for value in drawn.values())
    assert 0.4 < float((kinds == 1).float().mean()) < 0.8, "half alone, some of the others too"
    assert int(kinds.max()) > 2


def test_overdone_exposure_is_lighter_everywhere(photo: torch.Tensor) -> None:
    assert bool((damaged(photo, exposure=OVERDONE["exposure"][1]) >= photo).all())


def test_a_draw_keeps_its_ranges() -> None:
    drawn = sample_damage(300, torch.Generator().manual_seed(2), kinds=TONE, keep=0.5)
    for name, (low, high) in TONE.items():
        present = drawn.amounts[name][drawn.amounts[name] != 0]
        assert low <= float(present.min())
        assert float(present.max()) <= high
        assert 0.35 < len(present) / 300 < 0.65


def test_sensor_noise_is_smeared_over_neighbours_and_strongest_in_the_dark() -> None:
    photo = torch.full((1, 3, 128, 128), 0.1)
    photo[..., 64:] = 0.8
    noise = sensor_noise(photo, torch.Generator().manual_seed(0))
    red = noise[0, 0]
    neighbours = float((red[:, 1:] * red[:, :-1]).mean() / red.square().mean())
    assert neighbours > 0.2  # white noise: 0
    assert float(noise.mean()) == pytest.approx(0, abs=0.02)
    assert float(noise[..., :64].std()) > 1.2 * float(noise[..., 64:].std())


def test_lighter_never_becomes_darker() -> None:
    """Of any draw of tone, grey stays in its order, and white is the lightest of all."""
    ramp = torch.linspace(0, 1, 65).expand(1, 3, 1, 65)
    grey = {name: bounds for name, bounds in TONE.items() if not name.startswith("cast")}
    for seed, kinds in enumerate((TONE, grey, CAMERA)):
        damage = sample_damage(2000, torch.Generator().manual_seed(seed), kinds=kinds, keep=0.8)
        shown = damage(ramp.expand(2000, -1, -1, -1))
        luma = (shown * torch.tensor(LUMA)[:, None, None]).sum(1)
        assert float(luma.diff(dim=-1).min()) > -1e-5


def test_white_that_is_exposed_more_stays_white() -> None:
    amounts = {"exposure": torch.tensor([0.8]), "shoulder": torch.tensor([-1.8])}
    white = torch.ones(1, 3, 4, 4)
    torch.testing.assert_close(Damage(amounts)(white), white)


@pytest.mark.parametrize("side", [1, 2])
def test_the_smallest_photos_can_be_denoised_too(side: int) -> None:
    level = torch.full((1, 3, side, 4), 0.3)
    torch.testing.assert_close(damaged(level, overdenoise=1.0), level)
