"""Optuna proposes batches of settings; a study on disk resumes where it was interrupted.

Where there are many views, a setting that is surely behind the best so far on the first few of
them (Wilcoxon's signed-rank test over the views, as in a race) is not shown the others.

Each batch is asked with a sampler seeded by the seed and by how many trials are complete, so a
search resumed after a batch proposes exactly what an uninterrupted one would have. Trials that
others are at work on count too: processes that share a study do not propose the same.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Callable
from contextlib import ExitStack

import optuna
import torch
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.pruners import WilcoxonPruner
from optuna.samplers import BaseSampler, GPSampler, TPESampler
from optuna.storages import BaseStorage, JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, Trial, TrialState
from torch import Tensor

from enhance.errors import ParameterError
from enhance.operators.base import Parameter
from enhance.process_wide import ProcessWide
from enhance.tuning.integers import MAX_SEED
from enhance.tuning.objective import Objective
from enhance.tuning.search import Search, evenly_spread, silent

TRIALS = 40
BATCH = 4
PROBES = 3
"""Settings, beside the default, by whose scores a study is told from those of other problems."""
FEW_VIEWS = 24
"""Up to so many views, all settings are shown all of them."""
FIRST_VIEWS = 12
SIGNIFICANT = 0.01
"""Chance at which the test gives up a setting that is as good as the best."""
_RANDOM = 8
"""Trials before a model of the objective is made."""


def search(
    objective: Objective,
    *,
    seed: int = 0,
    progress: Callable[[int, int], None] = silent,
    storage: str | None = None,
    trials: int = TRIALS,
    sampler: Callable[[int], BaseSampler] | None = None,
) -> Search:
    """Maximise with Optuna, batch by batch, starting from the operator's default setting.

    Args:
        storage: an Optuna storage URL, such as ``sqlite:///study.db``, or the path of a journal
            file. The same photo, scorer, space and seed find their own study in it again and go on
            where it stopped; several processes at once share the work, over a network file system
            with a journal file.
        trials: evaluations in all, earlier ones and those of other processes included.
        sampler: makes the sampler of a batch from a seed; None for Gaussian processes, which
            need the fewest evaluations.

    Raises:
        ParameterError: `storage` cannot be opened.
    """
    with _QUIET:
        study = _study(objective, seed, storage)
        done = _evaluate(objective, study, seed, trials, sampler or gaussian_process, progress)
    points = torch.stack([objective.space.to_unit(trial.params) for trial in done])
    values = torch.tensor([trial.value for trial in done], dtype=torch.float64)
    return Search(points, values, study)


def _evaluate(
    objective: Objective,
    study: optuna.Study,
    seed: int,
    trials: int,
    sampler: Callable[[int], BaseSampler],
    progress: Callable[[int, int], None],
) -> list[FrozenTrial]:
    """Ask and tell batches until so many trials are complete; all of those."""
    space = objective.space
    distributions = {name: _distribution(p) for name, p in space.varying.items()}
    done = _completed(study)
    while len(done) < trials:
        # other processes at work on this study must not propose the same
        study.sampler = sampler((seed + len(done) + _at_work(study)) % (MAX_SEED + 1))
        if not done:
            for start in (space.defaults(), objective.hint):
                if start is not None:
                    study.enqueue_trial(space.describe(start))
        asked = [study.ask(distributions) for _ in range(min(BATCH, trials - len(done)))]
        points = torch.stack([space.to_unit(trial.params) for trial in asked])
        for trial, value in zip(asked, _values(objective, study, asked, points), strict=True):
            study.tell(trial, value)
        done = _completed(study)
        progress(len(done), trials)
    return done


def _values(
    objective: Objective, study: optuna.Study, asked: list[Trial], points: Tensor
) -> list[float]:
    """Values of a batch; of a pruned setting, the best one's less how far behind it is."""
    if len(objective) <= FEW_VIEWS:
        return objective.values(points).tolist()
    seen = objective.part(0, FIRST_VIEWS).scores(points)
    scores = seen
    if objective.cost is not None:
        with torch.no_grad():
            scores = seen - objective.cost(points)[:, None]
    for trial, row in zip(asked, scores.tolist(), strict=True):
        for view, score in enumerate(row):
            trial.report(score, view)
    pruned = torch.tensor([trial.should_prune() for trial in asked])
    values = torch.zeros(len(asked), dtype=torch.float64)
    if bool(pruned.any()):
        best = study.best_trial
        there = sum(best.intermediate_values.values()) / FIRST_VIEWS
        values[pruned] = (best.value or 0.0) + (scores[pruned].mean(1) - there).clamp_max(0)
    if not bool(pruned.all()):
        kept = points[~pruned]
        others = objective.part(FIRST_VIEWS, len(objective)).scores(kept)
        objective.learn(kept, torch.cat([seen[~pruned], others], 1))
        values[~pruned] = objective.values(kept)
    return values.tolist()


