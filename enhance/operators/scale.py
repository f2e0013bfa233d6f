"""Sizes that grow with the photo, so that one setting looks alike at any resolution."""

from __future__ import annotations

REFERENCE = 512
"""Long side, in pixels, of the photo on which parameters count pixels."""


def scale_of(extent: tuple[int, int]) -> float:
    """How many times as long as `REFERENCE` a photo of this height and width is; at least once.

    >>> scale_of((3000, 4096)), scale_of((200, 224))
    (8.0, 1.0)
    """
    return max(1.0, max(extent) / REFERENCE)


def step_in_pixels(size: float, extent: tuple[int, int]) -> int:
    """Whole pixels on a photo of this height and width; at least one.

    >>> step_in_pixels(2, (3000, 4096)), step_in_pixels(2, (200, 224))
    (16, 1)
    """
    return max(1, round(size * max(extent) / REFERENCE))
