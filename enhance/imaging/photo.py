"""A photo: pixels to work on, and the way back to whatever the caller passed in."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, Union

import numpy as np
import torch
from torch import Tensor

from enhance.imaging.metadata import Tags
from enhance.imaging.modes import from_samples
from enhance.imaging.samples import Array, Encoding, encode

if TYPE_CHECKING:
    from PIL import Image

ImageLike: TypeAlias = Union[str, "os.PathLike[str]", "Image.Image", Array, Tensor]
"""What every function that takes a photo accepts."""


NO_TAGS = Tags()


class Source(Protocol):
    """Where a photo came from: enough to give the same kind back."""

    @property
    def encoding(self) -> Encoding:
        """From pixels to samples."""

    @property
    def mode(self) -> str:
        """Pillow's mode of the samples."""

    @property
    def tags(self) -> Tags:
        """Metadata that holds for the upright pixels."""

    def give_back(self, pixels: Tensor) -> Any:
        """Pixels ``(1, 3, H, W)`` in [0, 1] as the kind of thing the caller passed in."""


@dataclass(frozen=True, eq=False)
class Photo:
    """A photo ready to be worked on.

    Attributes:
        pixels: ``(1, 3, H, W)`` float32 in [0, 1], gamma-encoded sRGB, upright.
        alpha: ``(1, 1, H, W)`` float32 in [0, 1], or None. Given back as it came.
        source: what is needed to give back the same kind.
    """

    pixels: Tensor
    alpha: Tensor | None
    source: Source

    def __repr__(self) -> str:
        height, width = self.size
        return f"<Photo {width} x {height}, {self.source.mode} from {type(self.source).__name__}>"

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in px."""
        height, width = self.pixels.shape[-2:]
        return height, width

    def like_input(self, pixels: Tensor) -> Any:
        """Give `pixels` back as the kind the photo came as: same type, dtype, shape and mode.

        Grey stays grey, alpha is untouched, and a pixel that did not change comes back exactly
        (8-bit results are dithered in between, float64 ones are rounded to float32). PIL's mode
        PA, whose colours and alphas together no palette holds, comes back as RGBA. A path gives
        a PIL image; `enhance.imaging.files.write` writes a file with all its precision.

        Args:
            pixels: ``(1, 3, H, W)`` in [0, 1], of the photo's size.

        Raises:
            ImageError: another shape, or values that are not finite.
        """
        return self.source.give_back(pixels)


@dataclass(frozen=True)
class TensorSource:
    """A tensor of `shape`: ``([1,] C, H, W)`` or ``(H, W)``."""

    shape: tuple[int, ...]
    dtype: torch.dtype
    device: torch.device
    encoding: Encoding
    tags: Tags = NO_TAGS

    @property
    def mode(self) -> str:
        return self.encoding.layout

    def give_back(self, pixels: Tensor) -> Tensor:
        samples = torch.from_numpy(encode(pixels, self.encoding).transpose(2, 0, 1).copy())
        return samples.reshape(self.shape).to(self.device, self.dtype)


@dataclass(frozen=True)
class ArraySource:
    """An array of `shape`: ``(H, W[, C])``."""

    shape: tuple[int, ...]
    encoding: Encoding
    tags: Tags = NO_TAGS

    @property
    def mode(self) -> str:
        return self.encoding.layout

    def give_back(self, pixels: Tensor) -> Array:
        return encode(pixels, self.encoding).reshape(self.shape)


@dataclass(frozen=True)
class ImageSource:
    """A PIL image of `mode`."""

    mode: str
    encoding: Encoding
    tags: Tags

    def give_back(self, pixels: Tensor) -> Image.Image:
        encoding = self.encoding
        if encoding.layout == "LA" and encoding.dtype == np.uint16:  # there is no such mode
            encoding = encoding.eight_bit()
        # a dithered palette image would need more colours than it has
        samples = encode(pixels, encoding, dither=self.mode != "P")
        image = from_samples(samples, encoding.layout, self.mode)
        image.info.update(self.tags.info())
        return image
