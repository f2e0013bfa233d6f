"""What ONNX Runtime makes of an exported scorer, and the entry points of torch.hub."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor

import scorers
from scorers.card import Architecture, ModelCard
from scorers.cli import main
from scorers.errors import MissingExtraError
from scorers.preprocess import Preprocess
from scorers.scorer import Scorer

ROOT = Path(__file__).parents[2]


def test_onnx_runtime_agrees_on_a_photo(coffee: Tensor, tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx", reason="needs the extra onnx")
    runtime = pytest.importorskip("onnxruntime", reason="needs the extra onnx")
    pytest.importorskip("onnxscript", reason="needs the extra onnx")
    from scorers.convert.onnx import export_onnx

    torch.manual_seed(0)
    show = Preprocess(size=64, blur=0.7)
    scorer = Scorer.untrained(
        ModelCard("tiny", Architecture("mobilenet_v1", {"width": 0.25}), preprocess=show)
    )
    assert export_onnx(scorer, tmp_path / "tiny.onnx") < 1e-5
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.onnx"]
    model = onnx.load(tmp_path / "tiny.onnx")
    card = {entry.key: entry.value for entry in model.metadata_props}["card"]
    assert json.loads(card)["preprocess"]["blur"] == 0.7
    session = runtime.InferenceSession(
        str(tmp_path / "tiny.onnx"), providers=["CPUExecutionProvider"]
    )
    images = torch.cat([show.resize(coffee * gain) for gain in (1.0, 0.5, 0.2, 0.1, 0.0)])
    (opinion,) = session.run(None, {"image": images.numpy()})
    assert torch.allclose(torch.from_numpy(opinion), scorer.opinion(images), atol=1e-5)
    # shares of different photos differ: it is not a constant that agrees
    assert abs(opinion[0] - opinion[-1]).max() > 1e-3


def test_the_packages_are_an_extra(
    scorer_file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setitem(sys.modules, "onnx", None)
    assert main(["export", scorer_file, str(tmp_path / "a.onnx")]) == 2
    assert "pip install 'enhance-tune[onnx]'" in capsys.readouterr().err
    assert not list(tmp_path.glob("*.onnx"))
    assert issubclass(MissingExtraError, ImportError)


def test_torch_hub_loads_the_embedded_scorers(coffee: Tensor) -> None:
    names = {name for name in runpy.run_path(str(ROOT / "hubconf.py")) if not name.startswith("_")}
    entries = {"nima_aesthetic", "nima_technical", "scorer"}
    assert names == entries | {"annotations", "dependencies", "TYPE_CHECKING"}
    loaded = torch.hub.load(str(ROOT), "nima_aesthetic", source="local")
    assert torch.equal(loaded(coffee), scorers.load("nima-aesthetic")(coffee))
