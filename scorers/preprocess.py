"""From a photo in [0, 1] to what a network was trained on: size, resize method, normalisation.

A scorer's answer depends on how the photo was shrunk (nearest against antialiased bilinear moves
the published aesthetic network by one point of ten), so each weight file states it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate, repeat
from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor

from scorers.errors import InputError

Method = Literal["nearest", "bilinear", "bicubic", "area"]
View = Literal["whole", "native"]


@dataclass(frozen=True)
class Preprocess:
    """How a network wants to be shown a photo.

    Attributes:
        size: side of the square view, in pixels; the aspect ratio is not kept, as in NIMA.
        method: ``"nearest"`` samples where Pillow (hence Keras) does; ``"area"`` averages every
            pixel; ``"bilinear"`` and ``"bicubic"`` are PyTorch's.
        antialias: widen the bilinear or bicubic kernel with the shrinkage.
        mean, std: per channel, of values in [0, 1].
        blur: std in pixels of a Gaussian over the shrunk photo, 0 for none. It takes away the
            finest detail, in which ways of shrinking differ most.
        view: ``"whole"`` shrinks the photo; ``"native"`` shows it as it is, in `crops` x `crops`
            evenly spaced squares whose opinions are averaged, because shrinking removes noise
            and blur. A side shorter than `size` is enlarged to it either way.
        crops: squares along each side that is longer than `size`, for native views.

    >>> show = Preprocess(size=2, method="area", mean=(0.5,) * 3, std=(0.5,) * 3)
    >>> show(torch.ones(1, 3, 4, 6)).shape, show(torch.ones(1, 3, 4, 6)).unique()
    (torch.Size([1, 3, 2, 2]), tensor([1.]))
    """

    size: int = 224
    method: Method = "area"
    antialias: bool = False
    mean: tuple[float, float, float] = (0.5, 0.5, 0.5)
    std: tuple[float, float, float] = (0.5, 0.5, 0.5)
    blur: float = 0.0
    view: View = "whole"
    crops: int = 3

    def __post_init__(self) -> None:
        if self.size < 1:
            raise InputError(f"`size >= 1` must hold, but got size={self.size}")
        if self.method not in get_args(Method):
            raise InputError(f"method must be one of {get_args(Method)}, got {self.method!r}")
        if self.antialias and self.method not in ("bilinear", "bicubic"):
            raise InputError(f"antialias needs method bilinear or bicubic, got {self.method!r}")
        for name in ("mean", "std"):
            values = getattr(self, name)
            if len(values) != 3 or not all(map(math.isfinite, values)):
                raise InputError(f"{name} must have 3 finite values, got {values}")
        if self.view not in get_args(View):
            raise InputError(f"view must be one of {get_args(View)}, got {self.view!r}")
        if not 0 <= self.blur <= 8:
            raise InputError(f"`0 <= blur <= 8` must hold, but got blur={self.blur}")
        if self.blur and _blur_side(self.blur) // 2 >= self.size:
            raise InputError(
                f"the blur must be narrower than a view, but got blur={self.blur}, size={self.size}"
            )
        if self.crops < 1:
            raise InputError(f"`crops >= 1` must hold, but got crops={self.crops}")
        if min(self.std) <= 0:
            raise InputError(f"std must be positive, got {self.std}")

    def views(self, image: Tensor) -> Tensor:
        """``(B, 3, H, W)`` -> ``(B, n, 3, size, size)``, normalised: all that the network is shown.

        >>> Preprocess(size=4, view="native").views(torch.rand(1, 3, 9, 4)).shape
        torch.Size([1, 3, 3, 4, 4])
        """
        if self.view == "whole":
            return self(image)[:, None]
        height, width = image.shape[-2:]
        if min(height, width) < self.size:
            enlarged = (max(height, self.size), max(width, self.size))
            image = F.interpolate(image, enlarged, mode="bilinear", align_corners=False)
        squares = [
            image[..., top : top + self.size, left : left + self.size]
            for top in self._starts(image.shape[-2])
            for left in self._starts(image.shape[-1])
        ]
        return self.normalise(torch.stack(squares, dim=1))

    def _starts(self, length: int) -> list[int]:
        """Where along a side the native squares begin."""
        room = length - self.size
        count = 1 if room == 0 else self.crops
        if count == 1:
            return [room // 2]
        return [round(i * room / (count - 1)) for i in range(count)]

    def resize(self, image: Tensor) -> Tensor:
        """``(B, 3, H, W)`` -> ``(B, 3, size, size)``; differentiable; a no-op at that size."""
        if image.shape[-2:] == (self.size, self.size):
            return image
        if self.method == "nearest":
            rows = _nearest_samples(image.shape[-2], self.size).to(image.device)
            columns = _nearest_samples(image.shape[-1], self.size).to(image.device)
            return image[..., rows[:, None], columns]
        if self.method == "area":
            return F.interpolate(image, size=(self.size, self.size), mode="area")
        return F.interpolate(
            image,
            size=(self.size, self.size),
            mode=self.method,
            align_corners=False,
            antialias=self.antialias,
        )

    def soften(self, image: Tensor) -> Tensor:
        """``(B, 3, H, W)``, blurred by `blur`; as it is where that is 0."""
        if self.blur == 0:
            return image
        from kornia.filters import gaussian_blur2d

        side = _blur_side(self.blur)
        return gaussian_blur2d(image, (side, side), (self.blur, self.blur))

    def normalise(self, image: Tensor) -> Tensor:
        """Values in [0, 1] to ``(value - mean) / std``."""
        as_channels: Callable[..., Tensor] = image.new_tensor
        mean = as_channels(self.mean).view(3, 1, 1)
        std = as_channels(self.std).view(3, 1, 1)
        return (image - mean) / std

    def __call__(self, image: Tensor) -> Tensor:
        """Resize, soften, normalise: ``(B, 3, H, W)`` -> ``(B, 3, size, size)``."""
        return self.normalise(self.soften(self.resize(image)))


def _blur_side(blur: float) -> int:
    """Pixels of the kernel; the tail left out weighs less than a hundredth."""
    return 2 * math.ceil(3 * blur) - 1


def _nearest_samples(length: int, size: int) -> Tensor:
    """Which pixels Pillow's NEAREST takes: the one under each output pixel's centre.

    Pillow adds the scale up pixel by pixel in double precision. At 768 -> 224 every seventh
    centre falls on an edge between pixels, where only the same rounding picks the same pixel.
    """
    scale = length / size
    centres = accumulate(repeat(scale, size - 1), initial=scale / 2)
    return torch.tensor([min(int(centre), length - 1) for centre in centres])