def _completed(study: optuna.Study) -> list[FrozenTrial]:
    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))


def _at_work(study: optuna.Study) -> int:
    """How many trials other processes are evaluating, or were when they were killed."""
    return len(study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)))


def gaussian_process(seed: int) -> BaseSampler:
    """Few, well chosen trials, at the price of some seconds of modelling."""
    return GPSampler(seed=seed, n_startup_trials=_RANDOM)


def tree_parzen(seed: int) -> BaseSampler:
    """More trials, chosen at once."""
    return TPESampler(seed=seed, n_startup_trials=_RANDOM)


def _study(objective: Objective, seed: int, storage: str | None) -> optuna.Study:
    name = f"{objective.operator.name}-{_fingerprint(objective, seed)}"
    try:
        return optuna.create_study(
            storage=_storage(storage),
            study_name=name,
            direction="maximize",
            load_if_exists=True,
            pruner=WilcoxonPruner(p_threshold=SIGNIFICANT, n_startup_steps=FIRST_VIEWS),
        )
    except Exception as error:  # each backend has its own
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ParameterError(f"storage {storage!r} cannot be opened: {reason}") from error


def _storage(storage: str | None) -> BaseStorage | str | None:
    """A journal file for what is not a URL: many processes may append to one, as to no SQLite."""
    if storage is None or "://" in storage:
        return storage
    return JournalStorage(JournalFileBackend(storage))


def _silence(restore: ExitStack) -> None:
    restore.enter_context(warnings.catch_warnings())
    warnings.simplefilter("ignore", ExperimentalWarning)
    restore.callback(optuna.logging.set_verbosity, optuna.logging.get_verbosity())
    optuna.logging.set_verbosity(optuna.logging.ERROR)


_QUIET = ProcessWide(_silence)
"""Optuna's log, a line for every study, and word of what is experimental kept off stderr."""


def _fingerprint(objective: Objective, seed: int) -> str:
    """Names the problem: same views, space, start, seed, and same scores and costs where probed."""
    digest = hashlib.sha256(objective.views.windows.cpu().numpy().tobytes())
    space, hint = objective.space, objective.hint
    anywhere = evenly_spread(max(1, len(space.names)), PROBES)[:, : len(space.names)]
    points = torch.cat([space.defaults()[None], anywhere])
    probe = torch.cat([objective.scores(points).mean(1), objective.values(points)])
    problem = [
        None if hint is None else space.describe(hint),
        {name: [p.low, p.high] for name, p in space.varying.items()},
        dict(space.constant),
        [round(score, 4) for score in (*objective.baseline.tolist(), *probe.tolist())],
        seed,
    ]
    digest.update(json.dumps(problem, sort_keys=True).encode())
    return digest.hexdigest()[:16]


def _distribution(parameter: Parameter) -> BaseDistribution:
    if parameter.integer:
        return IntDistribution(int(parameter.low), int(parameter.high))
    return FloatDistribution(parameter.low, parameter.high, log=parameter.scale == "log")
