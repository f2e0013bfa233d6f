"""White balance: temperature and tint of the light, luminance kept."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor

from enhance.operators.base import Operator, Parameter, Settings, check_image
from enhance.operators.batching import broadcast_shapes
from enhance.operators.exposure import with_light
from enhance.operators.strips import in_strips

NEUTRAL = 6504.0  # correlated colour temperature of D65, sRGB's white, in kelvin
MIREDS = 60.0  # reciprocal megakelvins that temperature 1 is from neutral
DUV = 0.02  # distance from the Planckian locus, in CIE 1960 (u, v), of tint 1
RED_X = (3.2404542, -1.5371385, -0.4985314)  # XYZ to linear sRGB, IEC 61966-2-1
GREEN_X = (-0.9692660, 1.8760108, 0.0415560)
BLUE_X = (0.0556434, -0.2040259, 1.0572252)
LUMINANCE = (0.2126, 0.7152, 0.0722)  # of linear sRGB, Rec. ITU-R BT.709
D65_DUV = 0.0032  # how far D65 lies off the locus, on the green side


class WhiteBalance(Operator[tuple[Tensor, Tensor]]):
    """The photo as if lit by light of another colour, at the same luminance.

    `temperature` moves white along the Planckian locus, evenly in mireds, which is evenly for
    the eye; `tint` moves it across. Linear R, G, B are multiplied by the new white's (von Kries'
    rule in camera space), each pixel is brought back to its luminance, and where a channel would
    leave the range the shift is reduced: white stays white. Both at 0 are the identity, exactly.

    References:
        Krystek, "An algorithm to calculate correlated colour temperature", Color Research and
        Application 1985, for the locus.

    >>> photo = torch.rand(1, 3, 8, 8)
    >>> operator = WhiteBalance()
    >>> torch.equal(operator(photo), photo)
    True
    >>> warm = operator(torch.full((1, 3, 1, 1), 0.5), temperature=1.0).flatten()
    >>> bool(warm[0] > 0.5 > warm[2])
    True
    """

    name: ClassVar[str] = "white_balance"
    summary: ClassVar[str] = "colour temperature and tint at the same luminance"
    identity: Mapping[str, float] | None = {}
    parameters_spec: Mapping[str, Parameter] = {
        "temperature": Parameter(-1, 1, 0, f"blue at -1, orange at 1, {MIREDS:g} mireds away"),
        "tint": Parameter(-1, 1, 0, f"green at -1, magenta at 1, {DUV:g} off the locus"),
    }

    def analyse(
        self,
        image: Tensor,
        settings: Settings | None = None,
        *,
        extent: tuple[int, int] | None = None,
    ) -> tuple[Tensor, Tensor]:
        """The image, and its light in linear RGB; see `Operator.analyse`."""
        from kornia.color import rgb_to_linear_rgb

        check_image(image)
        return image, rgb_to_linear_rgb(image)

    def render(self, layers: tuple[Tensor, Tensor], settings: Settings) -> Tensor:
        """Multiply the channels of light; see `Operator.render`."""
        gains = white_gains(settings["temperature"], settings["tint"])
        shape = broadcast_shapes(layers[0].shape[:-3], gains.shape[:-1])
        return in_strips(_render, layers, [gains], math.prod(shape))


def white_gains(temperature: Tensor, tint: Tensor) -> Tensor:
    """Gains of linear R, G and B: ``(...)`` settings to ``(..., 3)``; ones for zeros, exactly.

    >>> white_gains(torch.tensor(0.0), torch.tensor(0.0))
    tensor([1., 1., 1.])
    """
    zero = torch.zeros_like(temperature)
    return _white(temperature, tint) / _white(zero, zero)


def _white(temperature: Tensor, tint: Tensor) -> Tensor:
    """Linear sRGB ``(..., 3)`` of the white at luminance 1."""
    u, v, du, dv = _planck(1e6 / (1e6 / NEUTRAL + MIREDS * temperature))
    # off the locus, square to it: above is green, below magenta, where u grows and v falls
    off = (D65_DUV - DUV * tint) * (du * du + dv * dv).rsqrt()
    u, v = u + off * dv, v - off * du
    x, z = 1.5 * u / v, (4 - u - 10 * v) / (2 * v)  # X and Z at Y = 1
    rows = [r[0] * x + r[1] + r[2] * z for r in (RED_X, GREEN_X, BLUE_X)]
    return torch.stack(torch.broadcast_tensors(*rows), -1)


def _planck(kelvin: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """CIE 1960 u and v of a black body (1000 to 15000 K), and their slopes."""
    above_u, slope_above_u = _quadratic(kelvin, 0.860117757, 1.54118254e-4, 1.28641212e-7)
    below_u, slope_below_u = _quadratic(kelvin, 1.0, 8.42420235e-4, 7.08145163e-7)
    above_v, slope_above_v = _quadratic(kelvin, 0.317398726, 4.22806245e-5, 4.20481691e-8)
    below_v, slope_below_v = _quadratic(kelvin, 1.0, -2.89741816e-5, 1.61456053e-7)
    u, v = above_u / below_u, above_v / below_v
    du = (slope_above_u - u * slope_below_u) / below_u
    dv = (slope_above_v - v * slope_below_v) / below_v
    return u, v, du, dv


def _quadratic(x: Tensor, a: float, b: float, c: float) -> tuple[Tensor, Tensor]:
    return a + x * (b + x * c), b + 2 * c * x


def _render(image: Tensor, light: Tensor, gains: Tensor) -> Tensor:
    weights = light.new_tensor(LUMINANCE)
    gains = gains[..., None, None]
    tinted = light * gains
    before, after = (torch.einsum("c,...chw->...hw", weights, x) for x in (light, tinted))
    # the same luminance as before; the small term only keeps black from dividing zero by zero
    scale = (before + 1e-5) / (after + 1e-5)
    shift = tinted * scale.unsqueeze(-3) - light
    # share of the room to white that the fullest channel would take
    taken = (shift.clamp_min(0) / (1 - light + 1e-6)).amax(-3, keepdim=True)
    shift = shift * (1 + taken.square().square()).rsqrt().sqrt()
    return with_light(image, light, light + shift)
