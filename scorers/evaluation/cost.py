"""What a backbone costs: parameters, operations and time, as in NIMA's Table V."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from scorers.errors import InputError
from scorers.nima import NIMA


@dataclass(frozen=True)
class Cost:
    """Cost of one network on one device.

    Attributes:
        parameters: in millions.
        gflops: floating-point operations of one view, in billions; a multiplication and the
            addition after it are two.
        milliseconds: per view, median of the repeats.
        spread: distance between their quartiles.
        batch, size, device, threads: how it was timed.
    """

    parameters: float
    gflops: float
    milliseconds: float
    spread: float
    batch: int
    size: int
    device: str
    threads: int


@torch.inference_mode()
def cost(
    backbone: Callable[[], nn.Module],
    *,
    size: int = 224,
    batch: int = 1,
    repeats: int = 20,
    device: str | torch.device = "cpu",
) -> Cost:
    """Count and time a NIMA on a backbone.

    Args:
        backbone: builds it.
        size: side of the views.
        batch: views at a time.
        repeats: timed runs, after two that are not.

    Raises:
        InputError: fewer than one view or repeat.

    >>> from scorers.backbones import create
    >>> small = cost(lambda: create("mobilenet_v1", width=0.25), size=32, repeats=3)
    >>> round(small.parameters, 3), round(small.gflops, 4)
    (0.216, 0.0017)
    """
    if batch < 1 or repeats < 1:
        raise InputError(
            f"`batch >= 1` and `repeats >= 1` must hold, but got batch={batch}, repeats={repeats}"
        )
    from torch.utils.flop_counter import FlopCounterMode

    device = torch.device(device)
    network = NIMA(backbone()).eval().to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    view = torch.rand(batch, 3, size, size, device=device)
    view = view.contiguous(memory_format=torch.channels_last)
    with FlopCounterMode(display=False) as counter:
        network(view[:1])
    seconds = []
    for run in range(repeats + 2):
        begun = time.perf_counter()
        network(view)
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        if run >= 2:
            seconds.append((time.perf_counter() - begun) / batch)
    low, median, high = torch.tensor(seconds).quantile(torch.tensor([0.25, 0.5, 0.75])).tolist()
    return Cost(
        parameters=sum(p.numel() for p in network.parameters()) / 1e6,
        gflops=counter.get_total_flops() / 1e9,
        milliseconds=1e3 * median,
        spread=1e3 * (high - low),
        batch=batch,
        size=size,
        device=torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
        threads=torch.get_num_threads(),
    )


# Talebi and Milanfar 2018, Table V: millions of parameters, billions of operations
PAPER: Mapping[str, tuple[float, float]] = {
    "mobilenet_v1": (3.22, 1.29),
    "inception_v2": (10.16, 4.37),
    "vgg16": (134.3, 31.6),
}


def folded_options(backbone: str) -> dict[str, Any]:
    """Options that build a backbone as deployed: no batch norm where it can be folded away."""
    return {} if backbone == "vgg16" else {"folded": True}
