"""What the scorer sees: views of one photo, drawn once and shared by every setting.

Because every setting is judged on the same views, a gain is a paired difference: what the views
have in common cancels.

- *Whole* views are the photo shrunk to the scorer's size: they carry composition and tone. They
  differ by resampling filter and by up to one pixel of sampling phase, so that a score that rests
  on one lucky resampling is averaged away.
- *Native* views are crops at full resolution: they carry noise and sharpness, which shrinking
  would remove. Each comes with the context (halo) that the operator needs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from enhance.errors import ParameterError
from enhance.operators.base import Operator
from enhance.tuning.integers import check_whole

WHOLE_VIEWS = 4
NATIVE_VIEWS = 50
"""As many as *NIMA* (Talebi & Milanfar 2018), section III.D, averages over for denoising."""

_LARGEST_WINDOW = 4_000_000
"""Pixels that are rendered at once, at most, when crops are cut out of a whole photo."""
_FILTERS = ("bilinear", "area", "bicubic", "nearest")


@dataclass(frozen=True)
class Crop:
    """The part of a window that the scorer sees: the window's index, and the top left corner."""

    window: int
    top: int = 0
    left: int = 0


@dataclass(frozen=True)
class Views:
    """What is rendered, and which parts of it the scorer sees.

    Attributes:
        windows: ``(W, 3, h, w)`` in [0, 1]: what the operator renders.
        crops: the views, in order of their windows.
        size: height and width of a view.
        extent: height and width of the whole photo at the windows' pixel pitch.
    """

    windows: Tensor
    crops: tuple[Crop, ...]
    size: tuple[int, int]
    extent: tuple[int, int]

    def __len__(self) -> int:
        return len(self.crops)

    @property
    def images(self) -> Tensor:
        """The untouched views, ``(V, 3, height, width)``."""
        return self.cut(self.windows)

    def cut(self, windows: Tensor) -> Tensor:
        """Cut the views out of windows or renderings of them: ``(..., W, 3, h, w)`` to V views."""
        height, width = self.size
        parts = [
            windows[..., c.window, :, c.top : c.top + height, c.left : c.left + width]
            for c in self.crops
        ]
        return torch.stack(parts, dim=-4)

    def first(self, count: int) -> Views:
        """The first `count` views."""
        crops = self.crops[:count]
        return Views(self.windows[: crops[-1].window + 1], crops, self.size, self.extent)

    def part(self, start: int, stop: int) -> Views:
        """Views `start` to `stop`; the windows stay as they are."""
        return replace(self, crops=self.crops[start:stop])

    def batches(self, windows: int) -> Iterator[Views]:
        """The views of at most so many windows at a time."""
        for start in range(0, len(self.windows), windows):
            stop = start + windows
            crops = tuple(
                replace(c, window=c.window - start) for c in self.crops if start <= c.window < stop
            )
            yield Views(self.windows[start:stop], crops, self.size, self.extent)


def draw_views(
    operator: Operator[Any], pixels: Tensor, size: int, crops: int | None, seed: int
) -> Views:
    """The views that suit an operator: whole ones, or native crops with its halo."""
    if crops is not None:
        check_crops(crops)
    if operator.views == "whole":
        return whole_views(pixels, crops or WHOLE_VIEWS, size, seed)
    extent = (pixels.shape[-2], pixels.shape[-1])
    return native_views(pixels, crops or NATIVE_VIEWS, size, operator.halo(extent), seed)


def check_crops(crops: int) -> None:
    """Raise `ParameterError` unless so many views give an interval."""
    if check_whole("crops", crops) < 2:
        raise ParameterError(f"crops must be at least 2, for the gain's interval, got {crops}")


