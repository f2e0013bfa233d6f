"""One process or several: what `torchrun` sets up, and nothing where it did not."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from scorers.errors import InputError

_ENVIRONMENT = (("WORLD_SIZE", "1"), ("LOCAL_RANK", "0"))  # set by torchrun


@dataclass(frozen=True)
class World:
    """This process among those that train together.

    Attributes:
        rank: 0 writes files and prints.
        size: number of processes.
        device: where this one computes.
    """

    rank: int
    size: int
    device: torch.device

    @property
    def first(self) -> bool:
        """Whether this process is the one that writes."""
        return self.rank == 0

    def share(self, rows: Tensor) -> Tensor:
        """This process' part of the rows of a batch."""
        return rows[self.rank :: self.size]

    def wrap(self, network: nn.Module) -> nn.Module:
        """Average gradients over the processes, and batch norm's statistics over GPUs."""
        if self.size == 1:
            return network
        if self.device.type == "cuda":
            network = nn.SyncBatchNorm.convert_sync_batchnorm(network)
            return nn.parallel.DistributedDataParallel(network, device_ids=[self.device.index])
        return nn.parallel.DistributedDataParallel(network)

    def from_first(self, value: Any) -> Any:
        """What the first process holds, in all of them."""
        if self.size == 1:
            return value
        box = [value]
        dist.broadcast_object_list(box, src=0, device=self._exchange)
        return box[0]

    def mean(self, value: Tensor) -> Tensor:
        """A scalar averaged over the processes."""
        if self.size == 1:
            return value.detach()
        total = value.detach().clone()
        dist.all_reduce(total)
        return total / self.size

    def gather(self, rows: Tensor) -> Tensor:
        """The rows that every process holds a share of (see `share`), in their order."""
        if self.size == 1:
            return rows
        parts: list[Any] = [None] * self.size
        dist.all_gather_object(parts, rows.cpu())
        whole = torch.empty(sum(len(part) for part in parts), *rows.shape[1:], dtype=rows.dtype)
        for rank, part in enumerate(parts):
            whole[rank :: self.size] = part
        return whole.to(rows.device)

    @property
    def _exchange(self) -> torch.device:
        return self.device if self.device.type == "cuda" else torch.device("cpu")


@contextmanager
def world(device: str | None = None) -> Iterator[World]:
    """Join the processes that `torchrun` started, each on a GPU of its own where there are any.

    Args:
        device: ``"cpu"``, ``"cuda"`` or ``"cuda:N"``; a GPU where there is one when None.

    Raises:
        InputError: no such device.
    """
    size, local = (int(os.environ.get(name, default)) for name, default in _ENVIRONMENT)
    chosen = find_device(device, local if size > 1 else None)
    if size == 1:
        yield World(0, 1, chosen)
        return
    if chosen.type == "cuda":
        torch.cuda.set_device(chosen)
    dist.init_process_group("nccl" if chosen.type == "cuda" else "gloo")
    try:
        yield World(dist.get_rank(), size, chosen)
    finally:
        dist.destroy_process_group()


def find_device(name: str | None, local: int | None = None) -> torch.device:
    """The device of a name, or of this process on its machine.

    Raises:
        InputError: no such device.
    """
    device: torch.device | None = None
    with suppress(RuntimeError):  # of names that PyTorch does not know
        device = torch.device(name or ("cuda" if torch.cuda.is_available() else "cpu"))
    if device is None or device.type not in ("cpu", "cuda"):
        raise InputError(f"device must be cpu, cuda or cuda:N, got {name!r}")
    if device.type == "cuda":
        count = torch.cuda.device_count()
        index = local if local is not None else device.index or 0
        if index >= count:
            raise InputError(f"device cuda:{index} is not there: this machine has {count} GPUs")
        return torch.device("cuda", index)
    return device
