"""For `torch.hub`: the scorers of a checkout of this repository, or of its address.

import torch
scorer = torch.hub.load("path/to/enhance-tune", "nima_aesthetic", source="local")
scorer(torch.rand(1, 3, 480, 640))  # mean opinion, higher is better
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scorers import load as _load  # a public name here would be an entry point

if TYPE_CHECKING:
    from scorers import Scorer

dependencies = ["torch", "numpy", "safetensors", "kornia"]


def nima_aesthetic() -> Scorer:
    """How good a photo looks: tone, colour and composition."""
    return _load("nima-aesthetic")


def nima_technical() -> Scorer:
    """How free of noise, blur and compression a photo is."""
    return _load("nima-technical")


def scorer(name: str) -> Scorer:
    """Any scorer by its name, or by the path of a weight file; see `scorers.load`."""
    return _load(name)
