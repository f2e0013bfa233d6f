"""Published recipes: which layers are trained, by what, how fast, for how long."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch

from scorers.errors import InputError, unknown_name
from scorers.nima import NIMA


@dataclass(frozen=True)
class Stage:
    """A stretch of epochs under one optimiser.

    Attributes:
        epochs: how many.
        optimiser: ``"sgd"`` (momentum .9) or ``"adam"``.
        head: learning rate of the last layer.
        backbone: learning rate of all other layers; None leaves them as they are.
        decay: factor on both rates every `decay_every` epochs.
        time_decay: Keras' decay, ``rate / (1 + time_decay * step)``.
    """

    epochs: int
    optimiser: Literal["sgd", "adam"]
    head: float
    backbone: float | None = None
    decay: float = 1.0
    decay_every: int = 10
    time_decay: float = 0.0

    def factor(self, epoch: int, step: int) -> float:
        """What learning rates are multiplied by at an epoch and a step of this stage.

        >>> RECIPES["nima"].stages[0].factor(20, 0)
        0.9025
        """
        return self.decay ** (epoch // self.decay_every) / (1 + self.time_decay * step)

    def prepare_optimiser(self, network: NIMA) -> torch.optim.Optimizer:
        """Make the stage's layers trainable, and no others, and return an optimiser of them."""
        network.requires_grad_(True)
        groups = [{"params": list(network.head.parameters()), "lr": self.head}]
        if self.backbone is None:
            network.backbone.requires_grad_(False)
        else:
            groups.append({"params": list(network.backbone.parameters()), "lr": self.backbone})
        for group in groups:
            group["initial_lr"] = group["lr"]
        if self.optimiser == "sgd":
            return torch.optim.SGD(groups, momentum=0.9)
        return torch.optim.Adam(groups)


@dataclass(frozen=True)
class TrainingRecipe:
    """Stages, one after another.

    Attributes:
        batch: photos per step.
        balanced: draw equally from bins of mean ratings instead of going through all photos.
        source: who published it.
    """

    stages: tuple[Stage, ...]
    batch: int
    balanced: bool
    source: str

    def __str__(self) -> str:
        """What was done, for a card."""
        stages = ", then ".join(
            f"{stage.epochs} epochs of {stage.optimiser} at {stage.head:g} (head)"
            + ("" if stage.backbone is None else f" and {stage.backbone:g} (backbone)")
            for stage in self.stages
        )
        bins = "drawn evenly from ten bins of ratings" if self.balanced else "all alike"
        return f"{stages}; {self.batch} photos a step, {bins}"

    def with_epochs(self, epochs: tuple[int, ...]) -> TrainingRecipe:
        """The same with other numbers of epochs, one for each stage; 0 leaves a stage out.

        Raises:
            InputError: another count of numbers, a negative one, or nothing left.
        """
        if len(epochs) != len(self.stages) or min(epochs) < 0 or not sum(epochs):
            raise InputError(
                f"epochs must be {len(self.stages)} numbers, not all 0, got {list(epochs)}"
            )
        stages = (
            Stage(**{**vars(stage), "epochs": count})
            for stage, count in zip(self.stages, epochs, strict=True)
            if count
        )
        return TrainingRecipe(tuple(stages), self.batch, self.balanced, self.source)


# The paper names no number of epochs nor a batch size; these are ours. Its rates are small: they
# were meant for an average over AVA's 230,000 photos and a long run.
RECIPES: Mapping[str, TrainingRecipe] = {
    "nima": TrainingRecipe(
        (Stage(100, "sgd", head=3e-6, backbone=3e-7, decay=0.95, decay_every=10),),
        batch=128,
        balanced=False,
        source="Talebi and Milanfar, NIMA, IEEE TIP 2018, section III-B",
    ),
    # rates, epochs and batch of models/MobileNet/config_aesthetic_cpu.json there
    "two-stage": TrainingRecipe(
        (
            Stage(5, "adam", head=1e-3),
            Stage(9, "adam", head=3e-5, backbone=3e-5, time_decay=2.3e-5),
        ),
        batch=96,
        balanced=True,
        source="github.com/idealo/image-quality-assessment",
    ),
}


def recipe(name: str) -> TrainingRecipe:
    """A recipe by name.

    Raises:
        UnknownNameError: there is none of this name.
    """
    if name not in RECIPES:
        raise unknown_name("recipe", name, RECIPES)
    return RECIPES[name]
