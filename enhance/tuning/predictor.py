"""One look at the photo instead of a search: a small network that answers settings.

The NIMA paper names its limit: every setting tried costs an evaluation of operator and scorer.
A predictor pays that once, in training: it learns, through the differentiable operator, to undo
damage done to good photos (`reproduce/instant.py`), and afterwards answers in one pass. Its answer
is used as it is (strategy ``instant``), as a start of the gradient, and as the setting from
which leaving costs.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from enhance.operators.base import Operator
from enhance.tuning.scoring import TONE, embedded_scorer
from enhance.tuning.space import Space
from scorers.backbones.multilevel import EXTREME, MultiLevelMobileNetV1

WEIGHTS = Path(__file__).parent / "weights"
SIZE = 224
FEATURES = 6016
"""Numbers that the tone scorer's trunk says of a photo."""
QUANTILES = 17
_CELLS = 4
_MEASURED = 4 * QUANTILES + 5 + _CELLS**2


@dataclass(frozen=True)
class Prediction:
    """What the network answers for ``(B, 3, H, W)`` photos.

    Attributes:
        points: ``(B, D)`` in the unit cube of the operator's own space.
        benefit: ``(B,)`` expected decrease of the colour difference to the ideal photo, in
            mean CIEDE2000; at or below zero the photo seems to lack nothing.
    """

    points: Tensor
    benefit: Tensor


class Predictor(nn.Module):
    """Reads a photo, answers settings and how much they should help.

    The trunk of the embedded tone scorer, read at several levels, sees structure; a table of tone
    statistics sees what convolutions see badly (quantiles of luma, colour, the light in each of
    4 x 4 cells). What is learned is a neck over both.

    Args:
        names: the operator's tuned parameters, in the order of the points' columns.
        defaults: the default setting as a point of the unit cube; the untrained answer.
        neck: features that the trunk's levels are mixed to.

    >>> network = Predictor(["detail", "shadow"], [0.2, 0.5]).eval()
    >>> network(torch.rand(2, 3, 224, 224)).points.shape
    torch.Size([2, 2])
    """

    start: Tensor
    centre: Tensor
    spread: Tensor

    def __init__(self, names: Sequence[str], defaults: Sequence[float], neck: int = 128) -> None:
        super().__init__()
        self.names = tuple(names)
        self.register_buffer("centre", torch.zeros(FEATURES + _MEASURED))
        self.register_buffer("spread", torch.ones(FEATURES + _MEASURED))
        self.read = nn.Sequential(nn.Dropout(0.5), nn.Linear(FEATURES, neck), nn.ReLU())
        self.mix = nn.Sequential(
            nn.Linear(neck + _MEASURED, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU()
        )
        self.answer = nn.Linear(64, len(self.names) + 1)
        nn.init.zeros_(self.answer.weight)
        nn.init.zeros_(self.answer.bias)
        start = torch.tensor(defaults, dtype=torch.float32).clamp(0.02, 0.98).logit()
        self.register_buffer("start", start)

    @torch.no_grad()
    def standardise(self, said: Tensor, measured: Tensor) -> None:
        """Take the scale of each number from examples, ``(N, FEATURES)`` and ``(N, 89)``."""
        examples = torch.cat([said, measured], dim=1)
        self.centre.copy_(examples.mean(0))
        self.spread.copy_(examples.std(0).clamp(min=1e-3))

    def answers(self, said: Tensor, measured: Tensor) -> Prediction:
        """Answers by what the trunk says of photos and what `tone_statistics` measures."""
        read = torch.cat([said, measured], dim=1)
        standard = ((read - self.centre) / self.spread).clamp(-EXTREME, EXTREME)
        said, measured = standard.split([FEATURES, _MEASURED], dim=1)
        answer = self.answer(self.mix(torch.cat([self.read(said), measured], dim=1)))
        return Prediction(torch.sigmoid(self.start + answer[:, :-1]), 10 * answer[:, -1])

    def forward(self, image: Tensor) -> Prediction:
        """``(B, 3, H, W)`` in [0, 1], shrunk to 224 x 224 as the scorers see it."""
        view = functional.interpolate(image, (SIZE, SIZE), mode="area")
        return self.answers(trunk().pooled(view.mul(2).sub(1)), tone_statistics(view))


@cache
def trunk() -> MultiLevelMobileNetV1:
    """What the predictors read photos by: the backbone of the embedded tone scorer."""
    backbone = embedded_scorer(TONE, torch.device("cpu")).get_submodule("network.backbone")
    assert isinstance(backbone, MultiLevelMobileNetV1)
    return backbone


def tone_statistics(image: Tensor) -> Tensor:
    """``(B, 3, H, W)`` to ``(B, 89)``: quantiles of channels and chroma, means, light by cell."""
    chroma = image.amax(1, keepdim=True) - image.amin(1, keepdim=True)
    # means of 4 x 4 pixels: cheaper to sort, and without the combs that editing leaves
    planes = functional.avg_pool2d(torch.cat([image, chroma], dim=1), 4).flatten(2)
    levels = torch.linspace(0.01, 0.99, QUANTILES, dtype=image.dtype, device=image.device)
    quantiles = torch.quantile(planes, levels, dim=2).permute(1, 2, 0).flatten(1)
    colour = torch.stack([chroma.mean((1, 2, 3)), chroma.flatten(1).std(1)], dim=1)
    cells = functional.adaptive_avg_pool2d(image.mean(1, keepdim=True), _CELLS).flatten(1)
    return torch.cat([quantiles, image.mean((-2, -1)), colour, cells], dim=1)


def save_predictor(network: Predictor, path: Path) -> None:
    """Write float16 weights and the parameter names as one safetensors file."""
    from safetensors.torch import save_file

    state = {name: value.half().contiguous() for name, value in network.state_dict().items()}
    save_file(state, path, {"names": json.dumps(network.names)})


def load_predictor(path: Path) -> Predictor:
    """Read what `save_predictor` wrote, for inference."""
    from safetensors import safe_open
    from safetensors.torch import load_file

    with safe_open(path, "pt") as file:
        names = json.loads(file.metadata()["names"])
    state = {name: value.float() for name, value in load_file(path).items()}
    # whatever the caller's modes: what is read here is kept, and draws weights before it is filled
    with torch.inference_mode(False), torch.random.fork_rng([]):
        network = Predictor(names, [0.5] * len(names), neck=len(state["read.1.bias"]))
        network.load_state_dict(state)
    return network.float().requires_grad_(False).eval()


@cache
def embedded(operator_name: str) -> Predictor | None:
    """The embedded predictor of an operator or chain, or None where none was trained."""
    path = WEIGHTS / f"{operator_name}.safetensors"
    return load_predictor(path) if path.is_file() else None


def predict(operator: Operator[Any], space: Space, pixels: Tensor) -> Tensor | None:
    """The predicted point ``(D,)`` of `space` for a photo ``(1, 3, H, W)``.

    None where there is no predictor for this operator. The answer is taken whatever the network
    expects of it, which is weighed where gains are (guard `need`). Parameters that the network
    does not know keep their default, narrowed bounds are respected.
    """
    network = embedded(operator.name)
    if network is None or not space.names:
        return None
    with torch.no_grad():
        answer = network(pixels.float().cpu()).points[0].double()
    own = Space.of(operator)
    point = own.defaults()
    for name, value in zip(network.names, answer, strict=True):
        point[own.names.index(name)] = value
    wanted = {**operator.defaults(), **own.describe(point)}
    inside = {
        name: min(max(wanted[name], parameter.low), parameter.high)
        for name, parameter in space.varying.items()
    }
    return space.to_unit(inside)
