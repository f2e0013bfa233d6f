"""What a training is told."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scorers.errors import InputError


@dataclass(frozen=True)
class Training:
    """Everything that `scorers train` can be told; see there and `scorers.training.fit.Fit`.

    Attributes:
        name: of the scorer, and of its file in `out`.
        out: folder of the run; one that holds the checkpoint of this very run is gone on with.
        epochs: of each stage of the recipe; its own when empty.
        batch: photos per step; the recipe's when None.
        rate: factor on all the recipe's learning rates.
        memory: bytes that decoded photos may take, those to train and those to validate with each;
            beyond it they are decoded each time.

    Raises:
        InputError: a name that is no file's, or a number out of its range.
    """

    name: str
    out: Path
    recipe: str = "nima"
    objective: str = "emd"
    backbone: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    weights: str | Path | None = None
    buckets: Sequence[float] = ()
    size: int = 224
    epochs: tuple[int, ...] = ()
    batch: int | None = None
    rate: float = 1.0
    balanced: bool | None = None
    teacher: str | None = None
    teacher_weight: float = 1.0
    seed: int = 0
    mixed: bool = False
    workers: int = 0
    checkpoint_every: int = 200
    memory: float = 2e9
    tensorboard: bool = False
    licence: str = ""

    def __post_init__(self) -> None:
        if not self.name or self.name != Path(self.name).name:
            raise InputError(f"name must be a file's, with no folder in it, got {self.name!r}")
        object.__setattr__(self, "out", Path(self.out))
        counts = {"size": 1, "batch": 1, "workers": 0, "checkpoint_every": 1}
        for name, least in counts.items():
            value = getattr(self, name)
            if value is not None and value < least:
                raise InputError(f"`{name} >= {least}` must hold, but got {name}={value}")
        if not 0 < self.rate < math.inf:
            raise InputError(f"`0 < rate < inf` must hold, but got rate={self.rate:g}")
        if not 0 <= self.teacher_weight < math.inf:
            raise InputError(
                f"`teacher_weight >= 0` must hold, but got teacher_weight={self.teacher_weight:g}"
            )
