"""The published TFLite files: the numbers of the TFLite interpreter, and damaged copies."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import scorers
from scorers.convert.tflite import load_mobilenet_v2, load_tflite, read_layers
from scorers.errors import WeightsError

FILES = {
    "aesthetic": "idealo_mobilenet_aesthetic.int8.tflite",
    "technical": "idealo_mobilenet_technical.int8.tflite",
}
IMAGENET = "mobilenet_v2_1.0_224_imagenet.ptq.tflite"


@pytest.mark.parametrize("kind", sorted(FILES))
def test_scores_are_the_interpreters(shared: Path, kind: str) -> None:
    scorer = scorers.load(shared / "weights" / FILES[kind])
    with open(shared / "weights/idealo_golden_kodak24.csv", newline="") as file:
        golden = list(csv.DictReader(file))
    differences = []
    for row in golden:
        with Image.open(shared / "data" / row["file"]) as photo:
            pixels = np.array(photo.convert("RGB"))
        image = torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255
        with torch.inference_mode():
            differences.append(scorer(image).item() - float(row[kind]))
    assert len(differences) == 24
    assert np.abs(differences).max() < 0.05
    assert np.abs(differences).mean() < 0.02


@pytest.mark.parametrize("kind", sorted(FILES))
def test_published_files_are_known_by_their_hash(shared: Path, kind: str) -> None:
    card = scorers.load(shared / "weights" / FILES[kind]).card
    assert card.name == f"idealo-{kind}"
    assert card.licence == "Apache-2.0"
    assert card.sha256 == card.source_sha256


def test_a_published_file_survives_being_saved(shared: Path, tmp_path: Path) -> None:
    scorer = scorers.load(shared / "weights" / FILES["technical"])
    scorer.save(tmp_path / "copy.safetensors")
    image = torch.rand(1, 3, 60, 80)
    copy = scorers.load(tmp_path / "copy.safetensors")
    assert torch.equal(copy(image), scorer(image))
    assert copy.card.source_sha256 == scorer.card.source_sha256


def test_weights_count_is_the_published_one(shared: Path) -> None:
    network = load_tflite(shared / "weights" / FILES["aesthetic"])
    assert sum(parameter.numel() for parameter in network.parameters()) == 3_206_282


def test_imagenet_weights_fill_mobilenet_v2(shared: Path) -> None:
    """Quantised activations are dequantised too, so features must not explode or vanish."""
    backbone = load_mobilenet_v2(shared / "weights" / IMAGENET)
    layers = read_layers(shared / "weights" / IMAGENET)
    assert torch.equal(backbone.features[0][0].weight, layers[0].weight)  # type: ignore[index]
    with Image.open(shared / "data/kodak24/23.png") as photo:  # two parrots
        small = np.array(photo.convert("RGB").resize((224, 224), Image.Resampling.BILINEAR))
    image = torch.from_numpy(small).permute(2, 0, 1)[None].float() / 127.5 - 1
    with torch.inference_mode():
        logits = backbone(image) @ layers[-1].weight.flatten(1).T + layers[-1].bias
    # class 0 is background, so ImageNet's macaw (88) is at 89
    assert logits[0].softmax(0)[89] > 0.5


def test_tflite_reads_no_other_network(shared: Path) -> None:
    with pytest.raises(WeightsError, match="not linear"):
        load_tflite(shared / "weights" / IMAGENET)
    with pytest.raises(WeightsError, match="not those of MobileNetV2"):
        load_mobilenet_v2(shared / "weights" / FILES["aesthetic"])


@pytest.mark.parametrize("kept", [8, 9, 40, 1000, 100_000, 3_000_000, 3_390_000])
def test_a_truncated_file_is_refused(shared: Path, tmp_path: Path, kept: int) -> None:
    whole = (shared / "weights" / FILES["aesthetic"]).read_bytes()
    short = tmp_path / "short.tflite"
    short.write_bytes(whole[:kept])
    with pytest.raises(WeightsError, match="damaged or truncated"):
        load_tflite(short)


@pytest.mark.parametrize("content", [b"", b"TFL3", b"\x00" * 200, b"PK\x03\x04" * 20])
def test_what_is_not_tflite_is_refused(tmp_path: Path, content: bytes) -> None:
    other = tmp_path / "other.tflite"
    other.write_bytes(content)
    with pytest.raises(WeightsError, match="not a TFLite file"):
        load_tflite(other)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"nowhere\.tflite: No such file"):
        load_tflite(tmp_path / "nowhere.tflite")


def test_damaged_bytes_never_escape_as_another_error(shared: Path, tmp_path: Path) -> None:
    """Flip the structure's bytes: the reader must answer with weights or with `WeightsError`."""
    whole = bytearray((shared / "weights" / FILES["aesthetic"]).read_bytes())
    damaged = tmp_path / "damaged.tflite"
    generator = np.random.default_rng(0)
    refused = 0
    for _ in range(30):
        copy = bytearray(whole)
        for at in generator.integers(len(copy) - 20_000, len(copy), 300):
            copy[at] = generator.integers(256)
        damaged.write_bytes(copy)
        try:
            load_tflite(damaged)
        except WeightsError:
            refused += 1
    assert refused > 0
