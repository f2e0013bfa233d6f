"""Which scorers there are, and `load`: embedded ones, fetched ones, and files of several kinds.

Nothing here touches the network: a published scorer is fetched by `scorers.fetch`, on request.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from scorers.card import Architecture, ModelCard
from scorers.convert.tflite import load_tflite
from scorers.convert.torch_state import load_torch_state
from scorers.errors import InputError, UnknownNameError, WeightsError, unknown_name
from scorers.preprocess import Preprocess
from scorers.scorer import Scorer
from scorers.weights_file import load_state, read_weights, sha256_of

DEFAULT = "nima-aesthetic"
EMBEDDED = Path(__file__).parent / "weights"
_FILES = (".safetensors", ".tflite", ".pth", ".pt")

_IDEALO = "github.com/idealo/image-quality-assessment (Apache-2.0), as TFLite in "
_MIRROR = "MichaelLedger/image-quality-assessment-exercise"
# the commit is a convenience: the sha256 in the card is what pins the file
_FOLDER = (
    f"https://raw.githubusercontent.com/{_MIRROR}/db0a65ad26586e58ffd1293b0780e0dd1e52634d/"
    "TensorFlow-Lite-implementation-of-Google-NIMA"
)
_KERAS = Preprocess(size=224, method="nearest")


@dataclass(frozen=True)
class Published:
    """A scorer that others publish: what it is, and where its file lies."""

    card: ModelCard
    url: str


PUBLISHED: dict[str, Published] = {
    entry.card.name: entry
    for entry in (
        Published(
            ModelCard(
                name="idealo-aesthetic",
                architecture=Architecture("mobilenet_v1", {"folded": True, "same": True}),
                preprocess=_KERAS,
                summary="Published NIMA for aesthetics: a reference, and the teacher of ours.",
                origin=f"{_IDEALO}{_MIRROR}, aesthetic_model.tflite",
                licence="Apache-2.0",
                training_data="AVA: 255,000 photos of dpchallenge.com, about 210 ratings each",
                source_sha256="fb110d0f14deab549e14b5ac9a89218b31aeb369ee4b98407e4e74f2d768739f",
                measured={
                    "parameters": 3_206_282,
                    "largest difference from the TFLite interpreter, 24 Kodak photos": 0.013,
                    "mean difference from it": 0.005,
                    "BIQ2021, held-out part of another split, SRCC": 0.669,
                    "FiveK, expert C above input, 25 pairs": "84 %",
                },
                limits="Answers change by a point with the resize method. Maximised over tone "
                "settings it moves away from a retoucher's choice in 25 of 25 photos.",
            ),
            f"{_FOLDER}/aesthetic_model.tflite",
        ),
        Published(
            ModelCard(
                name="idealo-technical",
                architecture=Architecture("mobilenet_v1", {"folded": True, "same": True}),
                preprocess=_KERAS,
                summary="Published NIMA for technical quality: a reference.",
                origin=f"{_IDEALO}{_MIRROR}, technical_model.tflite",
                licence="Apache-2.0",
                training_data="TID2013: 25 photos, 24 kinds of damage at 5 levels",
                source_sha256="c5ed895dcd58ac0e23b9057118c184cd3a9ee78182547ac8ebaf7492ab9f52f2",
                measured={
                    "parameters": 3_206_282,
                    "largest difference from the TFLite interpreter, 24 Kodak photos": 0.035,
                    "mean difference from it": 0.010,
                    "BIQ2021, held-out part of another split, SRCC": 0.269,
                    "FiveK, expert C above input, 25 pairs": "52 %",
                },
                limits="Blind to contrast: a copy with half of it scores lower in 41 % of photos. "
                "Judges little beyond the 25 photos it learned from.",
            ),
            f"{_FOLDER}/technical_model.tflite",
        ),
    )
}


def cache_folder() -> Path:
    """Where fetched scorers lie: SCORERS_CACHE, else the user's cache folder (XDG)."""
    if named := os.environ.get("SCORERS_CACHE"):
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "scorers"


def list_scorers() -> list[str]:
    """Names that `load` takes right now: embedded ones, then fetched ones."""
    embedded = sorted(path.stem for path in EMBEDDED.glob("*.safetensors"))
    fetched = sorted(
        name for name in PUBLISHED if (cache_folder() / f"{name}.safetensors").is_file()
    )
    return embedded + fetched


