"""Moire: a photo taken of a photo on a screen.

The steps are those of Liu, Shu and Wu (2018, *Demoireing of camera-captured screen images using
deep convolutional neural network*, section III): subpixels of the screen, a projective
transformation, the lens' radial distortion, an antialiasing filter, Bayer's mosaic, noise,
demosaicing. Left out are the camera's denoising and JPEG. Added is a last one: the picture is
registered to the photo, so that pairs can be compared pixel by pixel.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from scorers.photos.damage import gaussian_blur, to_linear, to_srgb

_SUBPIXELS = 3  # a screen's pixel is as many columns, one a colour
_TILT = 0.04  # by which the camera's corners miss the screen's, as a share of the sides
_DISTORTION = 0.02  # of the lens, at most
_FILTER = 0.4  # std of the antialiasing filter, in the camera's pixels
_NOISE = 0.005  # std, in linear light
_STEPS = 4  # of the iteration that undoes the distortion


def moire(image: Tensor, generator: Generator) -> Tensor:
    """Photograph each of ``(B, 3, H, W)`` off a screen, in [0, 1], from a place drawn for it.

    >>> moire(torch.full((1, 3, 24, 32), 0.5), torch.Generator().manual_seed(0)).shape
    torch.Size([1, 3, 24, 32])
    """
    return torch.cat([_photograph(photo, generator) for photo in image.split(1)]).clamp(0, 1)


def _photograph(photo: Tensor, generator: Generator) -> Tensor:
    from kornia.geometry.transform import get_perspective_transform

    height, width = photo.shape[-2:]
    corners = torch.tensor([[-1.0, -1.0], [1, -1], [1, 1], [-1, 1]])
    # the camera sees a little more than the screen, so that none of the photo is missing
    beyond = corners * (1 + 2 * _DISTORTION + 2 * _TILT * torch.rand(4, 2, generator=generator))
    to_screen = get_perspective_transform(corners[None], beyond[None])
    bend = float(_DISTORTION * (2 * torch.rand((), generator=generator) - 1))

    shown = gaussian_blur(screen(to_linear(photo)), _FILTER * _SUBPIXELS)
    camera = _grid(height, width)
    seen_at = _project(camera * (1 + bend * camera.square().sum(-1, keepdim=True)), to_screen)
    seen = _sample(shown, seen_at)
    raw = seen + _NOISE * torch.randn(seen.shape, generator=generator).to(seen)
    developed = demosaic(raw * _bayer(height, width).to(raw))

    straight = _project(_grid(height, width), torch.linalg.inv(to_screen))
    place = straight
    for _ in range(_STEPS):
        place = straight / (1 + bend * place.square().sum(-1, keepdim=True))
    return to_srgb(_sample(developed, place).clamp(0, 1))


def screen(light: Tensor) -> Tensor:
    """What a screen's subpixels emit: ``(B, 3, H, W)`` -> ``(B, 3, 3H, 3W)``, of the same mean.

    >>> lit = screen(torch.ones(1, 3, 1, 2))
    >>> lit[0, :, 0].argmax(0).tolist(), lit.mean().item()
    ([0, 1, 2, 0, 1, 2], 1.0)
    """
    large = light.repeat_interleave(_SUBPIXELS, -1).repeat_interleave(_SUBPIXELS, -2)
    column = torch.arange(large.shape[-1], device=light.device) % _SUBPIXELS
    lit = column == torch.arange(3, device=light.device)[:, None]
    return large * lit[:, None].to(large) * _SUBPIXELS


def demosaic(raw: Tensor) -> Tensor:
    """Bilinear: ``(B, 3, H, W)`` with zeros where Bayer's filter hides a colour, to all of it."""
    kernel = raw.new_tensor([[1.0, 2, 1], [2, 4, 2], [1, 2, 1]]).expand(3, 1, 3, 3)
    known = _bayer(*raw.shape[-2:]).to(raw).expand_as(raw)
    total = F.conv2d(raw, kernel, padding=1, groups=3)
    return total / F.conv2d(known, kernel, padding=1, groups=3)


def _bayer(height: int, width: int) -> Tensor:
    """``(1, 3, H, W)``: which colour each pixel of the sensor sees, red and green first."""
    row, column = torch.arange(height)[:, None] % 2, torch.arange(width)[None] % 2
    red, blue = (row == 0) & (column == 0), (row == 1) & (column == 1)
    return torch.stack([red, row != column, blue])[None]


def _grid(height: int, width: int) -> Tensor:
    """``(1, H, W, 2)``: centres of pixels, x then y, in [-1, 1]."""
    rows = (2 * torch.arange(height) + 1) / height - 1
    columns = (2 * torch.arange(width) + 1) / width - 1
    return torch.stack(torch.meshgrid(columns, rows, indexing="xy"), -1)[None]


def _project(places: Tensor, transform: Tensor) -> Tensor:
    homogeneous = F.pad(places, (0, 1), value=1.0) @ transform.mT
    return homogeneous[..., :2] / homogeneous[..., 2:]


def _sample(image: Tensor, places: Tensor) -> Tensor:
    return F.grid_sample(
        image, places.to(image), mode="bilinear", padding_mode="reflection", align_corners=False
    )
