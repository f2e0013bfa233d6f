"""Means over windows of a fixed reach in stretched distance: the domain transform's NC and IC."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from enhance.operators import window_kernels
from enhance.operators.compiled import share, usable
from enhance.operators.threads import in_slabs

BLOCK = 1 << 17  # elements worked on at once, so that temporaries stay in the processor's cache


def window_filter(
    image: Tensor,
    across: Tensor,
    down: Tensor,
    reaches: Sequence[float],
    mode: Literal["nc", "ic"],
) -> Tensor:
    """Average rows, then columns, within each reach. Carries no gradient.

    Sums are kept in float64: differences of float32 sums lose what a long line has in small.

    Args:
        image: ``(B, C, H, W)``.
        across: ``(B, H, W - 1)`` distances between horizontal neighbours, positive.
        down: ``(B, H - 1, W)``, the same for vertical ones.
        reaches: half the window's width, one an iteration.
        mode: ``"nc"`` averages the pixels in the window, ``"ic"`` the line drawn through them.

    >>> image = torch.rand(1, 1, 4, 5)
    >>> far = window_filter(image, torch.ones(1, 4, 4), torch.ones(1, 3, 5), [0.5], "nc")
    >>> torch.equal(far, image)
    True
    """
    places = [_places(across), _places(down.mT)]
    average, kernel = MODES[mode]
    state = image.detach()
    for reach in reaches:
        for place in places:
            lines, state = state.contiguous(), torch.empty_like(state.contiguous())
            if place.shape[-1] == 1:
                state = lines
            elif usable(lines):
                items = [(*planes, reach) for planes in zip(lines, place, state, strict=True)]
                share(kernel, items, lines.shape[-2], lines.numel())
            else:
                _few_at_once(average, lines, place, state, reach)
            state = state.mT
    return state.contiguous()


def _normalised(lines: Tensor, places: Tensor, reach: float) -> Tensor:
    """Mean of the pixels within `reach` of each: normalised convolution with a box."""
    sums = functional.pad(lines.cumsum(-1), (1, 0))
    first = torch.searchsorted(places, places - reach)
    last = torch.searchsorted(places, places + reach, right=True)
    return (_at(sums, last) - _at(sums, first)) / (last - first).unsqueeze(1)


def _interpolated(lines: Tensor, places: Tensor, reach: float) -> Tensor:
    """Mean of the line drawn through the pixels, within `reach` of each; ends go on level."""
    steps = places.diff(dim=-1).unsqueeze(1)
    rises = lines.diff(dim=-1)
    areas = functional.pad((steps * (lines[..., :-1] + rises / 2)).cumsum(-1), (1, 0))
    slopes = rises / steps

    def area(until: Tensor) -> Tensor:
        inside = torch.minimum(torch.maximum(until, places[..., :1]), places[..., -1:])
        before = torch.searchsorted(places, inside, right=True).sub_(1)
        before.clamp_max_(places.shape[-1] - 2)
        beyond = (until - inside).unsqueeze(1)
        offset = (inside - places.gather(-1, before)).unsqueeze(1)
        value, slope = _at(lines, before), _at(slopes, before)
        level = value + offset * slope
        return _at(areas, before) + offset * (value + level) / 2 + beyond * level

    return (area(places + reach) - area(places - reach)) / (2 * reach)


def _places(distances: Tensor) -> Tensor:
    """Where the pixels of each line lie: running sums ``(B, M, L)`` of distances, from zero."""
    return functional.pad(distances.detach().double().cumsum(-1), (1, 0))


def _at(values: Tensor, index: Tensor) -> Tensor:
    """``values[b, c, m, index[b, m, l]]``, the same for all channels."""
    return values.gather(-1, index.unsqueeze(1).expand(-1, values.shape[1], -1, -1))


def _few_at_once(
    average: Callable[[Tensor, Tensor, float], Tensor],
    source: Tensor,
    places: Tensor,
    target: Tensor,
    reach: float,
) -> None:
    """Write the averaged lines of `source` to `target`, a block at a time, among threads."""
    batch, channels, count, length = source.shape
    size = max(1, BLOCK // (batch * channels * length))

    def work(slab: slice) -> None:
        for top in range(slab.start, slab.stop, size):
            part = slice(top, min(top + size, slab.stop))
            target[..., part, :] = average(
                source[..., part, :].double(), places[:, part].contiguous(), reach
            )

    in_slabs(work, count, source.numel())


MODES = {
    "nc": (_normalised, window_kernels.normalised_rows),
    "ic": (_interpolated, window_kernels.interpolated_rows),
}
