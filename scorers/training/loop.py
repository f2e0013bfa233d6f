"""The training loop: one step function, a schedule, an average of the weights, resumable."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from scorers.training.batches import stream
from scorers.training.checkpoint import check_identity, check_network, read_state
from scorers.training.log import append_row, keep_rows_before

_ENTRIES = {"identity", "model", "average", "optimiser", "step"}

StepLoss = Callable[[int], dict[str, Tensor]]
"""Step number to named losses, already weighted; their sum is minimised."""


@dataclass(frozen=True)
class OneCycle:
    """One cycle: linear warm-up, then cosine decay to a fiftieth of the peak."""

    steps: int
    peak: float
    warmup: int = 50

    def rate(self, step: int) -> float:
        """Learning rate at `step`.

        >>> OneCycle(100, 1.0, warmup=10).rate(9)
        1.0
        """
        if step < self.warmup:
            return self.peak * (step + 1) / self.warmup
        done = (step - self.warmup) / max(1, self.steps - self.warmup)
        return self.peak * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done)))


def save_atomically(state: object, path: Path) -> None:
    """Write a checkpoint beside its target and rename it, so that a kill leaves a whole one."""
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    os.replace(partial, path)


def train(
    model: nn.Module,
    step_loss: StepLoss,
    schedule: OneCycle,
    out: Path,
    *,
    decay: float = 0.995,
    weight_decay: float = 1e-4,
    checkpoint_every: int = 100,
    validate: Callable[[nn.Module], dict[str, float]] | None = None,
    validate_every: int = 200,
    stop: int | None = None,
    seed: int = 0,
) -> nn.Module:
    """Minimise `step_loss` with AdamW and return the exponential average of the weights.

    A checkpoint in `out` is resumed; losses go to ``out/log.csv`` and validation figures of the
    averaged weights to ``out/validation.csv``. A resumed run is the run: the same weights and logs.
    The caller's randomness is left as it was.

    Args:
        model: trained in place.
        step_loss: must draw its data from the step number alone; what it draws of PyTorch's global
            randomness, dropout for one, is drawn from the seed and the step.
        schedule: number of steps and learning rate.
        out: folder for checkpoint and logs.
        decay: of the average of the weights, per step.
        validate: called with the averaged model.
        stop: steps after which to leave the schedule unfinished; None for never.
        seed: of dropout and whatever else is drawn globally.

    Raises:
        InputError: `out` holds a run of another schedule, decay or seed, or of other losses, or
            another program's logs.
        WeightsError: the checkpoint is damaged, another program's, or of another network.
    """
    out.mkdir(parents=True, exist_ok=True)
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(trainable, lr=schedule.peak, weight_decay=weight_decay)
    average = torch.optim.swa_utils.AveragedModel(
        model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(decay), use_buffers=True
    )
    checkpoint = out / "checkpoint.pt"
    first = 0
    run = {**asdict(schedule), "decay": decay, "weight_decay": weight_decay, "seed": seed}
    identity = {name: str(value) for name, value in run.items()}
    if checkpoint.exists():
        # onto the processor, wherever it was written: what is loaded goes where the model is
        state = read_state(checkpoint, _ENTRIES, torch.device("cpu"))
        check_identity(out, state["identity"], identity)
        check_network(checkpoint, state["model"], model)
        model.load_state_dict(state["model"])
        average.load_state_dict(state["average"])
        optimiser.load_state_dict(state["optimiser"])
        first = state["step"]
        keep_rows_before(out / "log.csv", first)
        keep_rows_before(out / "validation.csv", first + 1)
    started = time.monotonic()
    steps = schedule.steps if stop is None else min(schedule.steps, stop)
    devices = {parameter.device for parameter in model.parameters() if parameter.is_cuda}
    for step in range(first, steps):
        for group in optimiser.param_groups:
            group["lr"] = schedule.rate(step)
        model.train()
        with torch.random.fork_rng(devices):
            torch.manual_seed(stream(seed, "step", step).initial_seed())
            losses = step_loss(step)
        total = torch.stack(list(losses.values())).sum()
        optimiser.zero_grad(set_to_none=True)
        total.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        average.update_parameters(model)
        row = {name: round(float(value.detach()), 5) for name, value in losses.items()}
        seconds = round(time.monotonic() - started, 1)
        append_row(out / "log.csv", {"step": step, **row, "seconds": seconds})
        last = step + 1 == steps
        # before the checkpoint, so that a kill in between repeats it rather than leaves it out
        if validate is not None and ((step + 1) % validate_every == 0 or last):
            average.eval()
            figures = validate(average.module)
            append_row(out / "validation.csv", {"step": step + 1, **figures})
        if (step + 1) % checkpoint_every == 0 or last:
            state = {
                "identity": identity,
                "model": model.state_dict(),
                "average": average.state_dict(),
                "optimiser": optimiser.state_dict(),
                "step": step + 1,
            }
            save_atomically(state, checkpoint)
    average.eval()
    trained: nn.Module = average.module
    return trained
