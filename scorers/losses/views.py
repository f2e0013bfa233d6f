"""What a scorer is shown of an image in training: random views that pass gradients unharmed."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from scorers.errors import InputError


def native_crops(
    image: Tensor, size: int, count: int, generator: Generator | None = None
) -> Tensor:
    """Random squares at the image's own resolution: ``(B, C, H, W)`` -> ``(B, count, C, h, w)``.

    Nothing is resampled, so a crop's gradient is the image's gradient there, and every pixel
    can be drawn. An image smaller than `size` is cut to what there is.

    Args:
        image: of any float range.
        size: side of the squares.
        count: squares per image, drawn for each image on its own.
        generator: on the CPU; PyTorch's global one when None.

    >>> native_crops(torch.rand(2, 3, 30, 40), size=16, count=4).shape
    torch.Size([2, 4, 3, 16, 16])
    """
    height, width = image.shape[-2:]
    return _cut(image, min(size, height), min(size, width), count, generator)


def whole_views(
    image: Tensor, count: int, generator: Generator | None = None, *, keep: float = 0.9
) -> Tensor:
    """Random cuts of nearly the whole image: ``(B, C, H, W)`` -> ``(B, count, C, h, w)``.

    A scorer shrinks them itself. The cut moves the grid it samples: a network trained against
    one fixed grid could please the scorer on the pixels of that grid alone, and a scorer that
    shrinks by nearest neighbour would pass no gradient to any other.

    Args:
        image: of any float range.
        count: views per image, drawn for each image on its own.
        generator: on the CPU; PyTorch's global one when None.
        keep: length of a cut's sides relative to the image's, in (0, 1].

    >>> whole_views(torch.rand(2, 3, 30, 40), count=1).shape
    torch.Size([2, 1, 3, 27, 36])
    """
    if not 0 < keep <= 1:
        raise InputError(f"keep must lie in (0, 1], got {keep:g}")
    height, width = (max(1, round(side * keep)) for side in image.shape[-2:])
    return _cut(image, height, width, count, generator)


def _cut(image: Tensor, height: int, width: int, count: int, generator: Generator | None) -> Tensor:
    where = torch.rand(len(image), count, 2, generator=generator)
    room = torch.tensor([image.shape[-2] - height + 1, image.shape[-1] - width + 1])
    corners = (where * room).long().tolist()
    views = [
        photo[:, top : top + height, left : left + width]
        for photo, chosen in zip(image, corners, strict=True)
        for top, left in chosen
    ]
    return torch.stack(views).unflatten(0, (len(image), count))
