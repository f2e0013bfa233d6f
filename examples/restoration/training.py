"""One network trained by L1, and from there on by each loss for equally many steps."""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor
from tqdm import trange

from examples.restoration.losses import Loss, build
from examples.restoration.network import Restorer
from examples.restoration.pairs import Spoil, patches
from scorers.losses.guarded import l1
from scorers.scorer import Scorer


@dataclass(frozen=True)
class Plan:
    """How long and on how much to train.

    Attributes:
        first: steps of L1 that all losses start from.
        then: steps of each loss.
        batch: patches of 128 px per step at first.
        later: patches of 224 px, a scorer's view, per step of each loss.
        width: of the network.
        rate: learning rate at first; a fifth of it afterwards.
        precision: what networks compute in.
    """

    first: int
    then: int
    batch: int
    later: int
    width: int
    rate: float = 2e-3
    precision: torch.dtype = torch.bfloat16


SMALL = Plan(first=400, then=60, batch=2, later=1, width=24)
LARGE = Plan(first=30_000, then=6_000, batch=16, later=8, width=32, rate=1e-3)


class Trainer:
    """Trains restorers for one task; the same photos and damage whatever the loss.

    Args:
        photos: to learn from, at least 224 px a side.
        spoil: what the network is to undo.
        plan: how long.
        device: where.
    """

    def __init__(self, photos: Sequence[Tensor], spoil: Spoil, plan: Plan, device: str) -> None:
        self.photos = photos
        self.spoil = spoil
        self.plan = plan
        self.device = torch.device(device)

    def pretrain(self) -> Restorer:
        """A network that has learned L1 alone."""
        torch.manual_seed(0)
        network = Restorer(self.plan.width).to(self.device, memory_format=torch.channels_last)

        def loss(given: Tensor, clean: Tensor) -> Tensor:
            return l1(self.restore(network, given), clean).mean()

        plan = self.plan
        self._run(network, loss, plan.first, 128, plan.batch, plan.rate, seed=1, name="L1 first")
        return network

    def go_on(self, start: Restorer, name: str, scorer: Scorer, strength: float) -> Restorer:
        """A copy of a network, trained on by one of `losses.NAMES`."""
        network = copy.deepcopy(start)
        usual = copy.deepcopy(start).requires_grad_(False)
        given, clean = self._pair(224, max(self.plan.later, 4), torch.Generator().manual_seed(2))
        with torch.no_grad():
            typical = self.restore(network, given)
        torch.manual_seed(3)  # the views that NIMA is shown
        criterion: Loss = build(name, scorer, strength, typical, clean)

        def loss(given: Tensor, clean: Tensor) -> Tensor:
            with torch.no_grad():
                budget = self.restore(usual, given)
            return criterion(self.restore(network, given), clean, budget)

        plan = self.plan
        self._run(network, loss, plan.then, 224, plan.later, plan.rate / 5, seed=4, name=name)
        return network

    def restore(self, network: Restorer, given: Tensor) -> Tensor:
        """What a network makes of ``(B, 3, H, W)``, in float32."""
        with torch.autocast(self.device.type, self.plan.precision):
            return network(given).float()

    def _pair(self, size: int, count: int, generator: Generator) -> tuple[Tensor, Tensor]:
        clean = patches(self.photos, size, count, generator).to(self.device)
        return self.spoil(clean, generator), clean

    def _run(
        self,
        network: Restorer,
        loss: Callable[[Tensor, Tensor], Tensor],
        steps: int,
        size: int,
        batch: int,
        rate: float,
        seed: int,
        name: str,
    ) -> None:
        generator = torch.Generator().manual_seed(seed)
        optimiser = torch.optim.Adam(network.parameters(), rate, betas=(0.9, 0.99))
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, steps, pct_start=0.1)
        for _ in trange(steps, desc=name, leave=False, disable=not sys.stderr.isatty()):
            value = loss(*self._pair(size, batch, generator))
            optimiser.zero_grad()
            value.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 0.5)
            optimiser.step()
            schedule.step()
