"""What is compared on tone: ours, the scorer's raw maximum, a published recipe, classics."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor
from torch.nn import functional

import enhance
import scorers
from benchmarks._photos import read
from benchmarks.quality.tasks import Task
from enhance.operators.resolve import resolve_operator
from enhance.tuning.objective import Objective
from enhance.tuning.predictor import predict
from enhance.tuning.space import Space
from enhance.tuning.strategies import gradient
from enhance.tuning.views import whole_views
from scorers.opinion import emd

Method = Callable[[Task], Tensor | None]
"""From a task to the improved photo ``(1, 3, H, W)``; None where the method has no answer."""

NICER_STEPS, NICER_RATE, NICER_MOMENTUM, NICER_L2 = 50, 0.05, 0.9, 0.1


def tone_methods(shared: Path) -> dict[str, Method]:
    """Every method by the name that the tables give it."""
    published = shared / "weights/idealo_mobilenet_aesthetic.int8.tflite"
    return {
        "input": lambda task: task.photo,
        "predictor, unguarded": predicted,
        "ours, instant": tuned(strategy="instant"),
        "ours, gradient": tuned(strategy="gradient"),
        "ours, hybrid": tuned(strategy="hybrid"),
        "ours, grid of laplacian": tuned("laplacian", strategy="grid"),
        "raw NIMA, grid of laplacian": lambda task: raw_grid(task, _load(published)),
        "NICER's recipe": lambda task: nicer(task, _load(published)),
        "autocontrast, cutoff 1": autocontrast,
        "CLAHE": clahe,
        "equalize_adapthist": equalize_adapthist,
        "FLLF, stored": lambda task: stored(task, "FLLF, stored"),
        "default operator, hindsight": hindsight,
    }


def tuned(operator: Any = None, **options: Any) -> Method:
    """`enhance.tune` with everything else at its default."""

    def method(task: Task) -> Tensor:
        result = enhance.tune(task.photo[0], operator, **options)
        return result.image[None]

    return method


def predicted(task: Task) -> Tensor:
    """The embedded predictor's answer as it is: nobody is asked whether it helps."""
    operator = resolve_operator(None)
    space = Space.of(operator)
    point = predict(operator, space, task.photo)
    assert point is not None
    return render(operator, task.photo, space.describe(point))


@cache
def _load(path: Path) -> scorers.Scorer:
    return scorers.load(path)


def raw_grid(task: Task, scorer: scorers.Scorer) -> Tensor:
    """The paper's 726 settings, each scored on one view of the whole photo, no guards, no cost."""
    operator = resolve_operator("laplacian")
    views = whole_views(task.photo, 1, scorer.view_size)
    objective = Objective(operator, scorer, views, Space.of(operator))
    points = objective.space.grid()
    best = points[objective.values(points).argmax()]
    return render(operator, task.photo, objective.space.describe(best))


def nicer(task: Task, scorer: scorers.Scorer) -> Tensor:
    """NICER's recipe, from its description, on our default operator.

    Settings begin where they change nothing and move by SGD with momentum; the loss is the earth
    mover's distance from everybody giving the best rating, plus L2 on the settings, which are in
    units of the reach from their default; the whole photo is squashed to the scorer's size. The
    weight of L2 is what the description leaves open.
    """
    operator = resolve_operator(None)
    space = Space.of(operator)
    image = functional.interpolate(task.photo, (224, 224), mode="area")
    start = space.defaults()
    reach = torch.maximum(start, 1 - start)
    moved = torch.zeros_like(start, requires_grad=True)
    optimiser = torch.optim.SGD([moved], lr=NICER_RATE, momentum=NICER_MOMENTUM)
    layers = operator.analyse(image)
    best = functional.one_hot(torch.tensor([9]), 10).float()
    for _ in range(NICER_STEPS):
        settings = space.settings((start + moved * reach)[None])
        rendered = operator.render(layers, {n: v.float() for n, v in settings.items()})
        loss = emd(scorer.opinion(rendered), best, r=2).mean() + NICER_L2 * moved.square().sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        with torch.no_grad():
            moved.clamp_(-start / reach, (1 - start) / reach)
    return render(operator, task.photo, space.describe((start + moved * reach).detach()))


def hindsight(task: Task) -> Tensor | None:
    """The default operator's setting that comes closest to the reference: what could be reached."""
    if task.reference is None:
        return None
    operator = resolve_operator(None)
    small, target = (whole_views(t, 1, 128) for t in (task.photo, task.reference))
    goal = lab(target.images)

    def closeness(images: Tensor) -> Tensor:
        return -(lab(images) - goal).square().sum(1).add(1e-6).sqrt().mean((1, 2))

    objective = Objective(operator, closeness, small, Space.of(operator))
    found = gradient.search(objective)
    return render(operator, task.photo, objective.space.describe(found.point))


def lab(images: Tensor) -> Tensor:
    """CIELAB of sRGB images ``(B, 3, H, W)``, differentiable."""
    from kornia.color import rgb_to_lab

    return rgb_to_lab(images)


def render(operator: Any, photo: Tensor, settings: dict[str, float]) -> Tensor:
    """The photo at these settings, as an 8-bit file would hold it."""
    with torch.no_grad():
        return operator(photo, **settings).clamp(0, 1).mul(255).round() / 255


def autocontrast(task: Task) -> Tensor:
    """Pillow's, 1 % cut off at each end."""
    return from_bytes(np.asarray(ImageOps.autocontrast(Image.fromarray(to_bytes(task.photo)), 1)))


def clahe(task: Task) -> Tensor:
    """OpenCV's, clip limit 2 on 8 x 8 tiles, on the lightness of CIELAB."""
    import cv2

    planes = cv2.cvtColor(to_bytes(task.photo), cv2.COLOR_RGB2LAB)
    planes[..., 0] = cv2.createCLAHE(2.0, (8, 8)).apply(planes[..., 0])
    return from_bytes(cv2.cvtColor(planes, cv2.COLOR_LAB2RGB))


def equalize_adapthist(task: Task) -> Tensor:
    """scikit-image's, at its defaults."""
    from skimage.exposure import equalize_adapthist as equalize

    return from_bytes((equalize(to_bytes(task.photo)) * 255).round().astype(np.uint8))


def stored(task: Task, name: str) -> Tensor | None:
    """A result that was given with the photos."""
    path = (task.stored or {}).get(name)
    return None if path is None else read(path)


def to_bytes(photo: Tensor) -> np.ndarray:
    """``(1, 3, H, W)`` in [0, 1] to ``(H, W, 3)`` bytes."""
    return np.ascontiguousarray((photo[0].permute(1, 2, 0) * 255).round().byte().numpy())


def from_bytes(pixels: np.ndarray) -> Tensor:
    """The inverse of `to_bytes`."""
    return torch.from_numpy(np.array(pixels)).permute(2, 0, 1)[None].float() / 255
