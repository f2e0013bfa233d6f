"""A picture of a result: before and after, who earned the gain, the score along each parameter."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import TYPE_CHECKING

from enhance.errors import MissingExtraError
from enhance.preview import preview
from enhance.tuning.ablation import MAX_ABLATED
from enhance.tuning.curve import GainCurve, gain_curve

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from enhance.tuning.result import TuneResult

COLUMNS = 3
"""Parameters side by side."""
# Okabe and Ito's colours, which the colour-blind can tell apart
GAIN, COST, LOSS = "#0072B2", "#E69F00", "#D55E00"


def plot_result(result: TuneResult) -> Figure:
    """Draw `TuneResult.plot`; the figure belongs to no window, the caller saves or shows it."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError(
            "plotting needs matplotlib: pip install 'enhance-tune[plot]'"
        ) from error
    curves = [gain_curve(result, name) for name in result.objective.space.names]
    shares = result.ablation() if 1 < len(curves) <= MAX_ABLATED else {}
    rows = math.ceil(len(curves) / COLUMNS)
    figure = Figure(figsize=(12, 4.2 + 2.9 * rows), layout="constrained")
    figure.suptitle(_headline(result), fontsize=11)
    grid = figure.add_gridspec(1 + rows, 6, height_ratios=[4, *[3] * rows])
    wide = 2 if shares else 3
    for place, (title, pixels) in enumerate(
        (("before", result.photo.pixels), ("after", result.pixels))
    ):
        axes = figure.add_subplot(grid[0, wide * place : wide * (place + 1)])
        small = preview(pixels, native=False)
        axes.imshow(small[0].permute(1, 2, 0).clamp(0, 1).cpu().numpy())
        axes.set_title(title)
        axes.set_axis_off()
    if shares:
        _plot_shares(figure.add_subplot(grid[0, 4:]), shares)
    first: Axes | None = None
    span = 6 // min(COLUMNS, max(1, len(curves)))
    for index, curve in enumerate(curves):
        row, column = divmod(index, COLUMNS)
        panel = grid[1 + row, span * column : span * (column + 1)]
        axes = figure.add_subplot(panel, sharey=first)
        _plot_curve(axes, curve, "chosen" if result.verdict == "enhanced" else "refused")
        if column == 0:
            axes.set_ylabel("gain, points of the score")
        first = first or axes
    if first is not None:
        first.set_ylim(*_range(curves))
        figure.legend(
            *first.get_legend_handles_labels(), loc="outside lower center", ncols=5, frameon=False
        )
    return figure


def _headline(result: TuneResult) -> str:
    """The verdict and its reason; then what was gained, and how sure that is."""
    lines = [fill(f"{result.verdict}: {result.reason}", 120)]
    if result.verdict == "enhanced":
        low, high = result.interval
        lines.append(
            f"score {result.baseline:.2f} \N{RIGHTWARDS ARROW} {result.score:.2f}, gain "
            f"{result.gain:+.2f} (95 % interval {low:+.2f} to {high:+.2f}), {result.strategy}"
        )
    return "\n".join(lines)


def _range(curves: Sequence[GainCurve]) -> tuple[float, float]:
    """A gain axis about the optimum: a fall is shown to twice the gain, no deeper."""
    top = max(0.0, *(gain.high for curve in curves for gain in curve.gains))
    bottom = min(0.0, *(gain.low for curve in curves for gain in curve.gains))
    if top > (top - bottom) / 10:
        bottom = max(bottom, -2 * top)
    margin = 0.06 * ((top - bottom) or 1.0)
    return bottom - margin, top + margin


def _plot_shares(axes: Axes, shares: Mapping[str, float]) -> None:
    """How much of the gain each parameter earned."""
    values = list(shares.values())
    bars = axes.barh(list(shares), values, color=[GAIN if v >= 0 else LOSS for v in values])
    axes.bar_label(bars, fmt="{:+.2f}", padding=3, fontsize=8)
    axes.axvline(0, linewidth=0.8, color="black")
    axes.invert_yaxis()
    axes.margins(x=0.2)
    axes.locator_params(axis="x", nbins=4)
    axes.set_title("what each parameter earned")
    axes.set_xlabel("share, points of the score")
    _open(axes)


def _plot_curve(axes: Axes, curve: GainCurve, mark: str) -> None:
    """Gain, its 95 % interval, and the gain less the cost, along one parameter.

    Costs are shown relative to the marked setting's: what another value would cost more. `mark`
    says what became of that setting.
    """
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

    gains, values = curve.gains, curve.values
    axes.axhline(0, linewidth=0.8, color="grey")
    axes.plot(values, [gain.mean for gain in gains], color=GAIN, label="gain, mean of the views")
    axes.fill_between(
        values,
        [gain.low for gain in gains],
        [gain.high for gain in gains],
        color=GAIN,
        alpha=0.25,
        linewidth=0,
        label="its 95 % interval",
    )
    here = list(values).index(curve.chosen)
    if curve.costs:
        paid = [cost - curve.costs[here] for cost in curve.costs]
        left = [gain.mean - cost for gain, cost in zip(gains, paid, strict=True)]
        axes.plot(values, left, "--", color=COST, label="gain less further cost (maximised)")
    axes.axvline(curve.chosen, linestyle=":", linewidth=1, color="black")
    axes.plot(curve.chosen, gains[here].mean, "o", color="black", markersize=5, label=mark)
    unit = f" [{curve.parameter.unit}]" if curve.parameter.unit else ""
    axes.set_xlabel(f"{curve.name}{unit}")
    axes.set_title(f"{mark} {curve.chosen:.2g}", fontsize=9)
    if curve.parameter.scale == "log":
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=6))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
    else:
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=curve.parameter.integer))
    _open(axes)


def _open(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
