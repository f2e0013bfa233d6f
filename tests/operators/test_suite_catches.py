"""The conformance suite itself: each check fails for an operator that is wrong in that way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from enhance.errors import ParameterError
from enhance.operators.base import Operator, Parameter, Settings
from enhance.testing import OperatorSuite
from enhance.testing.images import photo

CHECKS = sorted(name for name in dir(OperatorSuite) if name.startswith("test_"))


class Fade(Operator[Tensor]):
    """Right in everything: draws pixels towards their 3x3 mean."""

    name = "fade"
    summary = "draws pixels towards their neighbours"
    identity: Mapping[str, float] | None = {}
    parameters_spec: Mapping[str, Parameter] = {"amount": Parameter(0, 0.9, 0, "share of the mean")}

    def analyse(
        self,
        image: Tensor,
        settings: Settings | None = None,
        *,
        extent: tuple[int, int] | None = None,
    ) -> Tensor:
        smooth = nn.functional.avg_pool2d(
            nn.functional.pad(image, (1, 1, 1, 1), mode="replicate"), 3, stride=1
        )
        return torch.stack([image, smooth])

    def render(self, layers: Tensor, settings: Settings) -> Tensor:
        image, smooth = layers
        amount = settings["amount"][..., None, None, None]
        return (image + amount * (smooth - image)).clamp(0, 1)

    def halo(self, extent: tuple[int, int], settings: Settings | None = None) -> int:
        return 1


def amount_of(settings: Settings) -> Tensor:
    return settings["amount"][..., None, None, None]


class NoDoc(Fade):
    parameters_spec: Mapping[str, Parameter] = {"amount": Parameter(0, 0.9, 0, "")}


class TakenName(Fade):
    def __init__(self) -> None:
        super().__init__()
        self.parameters_spec = {"value": Fade.parameters_spec["amount"]}


class NoIdentity(Fade):
    def render(self, layers: Tensor, settings: Settings) -> Tensor:
        return (super().render(layers, settings) + 1e-4).clamp(0, 1)


class Clamps(Fade):
    def complete(
        self, settings: Mapping[str, float | Tensor], *, like: Tensor | None = None
    ) -> dict[str, Tensor]:
        allowed = {n: torch.as_tensor(v).nan_to_num(0).clamp(0, 0.9) for n, v in settings.items()}
        return super().complete(allowed, like=like)


class Overshoots(Fade):
    def render(self, layers: Tensor, settings: Settings) -> Tensor:
        image, smooth = layers
        return image + 1.5 * amount_of(settings) * (image - smooth)


class NotFinite(Fade):
    def render(self, layers: Tensor, settings: Settings) -> Tensor:
        return super().render(layers, settings) * (layers[0] / layers[0])


class ChangesDtype(Fade):
    def forward(
        self, image: Tensor, *, extent: tuple[int, int] | None = None, **settings: float | Tensor
    ) -> Tensor:
        return super().forward(image.float(), extent=extent, **settings)


class Restless(Fade):
    def render(self, layers: Tensor, settings: Settings) -> Tensor:
        jitter = 1 + 0.01 * torch.rand(())
        return super().render(layers, {"amount": settings["amount"] * jitter})


class OverwritesInput(Fade):
    def analyse(
        self,
        image: Tensor,
        settings: Settings | None = None,
        *,
        extent: tuple[int, int] | None = None,
    ) -> Tensor:
        return super().analyse(image.mul_(0.99), settings)


class OverwritesLayers(Fade):
    def render(self, layers: Tensor, settings: Settings) -> Tensor:
        rendered = super().render(layers, settings)
        layers[1].mul_(0.9)
        return rendered


class MixesImages(Fade):
    def render(self, layers: Tensor, settings: Settings) -> Tensor:
        image, smooth = layers
        return super().render(
            torch.stack([image, smooth.mean(0, keepdim=True) + 0 * image]), settings
        )


class FirstSettingOnly(Fade):
    def render(self, layers: Tensor, settings: Settings) -> Tensor:
        amount = settings["amount"]
        return super().render(layers, {"amount": amount.flatten()[:1].expand(amount.shape)})


class NoHalo(Fade):
    def halo(self, extent: tuple[int, int], settings: Settings | None = None) -> int:
        return 0


class Scaled(Fade):
    """Right too: reaches farther in a larger photo."""

    name = "scaled"

    def analyse(
        self,
        image: Tensor,
        settings: Settings | None = None,
        *,
        extent: tuple[int, int] | None = None,
    ) -> Tensor:
        step = self.halo(extent or (image.shape[-2], image.shape[-1]))
        padded = nn.functional.pad(image, (step, step, 0, 0), mode="replicate")
        smooth = (padded[..., : -2 * step] + padded[..., 2 * step :]) / 2
        return torch.stack([image, smooth])

    def halo(self, extent: tuple[int, int], settings: Settings | None = None) -> int:
        return max(1, max(extent) // 512)


class HaloNotScaled(Scaled):
    def analyse(
        self,
        image: Tensor,
        settings: Settings | None = None,
        *,
        extent: tuple[int, int] | None = None,
    ) -> Tensor:
        return Scaled().analyse(image, settings, extent=extent)

    def halo(self, extent: tuple[int, int], settings: Settings | None = None) -> int:
        return 1


class Whole(Fade):
    """Right too: draws pixels towards the mean of the photo, so that no tile will do."""

    name = "whole"

    def analyse(
        self,
        image: Tensor,
        settings: Settings | None = None,
        *,
        extent: tuple[int, int] | None = None,
    ) -> Tensor:
        return torch.stack([image, image.mean((-1, -2), keepdim=True).expand_as(image)])

    def halo(self, extent: tuple[int, int], settings: Settings | None = None) -> int:
        return max(extent)


class MostOf(Whole):
    """Wrong about most of a photo being enough, on a photo of any size."""

    def halo(self, extent: tuple[int, int], settings: Settings | None = None) -> int:
        return int(0.4 * max(extent))


class ReachesFarDown(Whole):
    """Wrong about the rows that it needs, of which it looks at many, whatever the photo."""

    def analyse(
        self,
        image: Tensor,
        settings: Settings | None = None,
        *,
        extent: tuple[int, int] | None = None,
    ) -> Tensor:
        padded = nn.functional.pad(image, (0, 0, 90, 90), mode="replicate")
        return torch.stack([image, (padded[..., :-180, :] + padded[..., 180:, :]) / 2])

    def halo(self, extent: tuple[int, int], settings: Settings | None = None) -> int:
        return 70


class UndeclaredIdentity(Fade):
    identity = None


class Detached(Fade):
    def render(self, layers: Tensor, settings: Settings) -> Tensor:
        return super().render(layers.detach(), settings) + 0 * layers[0]


class SingularAtBlack(Fade):
    def render(self, layers: Tensor, settings: Settings) -> Tensor:
        image, smooth = layers
        return super().render(torch.stack([image, smooth.sqrt().square()]), settings)


class DeadGradient(Fade):
    def render(self, layers: Tensor, settings: Settings) -> Tensor:
        return super().render(layers, {"amount": settings["amount"].clamp_max(0.4)})


def failures(operator: type[Operator[Any]]) -> set[str]:
    class Suite(OperatorSuite):
        def make(self) -> Operator[Any]:
            return operator()

    failed = set()
    for check in CHECKS:
        try:
            getattr(Suite(), check)()
        except Exception:
            failed.add(check)
    return failed


@pytest.mark.parametrize("operator", [Fade, Scaled, Whole])
def test_a_right_operator_passes_everything(operator: type[Operator[Any]]) -> None:
    assert failures(operator) == set()


@pytest.mark.parametrize(
    ("operator", "check"),
    [
        (NoDoc, "test_declaration"),
        (TakenName, "test_declaration"),
        (NoIdentity, "test_identity"),
        (Clamps, "test_bounds"),
        (Overshoots, "test_range"),
        (NotFinite, "test_range"),
        (ChangesDtype, "test_dtype_and_shape"),
        (Restless, "test_deterministic"),
        (OverwritesInput, "test_deterministic"),
        (OverwritesLayers, "test_layers_are_reusable"),
        (MixesImages, "test_batch_of_images"),
        (FirstSettingOnly, "test_batch_of_settings"),
        (UndeclaredIdentity, "test_identity"),
        (NoHalo, "test_tiles"),
        (HaloNotScaled, "test_tiles"),
        (MostOf, "test_tiles"),
        (ReachesFarDown, "test_tiles"),
        (Detached, "test_gradcheck"),
        (SingularAtBlack, "test_finite_gradients"),
        (DeadGradient, "test_live_gradients"),
    ],
)
def test_each_mistake_is_caught(operator: type[Operator[Any]], check: str) -> None:
    class Suite(OperatorSuite):
        def make(self) -> Operator[Any]:
            return operator()

    with pytest.raises((AssertionError, RuntimeError, ParameterError)):
        getattr(Suite(), check)()


def test_every_check_is_tested_here() -> None:
    marks = test_each_mistake_is_caught.pytestmark  # type: ignore[attr-defined]
    covered = {check for _, check in marks[0].args[1]}
    assert covered == set(CHECKS)


def test_the_test_photo_has_structure_everywhere() -> None:
    image = photo(32, 32)
    assert image.std() > 0.05
    assert image.shape == (1, 3, 32, 32)
    assert not torch.equal(photo(8, 8, seed=0), photo(8, 8, seed=1))
