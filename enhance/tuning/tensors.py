"""Tensors that gradients can flow through, whatever mode the caller is in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def ordinary_tensors() -> Iterator[None]:
    """Make ordinary tensors inside, and record gradients.

    A search needs both, and what it loads is kept for later calls, which may need them.

    >>> with torch.inference_mode(), ordinary_tensors():
    ...     weight = torch.ones(1, requires_grad=True) * 2
    >>> weight.requires_grad, weight.is_inference()
    (True, False)
    """
    with torch.inference_mode(False), torch.enable_grad():
        yield
