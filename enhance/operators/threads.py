"""Independent lines of a photo, shared among as many threads as torch uses."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import torch

SLAB = 1 << 20  # elements that are worth a thread of their own


def in_slabs(work: Callable[[slice], None], lines: int, elements: int) -> None:
    """Call `work` on slices that together cover ``range(lines)``; little work keeps to one.

    Args:
        work: must let go of Python's lock for most of its time, as torch's operations do.
        lines: what is divided.
        elements: how many numbers all lines hold together.

    >>> seen = []
    >>> in_slabs(seen.append, 10, 100)
    >>> seen
    [slice(0, 10, None)]
    """
    threads = min(torch.get_num_threads(), elements // SLAB, lines)
    if threads < 2:
        work(slice(0, lines))
        return
    inference = torch.is_inference_mode_enabled()

    def slab(part: slice) -> None:
        with torch.inference_mode(inference), torch.no_grad():
            work(part)

    cuts = [lines * n // threads for n in range(threads + 1)]
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(slab, [slice(a, b) for a, b in itertools.pairwise(cuts)]))
