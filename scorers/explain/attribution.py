"""Attributions: how much each pixel that the network is shown adds to the mean opinion."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from importlib import import_module
from types import ModuleType

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from scorers.errors import MissingExtraError, unknown_name
from scorers.explain.shown import laid_out, squares
from scorers.nima import NIMA
from scorers.scorer import Scorer

_STEPS = 32  # of the path integral
_PATCH = 8  # patches per side that occlusion hides, one at a time, half overlapping
_BATCH = 32  # views per forward pass


def attribute(scorer: Scorer, image: Tensor, method: str = "integrated-gradients") -> Tensor:
    """Attribute the mean opinion to pixels: ``(B, 3, H, W)`` -> ``(B, h, w)``, signed.

    The map is summed over channels, in units of the score: positive where pixels raise it. It lies
    over what the network is shown: the photo shrunk to ``(size, size)`` (`Scorer.view_size`), or,
    for a scorer of native squares, the photo as it is (a side shorter than `size` enlarged to
    it), with the mean of the squares' maps where they lie and 0 where none does.

    All but Grad-CAM compare with flat squares of their mean colours; Integrated Gradients then
    nearly sums to the difference of the two scores (its path integral takes 32 steps), and
    DeepLIFT does for networks that are layers with a rule of its own and nothing else: not where
    they pool by maximum or by standard deviation.

    Args:
        scorer: what to explain.
        image: ``(B, 3, H, W)`` in [0, 1].
        method: ``"integrated-gradients"`` (Sundararajan et al. 2017), ``"deeplift"``
            (Shrikumar et al. 2017, rescale rule), ``"occlusion"`` (Zeiler and Fergus 2014) or
            ``"grad-cam"`` (Selvaraju et al. 2017, without its final ReLU, so that what lowers
            the score shows too).

    Raises:
        UnknownNameError: no such method.
        InputError: not a float tensor of that shape.
        MissingExtraError: captum is not installed.
    """
    if method not in METHODS:
        raise unknown_name("attribution method", method, METHODS)
    captum = _captum()
    shown = squares(scorer, image).detach()
    view = shown.flatten(0, 1)
    flat = view.mean((-2, -1), keepdim=True).expand_as(view).contiguous()
    heats = METHODS[method](captum, scorer, view, flat).detach()
    return laid_out(scorer, heats.unflatten(0, shown.shape[:2]), *image.shape[-2:])


def _integrated_gradients(captum: ModuleType, scorer: Scorer, view: Tensor, flat: Tensor) -> Tensor:
    found: Tensor = captum.IntegratedGradients(scorer).attribute(
        view, flat, n_steps=_STEPS, internal_batch_size=max(_BATCH, len(view))
    )
    return found.sum(1)


def _deeplift(captum: ModuleType, scorer: Scorer, view: Tensor, flat: Tensor) -> Tensor:
    logits = _Logits(scorer)
    slopes = _mean_slopes(logits(view), logits(flat), scorer.buckets)
    with warnings.catch_warnings():  # it announces its hooks each time
        warnings.simplefilter("ignore", UserWarning)
        found: Tensor = captum.DeepLift(logits).attribute(
            view.requires_grad_(), flat, additional_forward_args=(slopes,)
        )
    return found.sum(1)


def _occlusion(captum: ModuleType, scorer: Scorer, view: Tensor, flat: Tensor) -> Tensor:
    patch = max(scorer.view_size // _PATCH, 1)
    found: Tensor = captum.Occlusion(scorer).attribute(
        view,
        (3, patch, patch),
        strides=(3, max(patch // 2, 1), max(patch // 2, 1)),
        baselines=flat,
        perturbations_per_eval=max(_BATCH // len(view), 1),
    )
    return found.mean(1)  # a patch is hidden in all channels at once


def _grad_cam(captum: ModuleType, scorer: Scorer, view: Tensor, _: Tensor) -> Tensor:
    backbone = scorer.network.backbone
    found: Tensor = captum.LayerGradCam(scorer, backbone.last_maps).attribute(view)
    size = (scorer.view_size, scorer.view_size)
    return F.interpolate(found, size=size, mode="bilinear", align_corners=False)[:, 0]


METHODS: dict[str, Callable[[ModuleType, Scorer, Tensor, Tensor], Tensor]] = {
    "integrated-gradients": _integrated_gradients,
    "deeplift": _deeplift,
    "occlusion": _occlusion,
    "grad-cam": _grad_cam,
}


def _captum() -> ModuleType:
    try:
        return import_module("captum.attr")
    except ImportError as error:
        raise MissingExtraError(
            "attributions need captum; install it with: pip install enhance-tune[explain]"
        ) from error


def _mean_slopes(logits: Tensor, flat: Tensor, buckets: Tensor) -> Tensor:
    """Slope of the mean opinion to each logit, averaged on the line from `flat` to `logits`.

    Times the difference of the logits it gives the difference of the means. Captum's own rule
    for softmax mixes the photos of a batch.
    """
    nodes, weights = np.polynomial.legendre.leggauss(_STEPS)
    slopes = torch.zeros_like(logits)
    for node, weight in zip(nodes, weights, strict=True):
        shares = (flat + (node + 1) / 2 * (logits - flat)).softmax(-1)
        mean = (shares * buckets).sum(-1, keepdim=True)
        slopes += weight / 2 * shares * (buckets - mean)
    return slopes.detach()


class _Logits(nn.Module):
    """A copy of a scorer's logits, in layers that captum's DeepLIFT has rules for.

    It knows ReLU but not ReLU6, and refuses operations in place and layers used twice.
    """

    def __init__(self, scorer: Scorer) -> None:
        super().__init__()
        self.preprocess = scorer.card.preprocess
        self.network: NIMA = _out_of_place(copy.deepcopy(scorer.network))

    def forward(self, view: Tensor, slopes: Tensor | None = None) -> Tensor:
        """All logits, or their sum weighted by `slopes`."""
        logits = self.network.logits(self.preprocess.views(view)[:, 0])
        return logits if slopes is None else (logits * slopes).sum(-1)


class _ReLU(nn.Module):
    """ReLU for a network that applies it up to twice a pass."""

    def __init__(self) -> None:
        super().__init__()
        self.turns = nn.ModuleList([nn.ReLU(), nn.ReLU()])
        self.passed = 0

    def forward(self, features: Tensor) -> Tensor:
        self.passed += 1
        positive: Tensor = self.turns[self.passed % 2](features)
        return positive


class _ReLU6(nn.Module):
    """``min(max(x, 0), 6)`` as the difference of two ReLUs."""

    def __init__(self) -> None:
        super().__init__()
        self.above_0, self.above_6 = nn.ReLU(), nn.ReLU()

    def forward(self, features: Tensor) -> Tensor:
        # captum hooks the tensor that enters a layer, so each needs one of its own
        difference: Tensor = self.above_0(features.clone()) - self.above_6(features - 6)
        return difference


def _out_of_place(module: NIMA) -> NIMA:
    for parent in list(module.modules()):
        for name, child in parent.named_children():
            if isinstance(child, nn.ReLU6):
                setattr(parent, name, _ReLU6())
            elif isinstance(child, nn.ReLU):
                setattr(parent, name, _ReLU())
    return module
