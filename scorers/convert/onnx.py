"""A scorer as an ONNX file, for runtimes without PyTorch; checked against it on writing.

Source: ONNX, *Open neural network exchange intermediate representation*, onnx.ai.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from scorers.errors import MissingExtraError, WeightsError
from scorers.scorer import Scorer
from scorers.weights_file import replacing

TOLERANCE = 1e-4
"""Largest difference of a share of opinions that rounding may make."""


class Shown(nn.Module):
    """What the file computes: ``(B, 3, size, size)`` sRGB in [0, 1] -> ``(B, buckets)``.

    Resizing is left to the caller, since runtimes differ in it; normalisation and the softening
    of the card are part of it.
    """

    def __init__(self, scorer: Scorer) -> None:
        super().__init__()
        self.network = scorer.network
        self.preprocess = scorer.card.preprocess

    def forward(self, image: Tensor) -> Tensor:
        if self.preprocess.view == "whole":
            image = self.preprocess.soften(image)
        shares: Tensor = self.network(self.preprocess.normalise(image))
        return shares


def export_onnx(scorer: Scorer, path: str | Path) -> float:
    """Write a scorer as an ONNX file, and compare what ONNX Runtime makes of it.

    The input is called ``image``, the output ``opinion``; the batch may have any size. The file's
    metadata hold the card, whose preprocessing says how a photo is to be resized.

    Args:
        scorer: what to write; any architecture.
        path: the target; written beside it first, then renamed over it.

    Returns:
        The largest difference of a share of opinions, on random images.

    Raises:
        MissingExtraError: the packages of the extra ``onnx`` are not installed.
        WeightsError: ONNX Runtime answers otherwise than PyTorch.
    """
    onnx, runtime = _packages()
    size, shown = scorer.view_size, Shown(scorer).eval()
    images = torch.rand(3, 3, size, size, generator=torch.Generator().manual_seed(0))
    with replacing(path) as part:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")  # deprecations among the exporter's own parts
            program: Any = torch.onnx.export(
                shown,
                (images[:2],),
                input_names=["image"],
                output_names=["opinion"],
                dynamic_shapes=({0: torch.export.Dim("batch", min=1)},),
                dynamo=True,
                verbose=False,
            )
            wanted = shown(images)
        model = program.model_proto
        onnx.helper.set_model_props(model, {"card": scorer.card.to_json()})
        part.write_bytes(model.SerializeToString())
        session = runtime.InferenceSession(str(part), providers=["CPUExecutionProvider"])
        (found,) = session.run(["opinion"], {"image": images.numpy()})
        difference = float((torch.from_numpy(found) - wanted).abs().max())
        if difference > TOLERANCE:
            raise WeightsError(
                f"cannot write {path}: ONNX Runtime's opinions must be within {TOLERANCE:g}, "
                f"got a difference of {difference:.2g}"
            )
    return difference


def _packages() -> tuple[Any, Any]:
    try:
        import onnx
        import onnxruntime
        import onnxscript  # noqa: F401  # what PyTorch's exporter writes with
    except ImportError as error:
        raise MissingExtraError(
            "an ONNX file needs onnx, onnxscript and onnxruntime: pip install 'enhance-tune[onnx]'"
        ) from error
    return onnx, onnxruntime
