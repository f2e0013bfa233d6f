"""Edge-aware smoothing by the domain transform, in its three forms.

Gastal and Oliveira, "Domain Transform for Edge-Aware Image and Video Processing", SIGGRAPH
2011: distances along rows and columns are stretched where a guide changes. Over them runs a
first-order recursive filter in both directions, or a box that takes the mean of the pixels it
holds (normalised convolution) or of the line through them (interpolated convolution), N times
with halving widths.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn

from enhance.errors import ImageError, ParameterError, unknown_name
from enhance.operators import opencv, recursive_compiled
from enhance.operators.batching import broadcast_shapes
from enhance.operators.compiled import usable
from enhance.operators.distances import distances
from enhance.operators.recursive import recursive_filter
from enhance.operators.windows import MODES, window_filter

Mode = Literal["rf", "nc", "ic"]
MAX_ITERATIONS = 64
"""Each halves the width: far sooner the first has the whole width, and the last none."""


def domain_transform(
    image: Tensor,
    guide: Tensor | None = None,
    sigma_s: float | Tensor = 20.0,
    sigma_r: float | Tensor = 0.3,
    iterations: int = 3,
    mode: Mode = "rf",
) -> Tensor:
    """Smooth an image along, not across, the edges of a guide.

    Equals ``cv2.ximgproc.dtFilter(guide, image, sigma_s, sigma_r, mode)``. The recursive form is
    differentiable to `image`, `guide`, `sigma_s` and `sigma_r`; the other two are for inference,
    since a box takes whole pixels and shows its width no gradient. Constants are preserved and
    the output stays within the input's range; the mean is not preserved. Half-precision inputs
    are worked on in float32. On a processor each filter is a compiled loop if Numba is installed
    (extra ``fast``); else the recursive one is OpenCV's, if that is installed and no gradient is
    asked for; else torch's.

    Args:
        image: ``(B, C, H, W)``, any number of channels and any range.
        guide: ``(B, C', H, W)`` or ``(1, C', H, W)``; its edges are kept. None means `image`.
        sigma_s: spatial width in pixels, positive; a number or a tensor that broadcasts
            against ``(B,)``: ``(K,)`` on one image gives ``(K, C, H, W)``.
        sigma_r: how large a difference of the guide, summed over its channels, counts as an
            edge, in units of the guide; positive; shaped like `sigma_s`.
        iterations: N of the paper; 3 leaves no visible stripes.
        mode: ``"rf"``, the recursive filter; ``"nc"``, normalised, or ``"ic"``, interpolated
            convolution. OpenCV sums the last two in float32 and strays by up to 4e-4 on lines of
            2400 pixels; here sums are float64.

    Returns:
        The smoothed image, in the dtype of `image`.

    Raises:
        ImageError: shapes that do not fit each other, or an image that is not floating.
        ParameterError: a sigma or `iterations` that is not positive, a sigma whose inverse is
            infinite, more than `MAX_ITERATIONS`, another `mode`, or a gradient asked of ``"nc"``
            or ``"ic"``.

    >>> image = torch.rand(1, 3, 8, 8)
    >>> domain_transform(image, sigma_s=torch.tensor([1.0, 4.0])).shape
    torch.Size([2, 3, 8, 8])
    """
    own = guide is None or guide is image
    guide = image if guide is None else guide
    if (
        image.ndim != 4
        or guide.ndim != 4
        or 0 in image.shape
        or image.shape[-2:] != guide.shape[-2:]
    ):
        raise ImageError(
            "image and guide must be (B, C, H, W) of one height and width, "
            f"got {tuple(image.shape)} and {tuple(guide.shape)}"
        )
    if not image.is_floating_point():
        raise ImageError(f"image must be floating, got {image.dtype}")
    if not isinstance(iterations, int) or iterations < 1:
        raise ParameterError(f"iterations must be a whole number, at least 1, got {iterations!r}")
    if iterations > MAX_ITERATIONS:
        raise ParameterError(f"iterations must be at most {MAX_ITERATIONS}, got {iterations}")
    if mode != "rf" and mode not in MODES:
        raise unknown_name("mode", mode, ["rf", *MODES])
    half = image.dtype in (torch.float16, torch.bfloat16)
    working = image.float() if half else image
    guide = guide.to(working.dtype)
    inverse_s = _inverse("sigma_s", sigma_s, working)
    inverse_r = _inverse("sigma_r", sigma_r, working)
    batch = _batch(working, guide, inverse_s, inverse_r)
    working = working.expand(*batch, -1, -1, -1)
    if mode == "rf":
        smoothed = _recursive(working, guide, own, inverse_s, inverse_r, iterations)
    elif _differentiated(working, guide, inverse_s, inverse_r):
        raise ParameterError(
            f'mode "{mode}" has no gradient: call it under torch.no_grad(), or use mode "rf"'
        )
    else:
        # a box that reaches sqrt(3) sigma_i to each side has the standard deviation sigma_i
        reaches = [math.sqrt(6) / rate for rate in _rates(iterations)]
        across, down = _spread(guide, inverse_s, inverse_r, batch)
        smoothed = window_filter(working, across, down, reaches, mode)
    return smoothed.to(image.dtype)


class DomainTransform(nn.Module):
    """`domain_transform` with fixed settings.

    >>> DomainTransform(sigma_s=3.0)(torch.rand(1, 3, 8, 8)).shape
    torch.Size([1, 3, 8, 8])
    """

    def __init__(
        self,
        sigma_s: float | Tensor = 20.0,
        sigma_r: float | Tensor = 0.3,
        iterations: int = 3,
        mode: Mode = "rf",
    ) -> None:
        super().__init__()
        self.sigma_s = sigma_s
        self.sigma_r = sigma_r
        self.iterations = iterations
        self.mode: Mode = mode

    def forward(self, image: Tensor, guide: Tensor | None = None) -> Tensor:
        """Smooth ``(B, C, H, W)``; see `domain_transform`."""
        return domain_transform(
            image, guide, self.sigma_s, self.sigma_r, self.iterations, self.mode
        )


def _recursive(
    image: Tensor, guide: Tensor, own: bool, inverse_s: Tensor, inverse_r: Tensor, iterations: int
) -> Tensor:
    """The recursive form by the fastest way at hand; `image` has the common batch shape.

    `own` says that the image is its own guide.
    """
    batch, rates = image.shape[:1], _rates(iterations)
    guides = guide.expand(*batch, -1, -1, -1)
    all_s, all_r = inverse_s.expand(*batch, 1, 1), inverse_r.expand(*batch, 1, 1)
    if usable(image):
        other = None if own else guides
        return recursive_compiled.smooth(image, other, all_s, all_r, rates)
    if not _differentiated(image, guide, inverse_s, inverse_r):
        sigma_s, sigma_r = ((1 / inverse).detach().flatten() for inverse in (all_s, all_r))
        ready = opencv.smooth(image.detach(), guides.detach(), sigma_s, sigma_r, iterations)
        if ready is not None:
            return ready
    across, down = _spread(guide, inverse_s, inverse_r, batch)
    return recursive_filter(image, across, down, rates)


def _spread(
    guide: Tensor, inverse_s: Tensor, inverse_r: Tensor, batch: torch.Size
) -> tuple[Tensor, Tensor]:
    """Distances in rows and in columns for each image of the batch."""
    across, down = distances(guide, inverse_s, inverse_r)
    return across.expand(*batch, -1, -1), down.expand(*batch, -1, -1)


def _inverse(name: str, sigma: float | Tensor, like: Tensor) -> Tensor:
    """1 / sigma, shaped ``(K, 1, 1)`` or ``(1, 1)``."""
    try:
        values = torch.as_tensor(sigma, dtype=like.dtype, device=like.device)
    except (TypeError, ValueError, RuntimeError):
        raise ParameterError(f"{name} must be a number or a tensor, got {sigma!r}") from None
    if not bool((values > 0).all()):
        worst = values.detach().min().item()
        raise ParameterError(f"{name} must be greater than 0, got {worst:g}")
    inverse = 1 / values
    if not bool(inverse.isfinite().all()):
        least = 1 / torch.finfo(values.dtype).max
        worst = values.detach().min().item()
        raise ParameterError(f"{name} must be at least {least:.1g}, got {worst:.3g}")
    return inverse[..., None, None]


def _differentiated(*values: Tensor) -> bool:
    """Whether a gradient to any of them may be asked for."""
    return torch.is_grad_enabled() and any(value.requires_grad for value in values)


def _batch(image: Tensor, guide: Tensor, inverse_s: Tensor, inverse_r: Tensor) -> torch.Size:
    """The common batch shape ``(B,)`` of everything that is given."""
    shapes = [image.shape[:1], guide.shape[:1], inverse_s.shape[:-2], inverse_r.shape[:-2]]
    try:
        batch = broadcast_shapes(*shapes)
    except ValueError:
        batch = torch.Size()
    if len(batch) != 1:
        got = ", ".join(str(tuple(shape)) for shape in shapes)
        raise ImageError(
            f"image, guide, sigma_s and sigma_r must broadcast to one batch (B,), got {got}"
        )
    return batch


def _rates(iterations: int) -> list[float]:
    """``sqrt(2) sigma_s / sigma_i`` of each iteration (equation 14 of the paper); they double."""
    return [
        math.sqrt(2 * (4**iterations - 1) / 3) / 2 ** (iterations - i)
        for i in range(1, iterations + 1)
    ]
