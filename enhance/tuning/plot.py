"""A picture of a result: before and after, the score along each parameter, who earned the gain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from enhance.errors import MissingExtraError
from enhance.tuning.ablation import MOST
from enhance.tuning.curve import GainCurve, gain_curve

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from enhance.tuning.result import TuneResult


def plot_result(result: TuneResult) -> Figure:
    """Draw `TuneResult.plot`; the figure belongs to no window, the caller saves or shows it."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError(
            "plotting needs matplotlib: pip install 'enhance-tune[plot]'"
        ) from error
    names = result.objective.space.names
    columns = max(2, len(names))
    figure = Figure(figsize=(4 * columns, 7), layout="constrained")
    top, bottom = figure.subfigures(2, 1, squeeze=False)[:, 0]
    pictures = (("before", result.photo.pixels), ("after", result.pixels))
    shares = result.ablation() if 1 < len(names) <= MOST else {}
    upper = top.subplots(1, 3 if shares else 2)
    if shares:
        _plot_shares(upper[2], shares)
    for axes, (title, pixels) in zip(upper[:2], pictures, strict=True):
        axes.imshow(pixels[0].permute(1, 2, 0).clamp(0, 1).cpu().numpy())
        axes.set_title(title)
        axes.set_axis_off()
    top.suptitle(result.summary(), wrap=True)
    panels = bottom.subplots(1, columns, sharey=True)
    for axes, name in zip(panels, names, strict=False):
        _plot_curve(axes, gain_curve(result, name))
    for axes in panels[len(names) :]:
        axes.set_axis_off()
    panels[0].set_ylabel("gain of the score")
    return figure


def _plot_shares(axes: Axes, shares: Mapping[str, float]) -> None:
    """How much of the gain each parameter earned."""
    axes.barh(list(shares), list(shares.values()))
    axes.axvline(0, linewidth=0.5, color="black")
    axes.invert_yaxis()
    axes.set_title("share of the gain")


def _plot_curve(axes: Axes, curve: GainCurve) -> None:
    """Gain and its 95 % interval along one parameter."""
    gains = curve.gains
    axes.plot(curve.values, [gain.mean for gain in gains])
    axes.fill_between(curve.values, [g.low for g in gains], [g.high for g in gains], alpha=0.25)
    axes.axvline(curve.chosen, linestyle=":", color="black")
    axes.axhline(0, linewidth=0.5, color="black")
    unit = curve.parameter.unit
    axes.set_xlabel(f"{curve.name} [{unit}]" if unit else curve.name)
    if curve.parameter.scale == "log":
        axes.set_xscale("log")
