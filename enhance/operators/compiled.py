"""Loops written in Python and translated by Numba, where it is installed (extra ``fast``).

Without Numba nothing is lost but time: whoever asks `usable` has the same written in torch. What
was compiled once is kept on disk, so that only the very first call waits for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from enhance.operators.threads import in_slabs


@cache
def _module() -> ModuleType | None:
    """Numba, if it is installed and has not been told to leave Python as it is."""
    try:
        import numba
    except ImportError:
        return None
    return None if getattr(numba.config, "DISABLE_JIT", False) else numba


def usable(*tensors: Tensor) -> bool:
    """Whether compiled loops can work on these: in the processor's memory, float32 or float64.

    >>> usable(torch.zeros(2, dtype=torch.float16))
    False
    """
    able = all(
        tensor.device.type == "cpu" and tensor.dtype in (torch.float32, torch.float64)
        for tensor in tensors
    )
    return able and _module() is not None


@cache
def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function as machine code that runs without Python's lock."""
    numba = _module()
    assert numba is not None, "ask `usable` first"
    # multiply and add in one rounding; nothing else that IEEE forbids
    options: dict[str, Any] = {"nogil": True, "fastmath": {"contract"}}
    try:
        loop: Callable[..., Any] = numba.njit(function, cache=True, **options)
    except RuntimeError:  # no folder that can be written to
        loop = numba.njit(function, **options)
    return loop


def share(
    function: Callable[..., Any],
    items: Sequence[Sequence[Tensor | float | None]],
    lines: int,
    elements: int,
) -> None:
    """Call the compiled `function` on each item, its lines shared among threads.

    Args:
        function: takes what an item holds, then the first line to work on and the one after the
            last.
        items: tensors, handed over as contiguous arrays, so that what is written to must be
            contiguous; numbers; and None, which is compiled away.
        lines: rows or columns of each item.
        elements: how many numbers all items hold together.
    """
    loop = compiled(function)
    arguments = [
        [v.detach().contiguous().numpy() if isinstance(v, Tensor) else v for v in item]
        for item in items
    ]

    def work(slab: slice) -> None:
        for n in range(slab.start // lines, -(-slab.stop // lines)):
            start, stop = max(slab.start - n * lines, 0), min(slab.stop - n * lines, lines)
            loop(*arguments[n], start, stop)

    in_slabs(work, lines * len(items), elements)
