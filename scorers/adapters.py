"""Other people's scorers: pyiqa's metrics as callables, higher is better, nothing downloaded.

Any callable ``(B, 3, H, W) in [0, 1] -> (B,)``, higher better, is a scorer already; this adapts
those that are not quite.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any, NoReturn

import torch
from torch import Tensor, nn

from scorers.errors import MissingExtraError, ScorerError, WeightsError, unknown_name


class PyIQA(nn.Module):
    """A no-reference metric of pyiqa: ``(B, 3, H, W)`` in [0, 1] -> ``(B,)``, higher is better.

    pyiqa fetches weights when a metric is built. That is refused unless `download` allows it, so
    without it only what is in its cache, or in `checkpoint`, is used.

    Args:
        name: of the metric, as pyiqa lists it (``"musiq"``, ``"niqe"``).
        checkpoint: weights file to use instead of pyiqa's own. pyiqa unpickles it, which runs
            code that the file may hold: use only files that you trust.
        download: let pyiqa fetch what it needs while the metric is built.
        device: where it runs; pyiqa's choice when None.

    Attributes:
        licence: of the pyiqa package, as it declares it; a metric's weights may have their own.
        lower_better: the metric's own direction; scores are negated where it is True.

    Raises:
        MissingExtraError: pyiqa is not installed.
        UnknownNameError: it has no no-reference metric of that name.
        WeightsError: the checkpoint is missing, or the metric needs a download.
    """

    def __init__(
        self,
        name: str,
        *,
        checkpoint: str | Path | None = None,
        download: bool = False,
        device: str | torch.device | None = None,
    ) -> None:
        super().__init__()
        pyiqa = _pyiqa()
        known = pyiqa.list_models(metric_mode="NR")
        if name not in known:
            raise unknown_name("no-reference metric of pyiqa", name, known)
        options: dict[str, Any] = {}
        if checkpoint is not None:
            if not Path(checkpoint).is_file():
                raise WeightsError(f"cannot read {checkpoint}: no such file")
            options["pretrained_model_path"] = str(checkpoint)
        # as a loss it passes gradients; unreduced it keeps one score per photo
        options |= {"as_loss": True, "loss_reduction": "none", "device": device}
        if download:
            metric = pyiqa.create_metric(name, **options)
        else:
            with _offline(f"{name} needs a download; allow it with download=True"):
                metric = pyiqa.create_metric(name, **options)
        self.metric: nn.Module = metric.eval().requires_grad_(False)
        self.name = name
        self.lower_better = bool(metric.lower_better)
        self.licence = _licence()

    def train(self, mode: bool = True) -> PyIQA:
        """Stay in evaluation mode."""
        return super().train(False)

    def forward(self, image: Tensor) -> Tensor:
        """``(B, 3, H, W)`` in [0, 1] -> ``(B,)``, higher is better."""
        score: Tensor = self.metric(image).reshape(len(image), -1).mean(-1)
        return -score if self.lower_better else score


def _pyiqa() -> Any:
    try:
        return import_module("pyiqa")
    except ImportError as error:
        raise MissingExtraError(
            "pyiqa is not installed; install it with: pip install pyiqa (its licence differs)"
        ) from error


def _licence() -> str:
    try:
        fields = metadata("pyiqa")
    except PackageNotFoundError:
        return "not stated"
    # one field or the other, by the version of the packaging standard
    stated = (name for name in ("License-Expression", "License") if name in fields)
    return next((fields[name] for name in stated), "not stated")


@contextmanager
def _offline(reason: str) -> Iterator[None]:
    """Refuse every connection of this process meanwhile.

    pyiqa and the packages under it download in several ways, and have no common switch.

    Raises:
        WeightsError: a connection was tried, and doing without it failed.
    """
    tried = False

    def refuse(*_: object, **__: object) -> NoReturn:
        nonlocal tried
        tried = True
        raise OSError(reason)

    connect, resolve = socket.socket.connect, socket.getaddrinfo
    socket.socket.connect = refuse  # type: ignore[method-assign]
    socket.getaddrinfo = refuse
    try:
        yield
    except ScorerError:
        raise
    except Exception as error:
        if tried:
            raise WeightsError(reason) from error
        raise
    finally:
        socket.socket.connect = connect  # type: ignore[method-assign]
        socket.getaddrinfo = resolve
