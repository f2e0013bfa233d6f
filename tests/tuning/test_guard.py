from __future__ import annotations

import pytest
import torch
from torch import Tensor

from enhance.errors import ParameterError, UnknownNameError
from enhance.tuning.gain import Gain
from enhance.tuning.guard import (
    Clipping,
    Evidence,
    Interval,
    Jitter,
    NoiseGain,
    default_guards,
    resolve_guards,
)


def evidence(before: Tensor, after: Tensor, gain: Gain | None = None, scorer=None) -> Evidence:
    return Evidence(
        before, after, gain or Gain(1, 0.9, 1.1), scorer or (lambda x: x.mean((1, 2, 3)))
    )


def test_clipping_counts_only_what_is_new() -> None:
    before = torch.full((1, 3, 10, 10), 0.5)
    before[..., :2, :] = 1
    after = before.clone()
    after[..., 5, :] = 0
    report = Clipping(limit=0.05).check(evidence(before, after))
    assert report.value == pytest.approx(0.1)
    assert not report.passed
    assert "10.0% of the pixels" in report.finding
    assert Clipping(limit=0.05).check(evidence(before, before)).value == 0


@pytest.mark.parametrize("factor", [0.5, 1, 3])
def test_noise_gain_is_the_factor_of_the_noise(factor: float) -> None:
    noise = 0.03 * torch.randn(2, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    ramp = torch.linspace(0.3, 0.7, 64).expand(2, 3, 64, 64)
    report = NoiseGain().check(evidence(ramp + noise, ramp + factor * noise))
    assert report.value == pytest.approx(factor, rel=0.02)
    assert report.passed == (factor <= 2)


def test_noise_gain_ignores_edges_and_lossless_flats() -> None:
    before = torch.full((1, 3, 32, 32), 0.2)
    before[..., 16:] = 0.5
    after = before.clone()
    after[..., 16:] = 0.9
    assert NoiseGain().check(evidence(before, after)).value == pytest.approx(1)


@pytest.mark.parametrize(("gain", "passed"), [((0.1, 0.05, 0.15), True), ((0.1, -0.1, 0.3), False)])
def test_interval(gain: tuple[float, float, float], passed: bool) -> None:
    image = torch.zeros(2, 3, 4, 4)
    report = Interval().check(evidence(image, image, Gain(*gain)))
    assert report.passed is passed
    assert ("within its own interval" in report.finding) is not passed


def test_jitter_measures_a_scorer_that_depends_on_the_pixel_grid() -> None:
    rows = (torch.arange(16) % 2).float()
    before = rows[:, None].expand(2, 3, 16, 16).contiguous()

    def grid_reader(images: Tensor) -> Tensor:
        return images[:, 0, 2, 2]

    report = Jitter().check(evidence(before, before, Gain(0.5, 0.4, 0.6), grid_reader))
    assert report.value == 0.5
    assert report.limit == pytest.approx(0.5**0.5)  # one of the two shifts changes it by 1
    assert not report.passed
    calm = Jitter().check(evidence(before, before, Gain(0.5, 0.4, 0.6)))
    assert calm.passed


def test_guards_by_name_object_and_default() -> None:
    assert [guard.name for guard in resolve_guards(None)] == [g.name for g in default_guards()]
    own = Clipping(limit=0.5)
    assert resolve_guards(["noise", own]) == [NoiseGain(), own]
    assert resolve_guards([]) == []
    with pytest.raises(UnknownNameError, match="did you mean 'clipping'"):
        resolve_guards(["cliping"])
    with pytest.raises(ParameterError, match="must have a name and a check, got 3"):
        resolve_guards([3])  # type: ignore[list-item]
