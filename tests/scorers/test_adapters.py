"""pyiqa's metrics as scorers, against a stand-in that behaves as pyiqa 0.1.16 does."""

from __future__ import annotations

import socket
import sys
import types
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from scorers.adapters import PyIQA
from scorers.errors import MissingExtraError, UnknownNameError, WeightsError

ADDRESS = "http://127.0.0.1:9/weights.pth"


class Metric(nn.Module):
    """Its score is the mean, or the mean darkness where lower is better."""

    def __init__(self, name: str, options: dict[str, Any]) -> None:
        super().__init__()
        self.lower_better = name == "niqe"
        self.options = options
        self.weight = nn.Parameter(torch.ones(()))
        self.dropout = nn.Dropout(0.5)

    def forward(self, image: Tensor) -> Tensor:
        score = self.dropout(image * self.weight).mean((-3, -2, -1))[:, None]
        return 1 - score if self.lower_better else score


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[Metric]:
    """Install the stand-in; the metrics it builds are listed here."""
    made: list[Metric] = []

    def create_metric(name: str, **options: Any) -> Metric:
        if name == "musiq" and "pretrained_model_path" not in options:
            urllib.request.urlopen(ADDRESS, timeout=1)
        if name == "broken":
            raise RuntimeError("no such layer")
        made.append(Metric(name, options))
        return made[-1]

    pyiqa = types.ModuleType("pyiqa")
    pyiqa.create_metric = create_metric  # type: ignore[attr-defined]
    pyiqa.list_models = lambda metric_mode: ["brightness", "broken", "musiq", "niqe"]  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pyiqa", pyiqa)
    return made


@pytest.mark.parametrize("name", ["brightness", "niqe"])
def test_higher_is_better_whatever_the_metrics_direction(built: list[Metric], name: str) -> None:
    scorer = PyIQA(name)
    image = torch.stack([torch.full((3, 8, 8), 0.2), torch.full((3, 8, 8), 0.7)])
    assert scorer.lower_better == (name == "niqe")
    scores = scorer(image)
    assert scores.shape == (2,)
    assert scores[1] > scores[0]
    assert built[0].options["loss_reduction"] == "none"


def test_it_is_frozen_and_passes_gradients(built: list[Metric]) -> None:
    scorer = PyIQA("niqe")
    image = torch.rand(2, 3, 8, 8, requires_grad=True)
    around = nn.ModuleList([scorer]).train()
    assert not any(module.training for module in scorer.modules())
    torch.testing.assert_close(scorer(image), image.mean((-3, -2, -1)) - 1)  # no dropout
    scorer(image).sum().backward()
    assert image.grad is not None
    assert image.grad.abs().sum() > 0
    assert not any(parameter.requires_grad for parameter in around.parameters())


def test_nothing_is_downloaded_unless_allowed(built: list[Metric]) -> None:
    connect, resolve = socket.socket.connect, socket.getaddrinfo
    with pytest.raises(WeightsError, match="musiq needs a download; allow it with download=True"):
        PyIQA("musiq")
    assert (socket.socket.connect, socket.getaddrinfo) == (connect, resolve)
    with pytest.raises(OSError, match="refused"):  # now it does try
        PyIQA("musiq", download=True)
    assert not built


def test_a_checkpoint_serves_offline(built: list[Metric], tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"gone\.pth: no such file"):
        PyIQA("musiq", checkpoint=tmp_path / "gone.pth")
    (tmp_path / "own.pth").write_bytes(b"weights")
    PyIQA("musiq", checkpoint=tmp_path / "own.pth")
    assert built[0].options["pretrained_model_path"] == str(tmp_path / "own.pth")


def test_other_faults_are_not_blamed_on_the_network(built: list[Metric]) -> None:
    with pytest.raises(RuntimeError, match="no such layer"):
        PyIQA("broken")


def test_the_licence_is_read_from_the_package(
    built: list[Metric], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert PyIQA("niqe").licence == "not stated"  # the stand-in is no distribution
    fields = {"License-Expression": "PolyForm-Noncommercial-1.0.0"}
    monkeypatch.setattr("scorers.adapters.metadata", lambda _: fields)
    assert PyIQA("niqe").licence == "PolyForm-Noncommercial-1.0.0"


def test_unknown_metrics_get_the_nearest(built: list[Metric]) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'musiq'"):
        PyIQA("musik")


def test_without_pyiqa_the_way_to_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyiqa", None)
    with pytest.raises(MissingExtraError, match="pip install pyiqa"):
        PyIQA("niqe")
