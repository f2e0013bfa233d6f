"""What tuning a photo gives back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from os import PathLike
from typing import TYPE_CHECKING, Any

from torch import Tensor

from enhance.errors import MissingExtraError
from enhance.imaging.photo import Photo
from enhance.operators.base import Operator
from enhance.operators.rendering import render_full
from enhance.recipe import Recipe, Verdict
from enhance.tuning.ablation import ablate
from enhance.tuning.guards import GuardReport
from enhance.tuning.invariance import invariance
from enhance.tuning.objective import Objective
from enhance.tuning.witnesses import Witnesses, two_witnesses

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from optuna import Study
    from pandas import DataFrame


@dataclass(frozen=True, repr=False, eq=False)  # as tensors, two are never simply equal
class TuneResult:
    """A tuned photo: its settings, what they gain, and an honest verdict.

    Attributes:
        settings: the chosen value of each searched or fixed parameter, and what the photo told an
            operator that works behind others; the setting that changes nothing, where there is
            one, when the verdict is ``"untouched"``.
        score: mean opinion of the chosen rendering, averaged over the views.
        baseline: the same of the untouched photo.
        gain: ``score - baseline``.
        interval: ``(low, high)``: paired 95 % interval of the gain over the views; see
            `enhance.tuning.gain.Gain` for what it covers.
        verdict: ``"enhanced"`` or ``"untouched"``.
        reason: why, in words.
        strategy: which strategy ran.
        candidate: the best setting found, which the guards may have refused.
        guards: what each guard found about the setting that was judged last.
        history: every setting tried with its objective value, in order; see `dataframe`.
        recipe: what replays this result exactly.
        study: the Optuna study, where Optuna ran.
    """

    settings: Mapping[str, float]
    score: float
    baseline: float
    gain: float
    interval: tuple[float, float]
    verdict: Verdict
    reason: str
    strategy: str
    candidate: Mapping[str, float]
    guards: Sequence[GuardReport]
    history: Sequence[Mapping[str, float]]
    recipe: Recipe
    study: Study | None = field(default=None)
    photo: Photo = field(kw_only=True)
    operator: Operator[Any] = field(kw_only=True)
    objective: Objective = field(kw_only=True)

    @cached_property
    def pixels(self) -> Tensor:
        """The photo at full resolution, ``(1, 3, H, W)`` in [0, 1]; rendered on first use."""
        if self.verdict == "untouched":
            return self.photo.pixels
        given = self.photo.pixels
        place = self.objective.views.windows.device  # where the operator is
        return render_full(self.operator, given.to(place), self.settings).to(given.device)

    @cached_property
    def image(self) -> Any:
        """The photo at full resolution, of the kind that was given to `enhance.tune`."""
        return self.photo.like_input(self.pixels)

    @cached_property
    def witnesses(self) -> Witnesses | None:
        """For denoising, what the scorer and J-invariance would each choose; else None."""
        pixels = self.photo.pixels.to(self.objective.views.windows.device)
        restored = invariance(self.operator, self.objective.space, pixels, self.recipe.seed or 0)
        return None if restored is None else two_witnesses(self.objective, restored)

    def save(self, path: str | PathLike[str], *, overwrite: bool = False) -> None:
        """Write the photo, with the metadata of the input.

        Raises:
            WriteError: the target cannot be written, or is the input and `overwrite` is False.
        """
        from enhance.imaging.files import write

        write(self.photo, self.pixels, path, overwrite=overwrite)

    def ablation(self) -> Mapping[str, float]:
        """How much of the gain each searched parameter earned; see `enhance.tuning.ablation`."""
        return ablate(self)

    def dataframe(self) -> DataFrame:
        """Every setting tried and its objective value, in order, one a row.

        Where Optuna ran, ``result.study.trials_dataframe()`` tells more, and a study that was
        kept with ``storage=`` opens in optuna-dashboard: ``optuna-dashboard sqlite:///study.db``.

        Raises:
            MissingExtraError: pandas is not installed.
        """
        try:
            from pandas import DataFrame
        except ImportError as error:
            raise MissingExtraError(
                "dataframe() needs pandas: pip install 'enhance-tune[plot]'"
            ) from error
        return DataFrame(list(self.history))

    def plot(self) -> Figure:
        """Before and after, the score against each parameter around the chosen setting, and
        how much of the gain each parameter earned.

        Raises:
            MissingExtraError: matplotlib is not installed.
        """
        from enhance.tuning.plot import plot_result

        return plot_result(self)

    def summary(self) -> str:
        """The result in one line."""
        if self.verdict == "untouched":
            return f"untouched: {self.reason}"
        values = ", ".join(f"{name}={value:g}" for name, value in self.settings.items())
        low, high = self.interval
        return (
            f"enhanced: {values}; score {self.baseline:.3f} -> {self.score:.3f}, "
            f"gain {self.gain:.3f} [{low:.3f}, {high:.3f}], {self.strategy}"
        )

    def __repr__(self) -> str:
        return f"<TuneResult {self.summary()}>"

    def _repr_html_(self) -> str:
        """What Jupyter shows."""
        from enhance.report.notebook import notebook_html

        return notebook_html(self)