def load(name: str | Path) -> Scorer:
    """Load a scorer, frozen and ready.

    Args:
        name: one of `list_scorers()`, or a path: ``.safetensors`` written by `Scorer.save`,
            a published ``.tflite`` of idealo's, or a ``.pth`` state dict whose architecture
            can be recognised (its photos are then shown the usual ImageNet way: bilinear,
            antialiased, 224x224).

    Raises:
        UnknownNameError: no such name; says the nearest one.
        WeightsError: a file is missing, damaged, or of another kind, or a published scorer has
            not been fetched.
    """
    text = str(name)
    if isinstance(name, Path) or text.endswith(_FILES) or os.sep in text:
        return load_file(text)
    path = find(text)
    scorer = load_file(path)
    if path.parent == EMBEDDED:
        scorer.card = _card_beside(scorer, path)
    return scorer


def find(name: str) -> Path:
    """The file of an embedded or fetched scorer.

    Raises:
        UnknownNameError: no such name; says the nearest one.
        WeightsError: it is a published scorer that has not been fetched.
    """
    if (embedded := EMBEDDED / f"{name}.safetensors").is_file():
        return embedded
    if name not in PUBLISHED:
        raise unknown_name("scorer", name, {*list_scorers(), *PUBLISHED})
    fetched = cache_folder() / f"{name}.safetensors"
    if not fetched.is_file():
        raise WeightsError(f"{name} is not on this machine; run: scorers fetch {name}")
    return fetched


def load_file(path: str | Path) -> Scorer:
    """Load a scorer from a file of any kind that `load` takes."""
    # the caller's modes and randomness are no business of what is loaded: networks draw weights
    # before they are filled
    with torch.inference_mode(False), torch.random.fork_rng([]):
        return _from_file(Path(path)).float()


def _from_file(path: Path) -> Scorer:
    if path.suffix == ".tflite":
        return _from_tflite(path)
    if path.suffix in (".pth", ".pt"):
        network, architecture = load_torch_state(path)
        buckets = tuple(float(rating) for rating in range(1, network.head.out_features + 1))
        card = ModelCard(path.stem, architecture, _imagenet(architecture), buckets)
        return Scorer(network, replace(card, sha256=sha256_of(path)))
    if path.suffix != ".safetensors" and path.is_file():
        raise WeightsError(f"cannot read {path}: its name must end in one of {', '.join(_FILES)}")
    state, card = read_weights(path)
    try:
        network = card.architecture.build(len(card.buckets))
    except (InputError, UnknownNameError, TypeError) as error:  # of options that are no mapping
        raise WeightsError(f"cannot read {path}: its card names no network: {error}") from error
    load_state(network, state, path)
    return Scorer(network, card)


def _from_tflite(path: Path) -> Scorer:
    network = load_tflite(path)
    digest = sha256_of(path)
    known = next((p.card for p in PUBLISHED.values() if p.card.source_sha256 == digest), None)
    architecture = Architecture("mobilenet_v1", {"folded": True, "same": True})
    buckets = tuple(float(rating) for rating in range(1, network.head.out_features + 1))
    card = known or ModelCard(path.stem, architecture, _KERAS, buckets, source_sha256=digest)
    return Scorer(network, replace(card, sha256=digest))


def _imagenet(architecture: Architecture) -> Preprocess:
    if architecture.backbone == "inception_v2":
        raise WeightsError(
            "BN-Inception state dicts disagree on channel order and range; load the weights with "
            "scorers.convert.torch_state and state a Preprocess in a ModelCard"
        )
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    return Preprocess(224, "bilinear", antialias=True, mean=mean, std=std)


def embed(scorer: Scorer, folder: Path = EMBEDDED) -> Path:
    """Store a scorer with int8 weights under its card's name, and its card beside it.

    The card beside it states the hash that the file itself cannot, and is what people read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{scorer.card.name}.safetensors"
    scorer.save(path, precision="int8")
    card = replace(scorer.card, sha256=sha256_of(path))
    path.with_suffix(".json").write_text(card.to_json() + "\n", encoding="utf-8")
    return path


def _card_beside(scorer: Scorer, path: Path) -> ModelCard:
    """The card beside an embedded file, which also holds what was measured once it existed.

    It states the file's hash: a damaged install must not score.
    """
    beside = path.with_suffix(".json")
    try:
        card = ModelCard.from_json(beside.read_text(encoding="utf-8"))
    except OSError as error:
        raise WeightsError(f"cannot read {beside}: {error.strerror or error}") from error
    if card.sha256 != scorer.card.sha256:
        raise WeightsError(f"{path} is not the file its card states: sha256 differs")
    return card
