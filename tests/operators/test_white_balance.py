"""White balance: the temperature it names, luminance kept, white and black left alone."""

from __future__ import annotations

import pytest
import torch
from kornia.color import rgb_to_linear_rgb, rgb_to_xyz
from torch import Tensor

from enhance.operators.white_balance import DUV, MIREDS, WhiteBalance, white_gains


def grey(**settings: float) -> Tensor:
    """Linear RGB (3,) of a middle grey under the setting."""
    image = torch.full((1, 3, 1, 1), 0.5, dtype=torch.float64)
    return rgb_to_linear_rgb(WhiteBalance()(image, **settings)).flatten()


def chromaticity(linear: Tensor) -> tuple[float, float]:
    x, y, z = rgb_to_xyz(linear.reshape(1, 3, 1, 1)).flatten().tolist()
    return x / (x + y + z), y / (x + y + z)


def luminance(image: Tensor) -> Tensor:
    return rgb_to_xyz(rgb_to_linear_rgb(image))[:, 1]


@pytest.mark.parametrize("temperature", [-1.0, -0.5, 0.5, 1.0])
def test_grey_takes_the_colour_temperature_that_is_named(temperature: float) -> None:
    x, y = chromaticity(grey(temperature=temperature))
    # McCamy, "Correlated color temperature as an explicit function of chromaticity", 1992
    n = (x - 0.3320) / (0.1858 - y)
    kelvin = 449 * n**3 + 3525 * n**2 + 6823.3 * n + 5520.33
    assert 1e6 / kelvin == pytest.approx(1e6 / 6504 + MIREDS * temperature, abs=2.5)


@pytest.mark.parametrize("tint", [-1.0, 0.5, 1.0])
def test_tint_moves_across_the_locus_by_its_distance(tint: float) -> None:
    def uv(linear: Tensor) -> Tensor:
        x, y = chromaticity(linear)
        return torch.tensor([4 * x, 6 * y]) / (-2 * x + 12 * y + 3)

    step = uv(grey(tint=tint)) - uv(grey())
    along = uv(grey(temperature=0.02)) - uv(grey(temperature=-0.02))
    assert step.norm().item() == pytest.approx(DUV * abs(tint), abs=1e-4)
    assert abs((step @ along / step.norm() / along.norm()).item()) < 0.02


def test_signs_of_the_parameters() -> None:
    warm, magenta = grey(temperature=0.5), grey(tint=0.5)
    assert warm[0] > warm[1] > warm[2]
    assert magenta[1] < min(magenta[0], magenta[2])


def test_luminance_is_kept(coffee: Tensor) -> None:
    for settings in ({"temperature": 0.8}, {"temperature": -0.8, "tint": 0.5}, {"tint": -1.0}):
        rendered = WhiteBalance()(coffee.double(), **settings)
        change = (luminance(rendered) - luminance(coffee.double())).abs().max()
        assert change < 2e-5
        assert (rendered - coffee).abs().max() > 0.03


def test_white_and_black_stay() -> None:
    ends = torch.tensor([0.0, 1.0]).reshape(2, 1, 1, 1).expand(2, 3, 1, 1)
    rendered = WhiteBalance()(ends, temperature=1.0, tint=-1.0)
    torch.testing.assert_close(rendered, ends, atol=2e-5, rtol=0)


def test_a_cast_is_taken_back(astronaut: Tensor) -> None:
    muted = (0.2 + 0.4 * astronaut).double()
    cast = WhiteBalance()(muted, temperature=0.4, tint=-0.2)
    gains = white_gains(torch.tensor([0.4, -0.4]), torch.tensor([-0.2, 0.2]))
    assert (gains.prod(0) - 1).abs().max() < 0.05  # nearly inverse, in mireds
    back = WhiteBalance()(cast, temperature=-0.4, tint=0.2)
    assert (back - muted).abs().max() < 0.15 * (cast - muted).abs().max()
