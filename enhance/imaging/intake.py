"""Take what a caller holds, a path, a PIL image, an array or a tensor, as a `Photo`."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from enhance.errors import ImageError
from enhance.imaging.files import read
from enhance.imaging.formats import BROKEN
from enhance.imaging.icc import load_profile
from enhance.imaging.metadata import TURNED, Tags, apply_orientation, orientation
from enhance.imaging.modes import to_samples
from enhance.imaging.photo import ArraySource, ImageLike, ImageSource, Photo, TensorSource
from enhance.imaging.samples import CHANNELS, Array, decode

if TYPE_CHECKING:
    from PIL import Image


def as_photo(image: ImageLike | Photo) -> Photo:
    """Take what the caller holds as a `Photo`.

    Args:
        image: a path; a PIL image of any photographic mode; an array ``(H, W)``, ``(H, W, 1)``,
            ``(H, W, 2)`` (grey and alpha), ``(H, W, 3)`` or ``(H, W, 4)``; a tensor of the same
            channels first, with or without a leading batch of one. Arrays and tensors are uint8,
            uint16 or float in [0, 1].

    EXIF orientation of files and PIL images is applied, and reset in what is given back. ICC
    profiles are converted to sRGB for the work, and back.

    Raises:
        ReadError: the path cannot be read.
        ImageError: not an image, or of a shape, dtype or range that none of the above has; a PIL
            image whose file turns out to be damaged.

    >>> photo = as_photo(np.full((4, 6), 51, np.uint8))
    >>> photo.pixels.shape, round(photo.pixels.max().item(), 3)
    (torch.Size([1, 3, 4, 6]), 0.2)
    >>> photo.like_input(photo.pixels).dtype, photo.like_input(photo.pixels).shape
    (dtype('uint8'), (4, 6))
    """
    if isinstance(image, Photo):
        return image
    if isinstance(image, Tensor):
        return _from_tensor(image)
    if isinstance(image, np.ndarray):
        return _from_array(image)
    if isinstance(image, str | os.PathLike):
        return read(Path(image))
    # a PIL image exists only where PIL is loaded already
    pillow = sys.modules.get("PIL.Image")
    if pillow is not None and isinstance(image, pillow.Image):
        return from_image(image)
    raise ImageError(
        f"an image must be a path, PIL image, array or tensor, got {type(image).__name__}"
    )


def from_image(image: Image.Image) -> Photo:
    """A PIL image as a `Photo`; see `as_photo`."""
    if 0 in image.size:
        raise ImageError(
            f"an image must have at least one pixel, got {image.width} x {image.height}"
        )
    try:  # a file that was opened is decoded only now
        samples, layout, mode = to_samples(apply_orientation(image))
        tags = Tags.of(image).upright(turned=orientation(image) in TURNED)
    except ImageError:
        raise
    except BROKEN as error:
        reason = " ".join(str(error).split())
        raise ImageError(f"a PIL image must be decodable, got: {reason}") from error
    profile = load_profile(tags.icc, layout.removesuffix("A"))
    pixels, alpha, encoding = decode(samples, layout, profile)
    return Photo(pixels, alpha, ImageSource(mode, encoding, tags))


def _from_array(array: Array) -> Photo:
    samples = array[..., None] if array.ndim == 2 else array
    if samples.ndim != 3 or samples.shape[-1] not in CHANNELS:
        hint = ""
        if array.ndim == 3 and array.shape[0] in CHANNELS:
            hint = " (channels go last in an array)"
        raise ImageError(
            f"an array must be (H, W) or (H, W, C) with C in 1..4, got {array.shape}{hint}"
        )
    pixels, alpha, encoding = decode(samples, CHANNELS[samples.shape[-1]])
    return Photo(pixels, alpha, ArraySource(array.shape, encoding))


def _from_tensor(tensor: Tensor) -> Photo:
    shape = tuple(tensor.shape)
    if tensor.ndim == 4 and shape[0] != 1:
        raise ImageError(f"a tensor must hold one image, got a batch of {shape[0]}")
    if tensor.ndim not in (2, 3, 4) or (tensor.ndim > 2 and shape[-3] not in CHANNELS):
        hint = ""
        if tensor.ndim == 3 and shape[-1] in CHANNELS:
            hint = " (channels go first in a tensor)"
        raise ImageError(f"a tensor must be ([1,] C, H, W) with C in 1..4, got {shape}{hint}")
    if tensor.layout != torch.strided or tensor.is_meta:
        raise ImageError(
            f"a tensor must be dense and hold numbers, got {tensor.layout} on {tensor.device}"
        )
    values = (
        tensor.detach()
        .resolve_neg()
        .reshape(shape[-3] if tensor.ndim > 2 else 1, *shape[-2:])
        .cpu()
    )
    if values.dtype in (torch.float16, torch.bfloat16):
        values = values.float()
    if values.dtype not in (torch.uint8, torch.uint16, torch.float32, torch.float64):
        raise ImageError(f"dtype must be uint8, uint16 or float, got {tensor.dtype}")
    samples = values.numpy().transpose(1, 2, 0)
    pixels, alpha, encoding = decode(samples, CHANNELS[samples.shape[-1]])
    source = TensorSource(shape, tensor.dtype, tensor.device, encoding)
    photo = Photo(pixels, alpha, source)
    if tensor.device.type == "cpu":
        return photo
    opacity = alpha.to(tensor.device) if alpha is not None else None
    return replace(photo, pixels=pixels.to(tensor.device), alpha=opacity)