def whole_views(pixels: Tensor, count: int = WHOLE_VIEWS, size: int = 224, seed: int = 0) -> Views:
    """Shrink a photo ``(1, 3, H, W)`` to at most `size` x `size`, `count` times.

    As for the networks that judge it, the aspect ratio is not kept. View 0 is the antialiased
    bilinear shrinking of the whole photo; the others go round the filters bilinear, area, bicubic
    and nearest, each with up to one target pixel trimmed off the borders. A side no longer than
    `size` is not enlarged; along it the others are moved by one pixel or none.
    """
    _check(pixels, count)
    height, width = pixels.shape[-2:]
    target = (min(height, size), min(width, size))
    generator = torch.Generator().manual_seed(seed)
    shrunk = []
    for view in range(count):
        trims = torch.rand(4, generator=generator).tolist()
        if view == 0:
            trims = [0.0] * 4
        top, bottom = (int(t * height / (target[0] + 2)) for t in trims[:2])
        left, right = (int(t * width / (target[1] + 2)) for t in trims[2:])
        trimmed = pixels[..., top : height - bottom, left : width - right]
        # what is not shrunk has no phase of sampling: it is moved by one pixel instead
        down = view // 2 % 2 if height == target[0] else 0
        right = view % 2 if width == target[1] else 0
        moved = _moved(trimmed, down, right)
        shrunk.append(_shrink(moved, target, _FILTERS[view % len(_FILTERS)]))
    windows = torch.cat(shrunk)
    return Views(windows, tuple(map(Crop, range(count))), target, target)


def native_views(
    pixels: Tensor, count: int = NATIVE_VIEWS, size: int = 224, halo: int = 0, seed: int = 0
) -> Views:
    """Cut `count` different random crops of `size` x `size` out of a photo ``(1, 3, H, W)``.

    Each is rendered with `halo` pixels around it, less at the photo's borders, where there is
    nothing around it; where that would render more pixels than the photo has, the photo is
    rendered instead and the crops are cut out of it. A crop's side is at most 7/8 of the
    photo's, so that a small photo gives different crops too; one that has fewer than `count`
    gives all it has.
    """
    _check(pixels, count)
    height, width = pixels.shape[-2:]
    seen = (_crop_side(height, size), _crop_side(width, size))
    corners = _corners(height - seen[0] + 1, width - seen[1] + 1, count, seed)
    window = (min(height, seen[0] + 2 * halo), min(width, seen[1] + 2 * halo))
    if height * width <= min(len(corners) * window[0] * window[1], _LARGEST_WINDOW):
        crops = tuple(Crop(0, row, column) for row, column in corners)
        return Views(pixels, crops, seen, (height, width))
    cuts, crops = [], ()
    for index, (row, column) in enumerate(corners):
        top = min(max(row - halo, 0), height - window[0])
        left = min(max(column - halo, 0), width - window[1])
        cuts.append(pixels[0, :, top : top + window[0], left : left + window[1]])
        crops += (Crop(index, row - top, column - left),)
    return Views(torch.stack(cuts), crops, seen, (height, width))


def _crop_side(side: int, size: int) -> int:
    return min(side - max(side // 8, 1), size) if side > 1 else 1


def _corners(rows: int, columns: int, count: int, seed: int) -> list[tuple[int, int]]:
    """Different top left corners, drawn at random; all of them where there are no more."""
    if rows * columns <= count:
        return [(row, column) for row in range(rows) for column in range(columns)]
    generator = torch.Generator().manual_seed(seed)
    drawn: dict[tuple[int, int], None] = {}
    while len(drawn) < count:
        row = int(torch.randint(rows, (), generator=generator))
        drawn[row, int(torch.randint(columns, (), generator=generator))] = None
    return list(drawn)


def _shrink(pixels: Tensor, target: tuple[int, int], method: str) -> Tensor:
    if pixels.shape[-2:] == target:
        return pixels
    if method in ("bilinear", "bicubic"):
        shrunk = functional.interpolate(pixels, target, mode=method, antialias=True)
        return shrunk.clamp(0, 1)
    return functional.interpolate(pixels, target, mode=method)


def _moved(pixels: Tensor, down: int, right: int) -> Tensor:
    """Cut so many rows and columns off the top left and repeat the last ones instead."""
    if not (down or right):
        return pixels
    rows, columns = pixels.shape[-2:]
    cut = pixels[..., min(down, rows - 1) :, min(right, columns - 1) :]
    grown = (0, columns - cut.shape[-1], 0, rows - cut.shape[-2])
    return functional.pad(cut, grown, mode="replicate")


def _check(pixels: Tensor, count: int) -> None:
    if pixels.ndim != 4 or pixels.shape[:2] != (1, 3):
        raise ParameterError(f"a photo must have shape (1, 3, H, W), got {tuple(pixels.shape)}")
    if count < 1:
        raise ParameterError(f"crops must be at least 1, got {count}")
