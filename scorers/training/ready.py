"""What a network needs to be trained at all: several values a channel, and features of one size."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from scorers.backbones.multilevel import MultiLevelMobileNetV1
from scorers.errors import InputError
from scorers.nima import NIMA
from scorers.preprocess import Preprocess
from scorers.training.batches import Batches
from scorers.training.distributed import World
from scorers.training.stages import Stage
from scorers.training.views import ViewDataset

_FIRST = 256  # photos that many levels are standardised by


def check_batch(
    network: NIMA, size: int, batch: int, stages: Sequence[Stage], world: World
) -> None:
    """Refuse a batch that processes cannot share, or that batch norm cannot be trained on.

    Args:
        network: about to be trained, on any device.
        size: side of the views.
        batch: photos a step, over all processes.

    Raises:
        InputError: the number is no multiple of the processes, or batch norm would see one value.
    """
    if batch % world.size:
        raise InputError(f"a batch must be a multiple of the {world.size} processes, got {batch}")
    # over several GPUs, batch norm sees the photos of all
    alone = batch // (1 if world.device.type == "cuda" else world.size) == 1
    if alone and any(stage.backbone is not None for stage in stages):
        check_norms(network, size, next(network.parameters()).device)


def make_ready(
    network: NIMA,
    preprocess: Preprocess,
    views: ViewDataset,
    batches: Batches,
    stages: Sequence[Stage],
    world: World,
) -> None:
    """What is to be done before the first step: `standardise`."""

    def first() -> Iterator[Tensor]:
        """The first batches whole, the same in all processes."""
        for batch in batches.places(0)[: math.ceil(_FIRST / batches.size)].tolist():
            shown = torch.stack([views[0, place, row][0] for place, row in batch])
            yield preprocess.normalise(shown.to(world.device).float() / 255)

    network.backbone.train(stages[0].backbone is not None)
    standardise(network.backbone, first())


@torch.no_grad()
def check_norms(network: NIMA, size: int, device: torch.device) -> None:
    """Refuse to train batch norm on one photo that shrinks to one value a channel.

    Args:
        network: whose backbone is about to be trained.
        size: side of the views.
        device: where it is.

    Raises:
        InputError: a layer would have a single value to take mean and deviation of.
    """
    shrunk: list[str] = []

    def look(layer: nn.Module, given: tuple[Tensor, ...]) -> None:
        if given[0][0, 0].numel() == 1:
            shrunk.append(type(layer).__name__)

    layers = [layer for layer in network.backbone.modules() if isinstance(layer, _BatchNorm)]
    hooks = [layer.register_forward_pre_hook(look) for layer in layers]
    mode = network.training
    network.eval().backbone(torch.zeros(1, 3, size, size, device=device))
    network.train(mode)
    for hook in hooks:
        hook.remove()
    if shrunk:
        raise InputError(
            "batch norm needs two values a channel: a batch must hold 2 photos a process at "
            f"least with views of {size}x{size}, got 1"
        )


@torch.no_grad()
def standardise(backbone: nn.Module, views: Iterable[Tensor]) -> None:
    """Take centre and spread of many levels from the first photos, unless the weights have them.

    The levels' features differ in size by orders of magnitude: as they come, the largest would
    hide the others. Networks of one level are left as they are.

    Args:
        backbone: in the mode that its features will be used in.
        views: batches ``(B, 3, H, W)``, normalised, on its device.
    """
    if not isinstance(backbone, MultiLevelMobileNetV1) or not _is_new(backbone):
        return
    pooled = torch.cat([backbone.pooled(batch) for batch in views])
    if len(pooled) > 1:
        backbone.standardise(pooled)


def _is_new(levels: MultiLevelMobileNetV1) -> bool:
    return not levels.centre.any() and bool((levels.spread == 1).all())
