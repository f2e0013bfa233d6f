"""The report of one tuned photo."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor

from enhance.operators.rendering import render_full
from enhance.report import charts
from enhance.report.page import render, write_page
from enhance.report.pictures import Picture, picture_of
from enhance.tuning.ablation import MAX_ABLATED
from enhance.tuning.curve import gain_curve, shown_setting

if TYPE_CHECKING:
    from enhance.tuning.result import TuneResult

SIDE = 1200
"""Longest side of the pictures, in px."""
HEAT_SIDE = 480
"""The same of the heat maps."""


def photo_report(result: TuneResult, title: str | None = None) -> str:
    """A page of HTML: before and after, settings, score, opinions, curves, guards, verdict.

    Of a photo that the guards left untouched, the setting that they refused is shown and named as
    such. Where captum is installed and the scorer sees the whole photo, heat maps show which parts
    of it raise the score and which lower it.

    Args:
        result: from `enhance.tune`.
        title: by default the name of the file that was tuned.
    """
    space = result.objective.space
    setting = shown_setting(result)
    curves = [gain_curve(result, name) for name in space.names]
    low, high = charts.gain_range(curves) if curves else (0.0, 1.0)
    refused = result.verdict == "untouched" and bool(result.guards)
    after = None
    if result.verdict == "enhanced":
        after = result.pixels
    elif refused:
        after = render_full(result.operator, result.photo.pixels, {**space.constant, **setting})
    return render(
        "photo.html",
        title=title or _name(result),
        result=result,
        refused=refused,
        before=picture_of(result.photo.pixels, SIDE),
        after=None if after is None else picture_of(after, SIDE),
        parameters=[
            (name, value, result.operator.parameters_spec[name], name in space.names)
            for name, value in {**result.settings, **setting}.items()
        ],
        shares=result.ablation() if 1 < len(space.names) <= MAX_ABLATED else {},
        witnesses=result.witnesses,
        opinions=_opinions(result),
        heat=_heat(result, after),
        charts=[charts.curve_chart(curve, low, high) for curve in curves],
        size=charts,
    )


def save_report(result: TuneResult, path: str | PathLike[str], *, title: str | None = None) -> None:
    """Write `photo_report` to a file, whole or not at all.

    Raises:
        WriteError: the target cannot be written.
    """
    write_page(photo_report(result, title), path)


def _name(result: TuneResult) -> str:
    path = getattr(result.photo.source, "path", None)
    return "photo" if path is None else Path(path).name


def _opinions(result: TuneResult) -> charts.Bars | None:
    """Mean opinion over the views, where the scorer has opinions."""
    objective = result.objective
    scorer: Any = objective.scorer
    if not (hasattr(scorer, "opinion") and hasattr(scorer, "buckets")):
        return None
    point = objective.space.to_unit(shown_setting(result))
    with torch.no_grad():
        before, after = (
            torch.cat([scorer.opinion(part) for part in views.split(8)]).mean(0).tolist()
            for views in (objective.views.images, objective.render(point[None])[0])
        )
    return charts.Bars(scorer.buckets.tolist(), before, after)


def _heat(result: TuneResult, after: Tensor | None) -> list[tuple[str, Picture]]:
    """Integrated Gradients over the photo before and after, where they can be had."""
    from scorers.errors import MissingExtraError
    from scorers.scorer import Scorer

    scorer = result.objective.scorer
    if not isinstance(scorer, Scorer) or scorer.card.preprocess.view != "whole":
        return []
    shown = {"before": result.photo.pixels} | ({} if after is None else {"after": after})
    try:
        return [(name, _heat_map(scorer, pixels)) for name, pixels in shown.items()]
    except MissingExtraError:
        return []


def _heat_map(scorer: Any, pixels: Tensor) -> Picture:
    from scorers.explain.attribution import attribute
    from scorers.explain.figure import overlay

    height, width = pixels.shape[-2:]
    scale = min(1.0, HEAT_SIDE / max(height, width))
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    small = F.interpolate(pixels, size, mode="area")
    return picture_of(overlay(small[0], attribute(scorer, pixels)[0])[None], HEAT_SIDE)
