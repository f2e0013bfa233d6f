"""What tuning a photo gives back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from typing import TYPE_CHECKING, Any, TypeVar

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

T = TypeVar("T")


# without ==: as tensors, two results are never simply equal
@dataclass(frozen=True, repr=False, eq=False, kw_only=True)
class TuneResult:
    """A tuned photo: its settings, what they gain, and an honest verdict.

    Attributes:
        recipe: what replays this result exactly; settings, score, gain and verdict are its own.
        candidate: the best setting found, which the guards may have refused.
        guards: what each guard found about the setting that was judged last.
        history: every setting tried with its objective value, in order; see `dataframe`.
        study: the Optuna study, where Optuna ran.
        photo: what was given.
        operator: what was tuned.
        objective: what was maximised, and on which views.
    """

    recipe: Recipe
    candidate: Mapping[str, float]
    guards: Sequence[GuardReport]
    history: Sequence[Mapping[str, float]]
    photo: Photo
    operator: Operator[Any]
    objective: Objective
    study: Study | None = None

    @property
    def settings(self) -> Mapping[str, float]:
        """The value of every searched or fixed parameter.

        In a chain also what was read from the photo for a later operator, such as a denoiser's
        ``sigma_n``, so that a replay is exact. Of an untouched photo the setting that changes
        nothing; empty where there is none.
        """
        return self.recipe.settings

    @property
    def score(self) -> float:
        """Mean opinion of the chosen rendering, averaged over the views."""
        return _told(self.recipe.score)

    @property
    def baseline(self) -> float:
        """Mean opinion of the untouched photo, averaged over the views."""
        return _told(self.recipe.baseline)

    @property
    def gain(self) -> float:
        """``score - baseline``."""
        return _told(self.recipe.gain)

    @property
    def interval(self) -> tuple[float, float]:
        """``(low, high)``: paired 95 % interval of the gain over the views.

        See `enhance.tuning.gain.Gain` for what it covers.
        """
        return _told(self.recipe.interval)

    @property
    def verdict(self) -> Verdict:
        """``"enhanced"`` or ``"untouched"``."""
        return self.recipe.verdict

    @property
    def reason(self) -> str:
        """Why, in words."""
        return self.recipe.reason

    @property
    def strategy(self) -> str:
        """Which strategy ran."""
        return _told(self.recipe.strategy)

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


def _told(value: T | None) -> T:
    assert value is not None  # a recipe written by hand may leave it out, that of a tuning does not
    return value
