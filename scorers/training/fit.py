"""Training through the stages of a recipe: on one process or several, and after a kill."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from scorers import opinion
from scorers.errors import ScorerError
from scorers.evaluation.agreement import pearson, spearman
from scorers.nima import NIMA
from scorers.preprocess import Preprocess
from scorers.scorer import Scorer
from scorers.training.batches import Batches, stream
from scorers.training.checkpoint import State, read_checkpoint
from scorers.training.distillation import distillation_loss
from scorers.training.distributed import World
from scorers.training.log import RunLog
from scorers.training.loop import save_atomically
from scorers.training.objectives import Answer, Objective
from scorers.training.ready import check_batch, make_ready
from scorers.training.stages import Stage, TrainingRecipe
from scorers.training.views import ViewDataset


@dataclass(frozen=True)
class Rated:
    """Views of photos and what people say of each.

    Attributes:
        views: of N photos.
        opinions: ``(N, K)``.
        weights: ``(N,)`` chances to be drawn, or None for a plain pass through all.
    """

    views: ViewDataset
    opinions: Tensor
    weights: Tensor | None = None


@dataclass(frozen=True)
class Fit:
    """A training run; `run` it.

    Attributes:
        network: trained in place.
        preprocess: normalises views, and shrinks whole photos for validation.
        buckets: ratings.
        recipe: stages and batch size.
        objective: what is minimised.
        train, validation: photos; without validation the last weights are kept, otherwise
            those of the epoch whose mean EMD with r = 1 is lowest.
        out: folder for ``checkpoint.pt``, ``train.csv`` and ``validation.csv``.
        identity: what a checkpoint must have been made with for this run to go on from it.
        world: the processes that share the work.
        teacher: a scorer over the same buckets whose opinion is learned as well.
        teacher_weight: of that loss.
        mixed: compute in bfloat16 (float16 on GPUs without it) where that is safe.
        workers: processes that decode photos; 0 decodes in this one.
        checkpoint_every: steps.
    """

    network: NIMA
    preprocess: Preprocess
    buckets: tuple[float, ...]
    recipe: TrainingRecipe
    objective: Objective
    train: Rated
    validation: Rated | None
    out: Path
    identity: dict[str, str] = field(default_factory=dict)
    world: World = field(default_factory=lambda: World(0, 1, torch.device("cpu")))
    seed: int = 0
    teacher: Scorer | None = None
    teacher_weight: float = 1.0
    mixed: bool = False
    workers: int = 0
    checkpoint_every: int = 200
    tensorboard: bool = False

    def run(self, tick: Callable[[int, int, float], object] = lambda *_: None) -> State:
        """Train, and return the state of the best network.

        Args:
            tick: called after each step with the steps done, those there are, and the loss.

        Raises:
            InputError: `out` holds another run or another program's logs, processes cannot share
                a batch evenly, or batch norm would see one value.
            WeightsError: the checkpoint in `out` is damaged, or another program's.
            ScorerError: the loss, a weight or a validation figure is no longer a number.
        """
        shown, plan, device = self.train.views, self.recipe.stages, self.world.device
        check_batch(self.network, shown.size, self.batch, plan, self.world)
        batches = Batches(len(shown), self.batch, self.seed, self.train.weights)
        self.network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        model = _Answering(self.network, self.preprocess)
        done, state = self._resume()
        if not done:
            make_ready(self.network, self.preprocess, shown, batches, plan, self.world)
        best: State = state.get("best", {})
        log = RunLog(self.out, done, tensorboard=self.tensorboard) if self.world.first else None
        scaler = torch.amp.GradScaler(device.type, enabled=self._dtype == torch.float16)
        stages = [(n, own) for n, s in enumerate(self.recipe.stages) for own in range(s.epochs)]
        total = len(batches) * len(stages)
        current = -1
        for epoch in range(done // len(batches), len(stages)):
            number, own = stages[epoch]
            stage = self.recipe.stages[number]
            if number != current:
                current = number
                optimiser = stage.prepare_optimiser(self.network)
                if state.get("stage") == number:
                    optimiser.load_state_dict(state["optimiser"])
                    scaler.load_state_dict(state["scaler"])
                wrapped = self.world.wrap(model)
            stage_begins = (epoch - own) * len(batches)
            for rows, views in self._load(batches, epoch, done - epoch * len(batches)):
                factor = stage.factor(own, done - stage_begins)
                loss = self._step(wrapped, optimiser, scaler, stage, factor, rows, views, done)
                done += 1
                tick(done, total, loss)
                if log:
                    rate = float(f"{stage.head * factor:.4g}")
                    log.row("train", done, epoch=epoch, loss=round(loss, 6), head_rate=rate)
                if done % self.checkpoint_every == 0 and done % len(batches):
                    self._save(done, number, optimiser, scaler, best)
            best = self._validate(model, best, done, epoch, log)
            self._save(done, number, optimiser, scaler, best)
        if log:
            log.close()
        return best["network"] if best else _on_cpu(self.network.state_dict())

    @property
    def batch(self) -> int:
        """Photos a step: the recipe's, or as many as there are, in equal shares."""
        count = len(self.train.views)
        return min(self.recipe.batch, count - count % self.world.size)

    def _load(self, batches: Batches, epoch: int, begin: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Rows and views of this process' share of what is left of an epoch."""
        shares = [self.world.share(batch).tolist() for batch in batches.places(epoch)[begin:]]
        loader = DataLoader(
            self.train.views,
            batch_sampler=[[(epoch, *place) for place in share] for share in shares],
            num_workers=self.workers,
            pin_memory=self.world.device.type == "cuda",
            generator=stream(self.seed, "loader", epoch),
        )
        for views, rows in loader:
            yield rows, views.to(self.world.device, non_blocking=True)

    def _step(
        self,
        model: nn.Module,
        optimiser: torch.optim.Optimizer,
        scaler: torch.amp.GradScaler,
        stage: Stage,
        factor: float,
        rows: Tensor,
        views: Tensor,
        step: int,
    ) -> float:
        """One step; the loss, averaged over processes."""
        device = self.world.device
        # dropout too depends on the step alone, so that a run that goes on is the same run
        torch.manual_seed(stream(self.seed, "dropout", step, self.world.rank).initial_seed())
        for group in optimiser.param_groups:
            group["lr"] = group["initial_lr"] * factor
        self.network.train()
        self.network.backbone.train(stage.backbone is not None)
        with torch.autocast(device.type, dtype=self._dtype, enabled=self.mixed):
            features, said = model(views)
        answer = Answer(
            features.float(),
            said,
            self.train.opinions[rows].to(device),
            torch.tensor(self.buckets, device=device),
            stream(self.seed, "loss", step, self.world.rank),
        )
        loss = self.objective(answer)
        if self.teacher is not None:
            with torch.no_grad():
                taught = self.teacher.opinion(views.float() / 255)
            loss = loss + self.teacher_weight * distillation_loss(said, taught)
        optimiser.zero_grad(set_to_none=True)
        scaler.scale(loss).backward()
        value = float(self.world.mean(loss))
        if not math.isfinite(value):
            raise ScorerError(f"the loss is {value} at step {step}; a lower rate may help")
        scaler.step(optimiser)
        scaler.update()
        return value

    @torch.no_grad()
    def _validate(
        self, model: nn.Module, best: State, step: int, epoch: int, log: RunLog | None
    ) -> State:
        """The best state so far, this epoch's included."""
        if self.validation is None:
            return {}
        self.network.eval()
        views, device = self.validation.views, self.world.device
        said = []
        own = self.world.share(torch.arange(len(views)))
        for rows in own.split(64) if len(own) else ():  # an empty tensor splits into one
            photos = torch.stack([views.photo(int(row)) for row in rows]).to(device)
            shown = self.preprocess.resize(photos.float() / 255)
            with torch.autocast(device.type, dtype=self._dtype, enabled=self.mixed):
                said.append(model(shown * 255)[1].cpu())
        empty = self.validation.opinions[:0]
        answers = self.world.gather(torch.cat(said) if said else empty)
        figures = _figures(answers, self.validation.opinions, self.buckets)
        if not math.isfinite(figures["emd"]):  # which no later epoch would be better than
            raise ScorerError(
                f"the validation EMD is {figures['emd']} after step {step}; a lower rate may help"
            )
        if log:
            log.row("validation", step, epoch=epoch, **figures)
        if best and best["emd"] <= figures["emd"]:
            return best
        own_copy = {n: tensor.clone() for n, tensor in _on_cpu(self.network.state_dict()).items()}
        return {"emd": figures["emd"], "epoch": epoch, "network": own_copy}

    def _save(
        self,
        step: int,
        stage: int,
        optimiser: torch.optim.Optimizer,
        scaler: torch.amp.GradScaler,
        best: State,
    ) -> None:
        for name, weight in self.network.named_parameters():
            if not bool(weight.isfinite().all()):
                raise ScorerError(
                    f"{name} is no longer finite after step {step}; a lower rate may help"
                )
        if not self.world.first:
            return
        state = {
            "identity": self.identity,
            "step": step,
            "stage": stage,
            "network": self.network.state_dict(),
            "optimiser": optimiser.state_dict(),
            "scaler": scaler.state_dict(),
            "best": best,
        }
        save_atomically(state, self.out / "checkpoint.pt")

    def _resume(self) -> tuple[int, State]:
        """Steps done and the checkpoint; zero and nothing where there is none."""
        path = self.out / "checkpoint.pt"
        if not self.world.from_first(path.exists()):
            return 0, {}
        state = read_checkpoint(path, self.identity, self.network, self.world.device)
        return state["step"], state

    @property
    def _dtype(self) -> torch.dtype:
        if not self.mixed:
            return torch.float32
        on_gpu = self.world.device.type == "cuda"
        return torch.float16 if on_gpu and not torch.cuda.is_bf16_supported() else torch.bfloat16


class _Answering(nn.Module):
    """Bytes to features and opinions in one pass: what several processes wrap."""

    def __init__(self, network: NIMA, preprocess: Preprocess) -> None:
        super().__init__()
        self.network = network
        self.preprocess = preprocess

    def forward(self, views: Tensor) -> tuple[Tensor, Tensor]:
        shown = self.preprocess.normalise(views.float() / 255)
        features = self.network.backbone(shown.contiguous(memory_format=torch.channels_last))
        return features, self.network.answer(features).softmax(-1)


def _figures(said: Tensor, wanted: Tensor, buckets: tuple[float, ...]) -> dict[str, float]:
    means = [opinion.mean(shares.double(), buckets).numpy() for shares in (said, wanted)]
    figures = {
        "emd": float(opinion.emd(said, wanted).mean()),
        "srcc": spearman(*means),
        "lcc": pearson(*means),
    }
    return {name: round(value, 5) for name, value in figures.items()}


def _on_cpu(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu() for name, tensor in state.items()}
