"""What denoising operators share: native views, a noise level that the photo tells, a blend."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar, Generic, Literal, TypeVar

import torch
from torch import Tensor

from enhance.operators.base import Operator, Parameter, Settings, check_image
from enhance.operators.noise import NOISE_FLOOR, noise_profile

LayersT = TypeVar("LayersT")

BLEND_PARAMETERS: Mapping[str, Parameter] = {
    "strength": Parameter(
        0, 1, 1, "share of the denoised photo in the result", levels=5, tuned=False
    ),
    "sigma_n": Parameter(
        0,
        0.5,
        0,
        "noise std of luma (.67 of that of independent R, G, B noise); 0 asks the photo",
        tuned=False,
        stage="analyse",
    ),
}


class Denoiser(Operator[tuple[Tensor, Tensor, LayersT]], Generic[LayersT]):
    """An operator that blends a photo with its denoised self.

    A subclass has the `BLEND_PARAMETERS` among its own, and says in `prepare` what does not
    depend on settings and in `denoise` what does.
    """

    views: ClassVar[Literal["whole", "native"]] = "native"
    identity: Mapping[str, float] | None = {"strength": 0.0}
    noise_parameter: ClassVar[str | None] = "sigma_n"

    @abstractmethod
    def prepare(self, image: Tensor, settings: Settings) -> LayersT:
        """Work that depends on the image ``(B, 3, H, W)`` and its ``"analyse"`` settings alone."""

    @abstractmethod
    def denoise(
        self, image: Tensor, prepared: LayersT, noise: Tensor, settings: Settings
    ) -> Tensor:
        """Denoised photos: ``broadcast(noise, settings, (B,)) + (3, H, W)``, in [0, 1].

        `noise` is the std of luma's noise; it broadcasts against ``(B,)`` as settings do.
        """

    def calibrate(self, image: Tensor, settings: Settings) -> dict[str, Tensor]:
        """Replace ``sigma_n = 0`` by the noise read from `image`."""
        given = settings["sigma_n"]
        if bool((given > 0).all()):
            return dict(settings)
        bounds = self.parameters_spec["sigma_n"]
        seen = noise_profile(image).level.clamp(NOISE_FLOOR, bounds.high)
        return {**settings, "sigma_n": torch.where(given > 0, given, seen)}

    def analyse(
        self,
        image: Tensor,
        settings: Settings | None = None,
        *,
        extent: tuple[int, int] | None = None,
    ) -> tuple[Tensor, Tensor, LayersT]:
        """Take or read the noise, and prepare; see `Operator.analyse`."""
        check_image(image)
        if settings is None:
            settings = self.complete({}, like=image)
        noise = self.calibrate(image, settings)["sigma_n"]
        # rounding to 8 bits comes on top, so that no filter's width reaches zero
        noise = (noise.square() + NOISE_FLOOR**2).sqrt()
        return image, noise, self.prepare(image, settings)

    def render(self, layers: tuple[Tensor, Tensor, LayersT], settings: Settings) -> Tensor:
        """Denoise and blend; see `Operator.render`."""
        image, noise, prepared = layers
        denoised = self.denoise(image, prepared, noise, settings)
        strength = settings["strength"][..., None, None, None]
        return torch.addcmul(image, strength, denoised - image).clamp(0, 1)  # rounding only
