"""The predictor: an answer for every photo, within bounds, which the scorer must confirm."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor

import enhance
from enhance.operators.registry import get
from enhance.tuning import predictor
from enhance.tuning.cost import leaving_cost
from enhance.tuning.predictor import (
    Predictor,
    embedded,
    predict,
    save_predictor,
    trunk,
)
from enhance.tuning.space import Space
from scorers.convert.tflite import load_tflite

PHOTO = torch.rand(1, 3, 48, 64, generator=torch.Generator().manual_seed(0))


def prefers_light(images: Tensor) -> Tensor:
    return images.mean((1, 2, 3))


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of predictors in place of the embedded one; it is asked afresh."""
    monkeypatch.setattr(predictor, "WEIGHTS", tmp_path)
    embedded.cache_clear()
    yield tmp_path
    embedded.cache_clear()


def embed_answer(folder: Path, answer: list[float]) -> None:
    """A predictor for the Laplacian whose answer is the same for every photo."""
    space = Space.of(get("laplacian"))
    network = Predictor(space.names, space.defaults().tolist())
    with torch.no_grad():
        network.answer.bias.copy_(torch.tensor(answer))
    save_predictor(network, folder / "laplacian.safetensors")


def test_an_untrained_network_answers_the_default_setting() -> None:
    space = Space.of(get("laplacian"))
    network = Predictor(space.names, space.defaults().tolist()).eval()
    points = network(PHOTO).points[0].double()
    torch.testing.assert_close(points, space.defaults(), atol=1e-6, rtol=0)


def test_a_saved_predictor_comes_back(weights: Path) -> None:
    embed_answer(weights, [0.0, 0.5, 1.0, 2.0])
    network = embedded("laplacian")
    assert network is not None
    assert network.names == Space.of(get("laplacian")).names
    assert not network.training
    assert network(PHOTO).benefit.item() == pytest.approx(20)


def test_an_operator_without_a_predictor_has_no_prediction(weights: Path) -> None:
    operator = get("laplacian")
    assert predict(operator, Space.of(operator), PHOTO) is None
    with pytest.raises(enhance.EnhanceError, match="none was trained for laplacian"):
        enhance.tune(PHOTO, "laplacian", prefers_light, strategy="instant")


@pytest.mark.parametrize("benefit", [-0.1, 0.1])
def test_the_answer_is_taken_whatever_is_expected_of_it(weights: Path, benefit: float) -> None:
    embed_answer(weights, [1.0, 1.0, 1.0, benefit])
    space = Space.of(get("laplacian"))
    point = predict(get("laplacian"), space, PHOTO)
    assert point is not None
    assert bool((point > space.defaults()).all())


def test_narrowed_bounds_and_fixed_values_are_respected(weights: Path) -> None:
    embed_answer(weights, [0.0, 0.0, 4.0, 1.0])  # bright, as far as it goes
    space = Space.of(get("laplacian"), {"detail": 1.0}, {"brightness": (-0.5, 0.25)})
    point = predict(get("laplacian"), space, PHOTO)
    assert point is not None
    assert space.describe(point)["brightness"] == pytest.approx(0.25)
    assert "detail" not in space.describe(point)


def test_instant_takes_the_answer_that_the_scorer_confirms(weights: Path) -> None:
    embed_answer(weights, [0.0, 0.0, 1.0, 1.0])
    taken = enhance.tune(PHOTO, "laplacian", prefers_light, strategy="instant")
    assert len(taken.history) == 2
    assert taken.candidate["brightness"] > 0.2


def test_instant_leaves_a_photo_that_the_answer_would_make_worse(weights: Path) -> None:
    embed_answer(weights, [0.0, 0.0, -1.0, 1.0])  # darker, which this scorer dislikes
    refused = enhance.tune(PHOTO, "laplacian", prefers_light, strategy="instant")
    assert refused.verdict == "untouched"


def test_leaving_costs_from_the_centre_that_is_named() -> None:
    operator = get("laplacian")
    space = Space.of(operator)
    centre = {"detail": 1.0, "shadow": 0.2, "brightness": -0.3}
    cost = leaving_cost(operator, space, centre)
    assert cost is not None
    assert float(cost(space.to_unit(centre)[None])) == pytest.approx(0, abs=1e-12)
    assert float(cost(space.defaults()[None])) > 0


def test_the_embedded_predictor_is_small_and_stays_in_bounds() -> None:
    path = predictor.WEIGHTS / "laplacian.safetensors"
    assert path.stat().st_size < 3e6
    operator = get("laplacian")
    point = predict(operator, Space.of(operator), PHOTO)
    assert point is not None
    assert bool(((point >= 0) & (point <= 1)).all())


def test_the_scorer_still_has_the_trunk_that_the_predictors_learned_on(shared: Path) -> None:
    """A tone scorer with other features would leave the predictors blind, without an error."""
    path = shared / "weights" / "idealo_mobilenet_aesthetic.int8.tflite"
    published = load_tflite(path).get_submodule("backbone.features").state_dict()
    for name, value in trunk().features.state_dict().items():
        torch.testing.assert_close(value, published[name], rtol=2e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("operator", "bounds"),
    [
        ("tone", {"pivot": (0.4, 0.6)}),
        ("laplacian", {"h": (0.1, 0.2)}),
        ("laplacian", {"dilation": (1, 8)}),
    ],
)
def test_parameters_that_it_does_not_know_may_be_searched(operator: str, bounds: dict) -> None:
    chosen = get(operator)
    space = Space.of(chosen, bounds=bounds)
    answer = predict(chosen, space, PHOTO)
    assert answer is not None
    described, spec = space.describe(answer), chosen.parameters_spec
    known = Space.of(chosen)
    alone = predict(chosen, known, PHOTO)
    assert alone is not None
    (name,) = bounds
    low, high = bounds[name]
    assert described.pop(name) == min(max(spec[name].default, low), high)
    assert described == known.describe(alone)
