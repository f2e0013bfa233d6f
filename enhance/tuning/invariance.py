"""A witness for denoising that needs no scorer and no clean photo: J-invariance.

Some pixels are replaced by the mean of their neighbours, and the filter must restore them: what
it could not see it cannot copy, so the error is that to the clean photo plus the noise, whatever
the setting (Batson and Royer, "Noise2Self", ICML 2019). scikit-image's `calibrate_denoiser`
chooses by it alone. Noise that cameras have smeared over neighbours can be copied from them: on
such noise it is deceived, so it has a vote beside the scorer where the noise is white only
(`benchmarks/witnesses.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from enhance.operators.base import Operator
from enhance.operators.chain import leaves
from enhance.tuning.space import Space
from enhance.tuning.views import native_views

OWN_PIXEL = 0.9
"""Best width of the filter as it is used, as a share of the best where its centre is hidden."""
VOTE = 120.0
"""Points of the score that an error e times as large costs, where the noise is white."""
STRIDE = 4
CROPS = 4
_LEAST_SIDE = 2 * STRIDE
_AT_ONCE = 4  # settings; more leave the cache


class Invariance:
    """The error of settings on pixels that the filter did not see.

    Args:
        operator: a denoiser.
        space: maps points to settings.
        photo: crops ``(V, 3, h, w)`` of the noisy photo.
        extent: height and width of the whole photo.
        names: the operator's own name of each of its parameters in the space.
    """

    def __init__(
        self,
        operator: Operator[Any],
        space: Space,
        photo: Tensor,
        extent: tuple[int, int],
        names: Mapping[str, str],
    ) -> None:
        self.operator, self.space, self.names = operator, space, names
        self._photo = photo
        self._hidden = torch.zeros(photo.shape[-2:], dtype=torch.bool, device=photo.device)
        self._hidden[STRIDE // 2 :: STRIDE, ::STRIDE] = True
        settings = {
            name: value[0] for name, value in self._settings(space.defaults()[None]).items()
        }
        with torch.no_grad():
            seen = torch.where(self._hidden, _neighbours(photo), photo)
            self._layers = operator.analyse(seen, settings, extent=extent)

    def errors(self, points: Tensor) -> Tensor:
        """Mean squared error ``(K,)`` on the hidden pixels at points ``(K, D)``, differentiable."""
        found = []
        for chunk in points.split(_AT_ONCE):
            settings = {n: v[:, None] for n, v in self._settings(chunk).items()}
            rendered = self.operator.render(self._layers, settings)
            wrong = (rendered - self._photo)[..., self._hidden]
            found.append(wrong.square().mean((1, 2, 3)))
        return torch.cat(found).to(points)

    def __call__(self, points: Tensor) -> Tensor:
        """Logarithm ``(K,)`` of the error of filters that also see the pixel itself."""
        return self.errors(self._widened(points)).log()

    def _settings(self, points: Tensor) -> dict[str, Tensor]:
        every = self.space.settings(points)
        return {own: every[name].to(self._photo) for name, own in self.names.items()}

    def _widened(self, points: Tensor) -> Tensor:
        columns = []
        for column, parameter in enumerate(self.space.varying.values()):
            point = points[..., column]
            if (
                parameter.unit == "px"
                and parameter.scale == "log"
                and parameter.low < parameter.high
            ):
                reach = torch.tensor(parameter.high / parameter.low).log()
                point = (point - torch.tensor(OWN_PIXEL).log() / reach).clamp(0, 1)
            columns.append(point)
        return torch.stack(columns, -1)


def invariance(
    operator: Operator[Any], space: Space, pixels: Tensor, seed: int = 0
) -> Invariance | None:
    """The witness for a photo ``(1, 3, H, W)``, or None where it does not apply.

    It applies where the first operator removes noise, all its varying parameters act in
    rendering, and the photo is large enough to hide pixels in.
    """
    first, names = leaves(operator)[0]
    own = {chained: name for name, chained in names.items()}
    varying = [name for name in space.names if name in own]
    if first.noise_parameter is None or not varying or min(pixels.shape[-2:]) < _LEAST_SIDE:
        return None
    if any(space.varying[name].stage == "analyse" for name in varying):
        return None
    crops = native_views(pixels, CROPS, seed=seed).images
    return Invariance(first, space, crops, (pixels.shape[-2], pixels.shape[-1]), own)


@dataclass(frozen=True)
class InvarianceCost:
    """What a setting costs that restores hidden pixels worse than the default does.

    Attributes:
        invariance: the witness.
        default: its value at the default setting.
        weight: points of the score for an error e times as large.
    """

    invariance: Invariance
    default: Tensor
    weight: float = VOTE

    def __call__(self, points: Tensor) -> Tensor:
        """Cost ``(K,)`` of points ``(K, D)``, in units of the score, differentiable."""
        return self.weight * (self.invariance(points) - self.default)


def invariance_cost(
    operator: Operator[Any], space: Space, pixels: Tensor, seed: int = 0
) -> InvarianceCost | None:
    """The witness's vote on a photo ``(1, 3, H, W)``, or None where it does not apply.

    To be asked where the noise is white (`enhance.tuning.prior.reads_white`), as it assumes, and
    beside the embedded technical scorer, in whose points `VOTE` is.
    """
    witness = invariance(operator, space, pixels, seed)
    if witness is None:
        return None
    with torch.no_grad():
        return InvarianceCost(witness, witness(space.defaults()[None])[0])


def _neighbours(photo: Tensor) -> Tensor:
    """Mean of the four neighbours of each pixel, mirrored at the borders."""
    padded = functional.pad(photo, (1, 1, 1, 1), mode="reflect")
    vertical = padded[..., :-2, 1:-1] + padded[..., 2:, 1:-1]
    return (vertical + padded[..., 1:-1, :-2] + padded[..., 1:-1, 2:]) / 4
