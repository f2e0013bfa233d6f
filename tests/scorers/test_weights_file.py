"""Weight files and the zoo: they describe themselves, and nothing damaged is ever loaded."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

import scorers
from scorers import zoo
from scorers.card import Architecture, ModelCard
from scorers.errors import ScorerError, UnknownNameError, WeightsError
from scorers.preprocess import Preprocess
from scorers.scorer import Scorer
from scorers.weights_file import replacing, sha256_of


def contiguous_state(scorer: Scorer) -> dict[str, torch.Tensor]:
    """A state dict that `save_file` takes as it is."""
    return {name: tensor.contiguous() for name, tensor in scorer.network.state_dict().items()}


def test_a_saved_scorer_comes_back_whole(scorer: Scorer, tmp_path: Path) -> None:
    path = tmp_path / "mine.safetensors"
    scorer.save(path)
    copy = scorers.load(path)
    image = torch.rand(2, 3, 40, 50)
    assert torch.equal(copy(image), scorer(image))
    assert copy.card == replace(scorer.card, sha256=sha256_of(path))
    assert [p.name for p in tmp_path.iterdir()] == ["mine.safetensors"]


def test_the_same_scorer_is_the_same_file(scorer: Scorer, tmp_path: Path) -> None:
    """One scorer has one sha256, whatever its card says, and whatever way it came by."""
    said = 'línea ✓ \u2028 "quoted" \\ \b\x1f\x7f\n'
    told = Scorer(scorer.network, replace(scorer.card, summary=said))
    files = {}
    for number in range(20):
        path = tmp_path / f"{number}.safetensors"
        (told if number % 2 else scorers.load(tmp_path / "0.safetensors") if number else told).save(
            path
        )
        files[path.read_bytes()] = path
    assert len(files) == 1
    (path,) = files.values()
    assert scorers.load(path).card == replace(told.card, sha256=sha256_of(path))
    length = int.from_bytes(path.read_bytes()[:8], "little")
    assert length % 8 == 0


def test_half_precision_halves_the_file_and_keeps_the_score(scorer: Scorer, tmp_path: Path) -> None:
    scorer.save(tmp_path / "full.safetensors")
    scorer.save(tmp_path / "half.safetensors", precision="float16")
    full, half = ((tmp_path / f"{n}.safetensors").stat().st_size for n in ("full", "half"))
    assert half < 0.6 * full
    copy = scorers.load(tmp_path / "half.safetensors")
    assert all(parameter.dtype == torch.float32 for parameter in copy.parameters())
    image = torch.rand(2, 3, 32, 32)
    torch.testing.assert_close(copy(image), scorer(image), atol=0.02, rtol=0)


def test_batch_norm_counters_survive_half_precision(tmp_path: Path) -> None:
    card = ModelCard("bn", Architecture("mobilenet_v2", {"width": 0.1}), Preprocess(size=32))
    scorer = Scorer.untrained(card)
    scorer.save(tmp_path / "bn.safetensors", precision="float16")
    state = scorers.load(tmp_path / "bn.safetensors").network.state_dict()
    assert state["backbone.features.0.1.num_batches_tracked"].dtype == torch.int64


def test_saving_over_a_file_is_all_or_nothing(
    scorer: Scorer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mine.safetensors"
    scorer.save(path)
    before = path.read_bytes()

    def fail(*_: object) -> None:
        raise RuntimeError("disk on fire")

    monkeypatch.setattr("safetensors.torch.save_file", fail)
    with pytest.raises(RuntimeError, match="disk on fire"):
        scorer.save(path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["mine.safetensors"]


def test_an_unknown_precision_and_a_folder_are_refused(scorer: Scorer, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"precision must be one of .*, got 'float64'"):
        scorer.save(tmp_path / "mine.safetensors", precision="float64")  # type: ignore[arg-type]
    with pytest.raises(WeightsError, match="it is a folder"):
        scorer.save(tmp_path)
    assert not list(tmp_path.iterdir())


def test_loading_leaves_the_callers_randomness_and_modes_alone(
    scorer: Scorer, tmp_path: Path
) -> None:
    path = tmp_path / "mine.safetensors"
    scorer.save(path)
    torch.manual_seed(0)
    drawn = torch.rand(1)
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)
    try:
        with torch.inference_mode():
            loaded = scorers.load(path)
    finally:
        torch.set_default_dtype(torch.float32)
    assert torch.equal(torch.rand(1), drawn)
    image = torch.rand(1, 3, 32, 32, requires_grad=True)
    loaded(image).sum().backward()  # no weight is an inference tensor, or float64
    assert image.grad is not None


def test_an_unwritable_target_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(WeightsError, match=r"cannot write .*mine\.safetensors"),
        replacing(tmp_path / "nowhere" / "mine.safetensors"),
    ):
        pass


@pytest.mark.parametrize("kept", [0, 4, 8, 100, 2000, -1])
def test_a_truncated_file_is_refused(scorer: Scorer, tmp_path: Path, kept: int) -> None:
    scorer.save(tmp_path / "whole.safetensors")
    short = tmp_path / "short.safetensors"
    short.write_bytes((tmp_path / "whole.safetensors").read_bytes()[:kept])
    with pytest.raises(WeightsError, match=r"short\.safetensors: not a safetensors file") as caught:
        scorers.load(short)
    assert "\n" not in str(caught.value)


def test_files_that_are_no_scorers_are_refused(scorer: Scorer, tmp_path: Path) -> None:
    other = tmp_path / "other.safetensors"
    save_file({"weight": torch.zeros(3)}, other)
    with pytest.raises(WeightsError, match="its format is none, not nima-scorer/1"):
        scorers.load(other)
    save_file({"weight": torch.zeros(3)}, other, {"format": "nima-scorer/9"})
    with pytest.raises(WeightsError, match="its format is nima-scorer/9"):
        scorers.load(other)
    text = tmp_path / "notes.txt"
    text.write_text("not weights")
    with pytest.raises(WeightsError, match="must end in one of"):
        scorers.load(text)
    with pytest.raises(WeightsError, match=r"nowhere\.safetensors: No such file"):
        scorers.load(tmp_path / "nowhere.safetensors")
    with pytest.raises(WeightsError, match="Is a directory"):
        scorers.load(tmp_path)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda c: c | {"architecture": {"backbone": "mobilenet_v9"}}, "unknown backbone"),
        (lambda c: c | {"buckets": [1, 2, 3]}, r"head.weight is \(10, 256\).* needs \(3, 256\)"),
        (lambda c: c | {"colour": "red"}, "unknown field 'colour'"),
        (lambda c: c | {"preprocess": {"method": "magic"}}, "'magic'"),
        (lambda c: {k: v for k, v in c.items() if k != "architecture"}, "architecture"),
        (lambda c: c | {"architecture": {"backbone": "mobilenet_v1"}}, "folded|holds no|needs"),
        (lambda _: [], "card cannot be read"),
        (lambda c: c | {"buckets": [3, 1, 2]}, "buckets must be finite and ascending"),
        (
            lambda c: c | {"architecture": {"backbone": "mobilenet_v1", "options": {"width": "a"}}},
            r"cannot read .*odd\.safetensors: its card names no network",
        ),
        (
            lambda c: c | {"architecture": {"backbone": "mobilenet_v1", "options": []}},
            r"cannot read .*odd\.safetensors: its card names no network",
        ),
    ],
)
def test_a_card_that_does_not_fit_is_refused(
    scorer: Scorer, tmp_path: Path, change: Callable[[dict[str, object]], object], rule: str
) -> None:
    card = change(json.loads(scorer.card.to_json()))
    path = tmp_path / "odd.safetensors"
    metadata = {"format": "nima-scorer/1", "card": json.dumps(card)}
    save_file(contiguous_state(scorer), path, metadata)
    with pytest.raises(ScorerError, match=rule) as caught:
        scorers.load(path)
    assert "\n" not in str(caught.value)


def test_missing_and_surplus_tensors_are_named(scorer: Scorer, tmp_path: Path) -> None:
    path = tmp_path / "odd.safetensors"
    metadata = {"format": "nima-scorer/1", "card": scorer.card.to_json()}
    state = contiguous_state(scorer)
    save_file({k: v for k, v in state.items() if k != "head.bias"}, path, metadata)
    with pytest.raises(WeightsError, match=r"it holds no head\.bias"):
        scorers.load(path)
    save_file(state | {"extra": torch.zeros(1)}, path, metadata)
    with pytest.raises(WeightsError, match="no place for extra"):
        scorers.load(path)


def test_embedded_scorers_load_by_name_and_are_checked(
    scorer: Scorer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zoo, "EMBEDDED", tmp_path)
    path = zoo.embed(scorer, tmp_path)
    assert scorers.list_scorers() == ["tiny"]
    assert scorers.load("tiny").card.sha256 == sha256_of(path)
    stated = ModelCard.from_json(path.with_suffix(".json").read_text())
    assert stated == scorers.load("tiny").card
    shutil.copy(path, tmp_path / "other.safetensors")
    with pytest.raises(WeightsError, match=r"other\.json"):
        scorers.load("other")
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(WeightsError, match="sha256 differs"):
        scorers.load("tiny")


def test_every_embedded_scorer_is_sound() -> None:
    for path in zoo.EMBEDDED.glob("*.safetensors"):
        scorer = scorers.load(path.stem)
        assert scorer.card.name == path.stem
        assert scorer.card.licence
        assert scorer.card.training_data
        assert scorer.card.measured
        assert scorer(torch.rand(1, 3, 64, 96)).isfinite().all()


def test_unknown_names_get_the_nearest_one() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'idealo-aesthetic'"):
        scorers.load("idealo-asthetic")


def test_a_published_scorer_says_how_to_get_it() -> None:
    with pytest.raises(WeightsError, match="run: scorers fetch idealo-technical"):
        scorers.load("idealo-technical")


def test_the_public_interface_is_lazy_and_complete() -> None:
    assert set(scorers.__all__) < set(dir(scorers))
    for name in dir(scorers):  # what users need, and the parts that load when named
        assert getattr(scorers, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'magic'"):
        scorers.magic  # noqa: B018


def test_cards_read_as_pages(scorer: Scorer) -> None:
    page = scorer.card.to_markdown()
    assert page.startswith("# tiny\n")
    assert "| Licence | Apache-2.0 |" in page
    assert "| SRCC | 0.5 |" in page


def test_int8_quarters_the_file_and_nearly_keeps_the_weights(tmp_path: Path) -> None:
    scorer = Scorer.untrained(ModelCard("large", Architecture("mobilenet_v1", {"folded": True})))
    scorer.save(tmp_path / "full.safetensors")
    scorer.save(tmp_path / "small.safetensors", precision="int8")
    full, small = ((tmp_path / f"{n}.safetensors").stat().st_size for n in ("full", "small"))
    assert small < 0.3 * full
    copy = scorers.load(tmp_path / "small.safetensors").network.state_dict()
    for name, weight in scorer.network.state_dict().items():
        if weight.numel() < 2**18:  # the first layers, which the others amplify
            torch.testing.assert_close(copy[name], weight, rtol=1e-3, atol=1e-7)
        else:
            step = weight.flatten(1).abs().amax(1) / 127
            error = (copy[name] - weight).abs().flatten(1).amax(1)
            assert bool((error <= 0.51 * step).all())
