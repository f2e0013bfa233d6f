"""Black boxes: functions keep the contract of operators, are tuned, and fail in one line."""

from __future__ import annotations

from typing import Any, Literal

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

import enhance
from enhance.errors import ImageError, ParameterError
from enhance.imaging.tiling import apply_tiled
from enhance.operators import registry
from enhance.operators.base import Parameter
from enhance.operators.blackbox import BlackBox, BlackBoxError, black_box
from enhance.testing import OperatorSuite

LIFT = {
    "lift": Parameter(0, 1, 0, "how far tones are lifted"),
    "steps": Parameter(1, 3, 1, "how often", integer=True),
}


def lifted(pixels: np.ndarray, lift: float, steps: int) -> np.ndarray:
    for _ in range(steps):
        pixels = pixels + lift * pixels * (1 - pixels)
    return pixels


Lifted = black_box(lifted, LIFT, name="lifted", depth="float", reach=0, identity={})


class TestFunctionConformance(OperatorSuite):
    def make(self) -> BlackBox:
        return Lifted()


class TestUint8Conformance(OperatorSuite):
    def make(self) -> BlackBox:
        def blur(pixels: np.ndarray, sigma: float) -> np.ndarray:
            return cv2.GaussianBlur(pixels, (5, 5), sigma, borderType=cv2.BORDER_REPLICATE)

        spec = {"sigma": Parameter(0.5, 2, 1, "width", unit="px")}
        return black_box(blur, spec, name="blurred", views="native", reach=2)()


def broken(result: Any) -> BlackBox:
    """An operator whose function gives this back, or raises it."""

    def function(pixels: np.ndarray, lift: float) -> Any:
        if isinstance(result, Exception):
            raise result
        return result

    return black_box(function, {"lift": LIFT["lift"]}, name="broken")()


@pytest.mark.parametrize(
    ("result", "error", "message"),
    [
        (ValueError("no\nluck"), BlackBoxError, "broken failed at lift=0.5: no luck"),
        (np.zeros((4, 5)), ImageError, r"broken must return an image \(4, 5, 3\), got \(4, 5\)"),
        (None, ImageError, r"broken must return an image \(4, 5, 3\), got \(\)"),
        (np.zeros((4, 5, 3), bool), ImageError, "must return uint8, uint16 or floating .* bool"),
        (np.full((4, 5, 3), np.nan), ImageError, "broken must return finite pixels"),
    ],
)
def test_failures_are_one_line(result: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message) as caught:
        broken(result)(torch.rand(1, 3, 4, 5), lift=0.5)
    assert isinstance(caught.value, enhance.EnhanceError)
    assert "\n" not in str(caught.value)


def test_pixels_and_settings_arrive_as_declared(coffee: Tensor) -> None:
    seen: list[Any] = []

    def spy(pixels: np.ndarray, **settings: float) -> np.ndarray:
        seen.append((pixels, settings))
        return pixels

    operator = black_box(spy, LIFT, name="spy")()
    rendered = operator(coffee, lift=0.3, steps=2)
    pixels, settings = seen[0]
    assert (pixels.shape, pixels.dtype) == ((96, 128, 3), np.uint8)
    assert settings == {"lift": 0.3, "steps": 2}
    assert isinstance(settings["steps"], int)
    torch.testing.assert_close(rendered, coffee, atol=1e-6, rtol=0)  # an 8-bit photo all along


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float64])
def test_results_of_any_depth_are_taken(dtype: type) -> None:
    most = 1 if dtype is np.float64 else np.iinfo(dtype).max

    def half(pixels: np.ndarray) -> np.ndarray:
        return np.full(pixels.shape, most / 2).astype(dtype)

    rendered = black_box(half, {}, name="half")()(torch.rand(1, 3, 2, 2))
    assert (rendered - 0.5).abs().max() <= 0.5 / most


@pytest.mark.parametrize("depth", ["float", "uint8"])
@pytest.mark.parametrize(
    "photo",
    [
        torch.full((1, 3, 4, 5), 0.8),
        torch.full((1, 3, 1, 1), 0.8),
        torch.full((1, 4, 5, 3), 0.8).permute(0, 3, 1, 2),  # as an array of pixels lies
        torch.full((2, 3, 4, 5), 0.8).to(memory_format=torch.channels_last),
    ],
    ids=["planes", "one pixel", "pixels", "channels last"],
)
def test_a_function_that_works_in_place_reaches_no_other_rendering(
    photo: Tensor, depth: Literal["float", "uint8"]
) -> None:
    def darken(pixels: np.ndarray, steps: int) -> np.ndarray:
        np.multiply(pixels, 0.5, out=pixels, casting="unsafe")
        return pixels

    photo = photo.clone()  # lies in memory as it did
    operator = black_box(darken, {"steps": LIFT["steps"]}, name="darken", depth=depth)()
    rendered = operator(photo, steps=torch.tensor([[1.0], [2.0], [3.0]]))
    torch.testing.assert_close(rendered, torch.full_like(rendered, 0.4), atol=1e-6, rtol=0)
    assert bool((photo == 0.8).all())


def test_identity_gives_the_input_back_without_a_call() -> None:
    def unwanted(pixels: np.ndarray, lift: float) -> np.ndarray:
        raise AssertionError("called")

    spec = {"lift": LIFT["lift"]}
    operator = black_box(unwanted, spec, name="unwanted", identity={"lift": 0.0})()
    photo = torch.rand(1, 3, 3, 3, dtype=torch.float64)
    assert torch.equal(operator(photo), photo)
    with pytest.raises(BlackBoxError, match="called"):
        operator(photo, lift=0.1)


def test_a_default_that_no_float32_holds_is_the_identity_all_the_same() -> None:
    spec = {"gain": Parameter(0, 1, 1 / 3, "")}
    operator = black_box(lambda pixels, gain: pixels / 2, spec, name="third", identity={})()
    photo = torch.rand(1, 3, 3, 3)
    assert torch.equal(operator(photo), photo)


@pytest.mark.parametrize("value", [2 / 3, 1 / 3, 0.3, 0.1234567890123, 1e-7, 0.0])
def test_numbers_arrive_as_they_were_set(value: float) -> None:
    seen: list[float] = []

    def spy(pixels: np.ndarray, gain: float) -> np.ndarray:
        seen.append(gain)
        return pixels

    operator = black_box(spy, {"gain": Parameter(0, 2 / 3, 0, "")}, name="spy")()
    photo = torch.rand(1, 3, 2, 2)
    operator(photo, gain=value)
    # a float32 stands for the shortest number that becomes it, within the bounds
    operator(photo, gain=torch.tensor(value))
    assert seen[0] == value
    assert np.float32(seen[1]) == np.float32(value)
    assert seen[1] <= 2 / 3
    assert len(repr(seen[1])) <= max(len(repr(value)), 12)


@pytest.mark.parametrize("value", [1234567, 2**24 + 1, 2**40 + 1])
def test_large_whole_numbers_arrive_as_they_were_set(value: int) -> None:
    spec = {"seed": Parameter(0, 2**53, 2**24, "", integer=True)}

    def spy(pixels: np.ndarray, seed: int) -> np.ndarray:
        assert seed == value
        assert isinstance(seed, int)
        return pixels / 2

    operator = black_box(spy, spec, name="spy", depth="float", identity={})()
    photo = torch.rand(1, 3, 2, 2)
    torch.testing.assert_close(operator(photo, seed=value), photo / 2)


@pytest.mark.parametrize("value", [1234567.0, torch.tensor([1234567.0]), 1e40])
def test_large_real_numbers_arrive_as_they_were_set(value: float | Tensor) -> None:
    def spy(pixels: np.ndarray, rate: float) -> np.ndarray:
        assert rate == float(value)
        return pixels

    spec = {"rate": Parameter(0, 1e50, 0, "")}
    operator = black_box(spy, spec, name="spy", identity={})()
    operator(torch.rand(1, 3, 2, 2), rate=value)


@pytest.mark.parametrize("name", ["pixels", "image", "extent", "self", "value"])
def test_parameters_leave_names_to_the_calls_that_need_them(name: str) -> None:
    with pytest.raises(ParameterError, match=f"a parameter must not be called {name}: "):
        black_box(lambda pixels, **settings: pixels, {name: LIFT["lift"]}, name="odd")


def test_without_a_reach_a_large_photo_is_worked_on_as_a_whole() -> None:
    def spread(pixels: np.ndarray) -> np.ndarray:
        return (pixels - pixels.min()) / (pixels.max() - pixels.min())

    operator = black_box(spread, {}, name="spread", depth="float")()
    photo = 0.2 + 0.5 * torch.rand(1, 3, 20, 30)
    tiled = apply_tiled(operator, photo, halo=operator.halo((20, 30)), size=8)
    assert torch.equal(tiled, operator(photo))


def test_is_tuned_without_gradients_and_replayed(
    coffee: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "_registered", dict(registry._registered))
    enhance.register(Lifted)

    def likes_light(images: Tensor) -> Tensor:
        return -20 * (images.mean((1, 2, 3)) - 0.6).abs()

    dark = 0.5 * coffee
    result = enhance.tune(dark, "lifted", likes_light, fixed={"steps": 1}, crops=2)
    assert result.strategy == "bayesian"
    assert result.gain > 0
    assert result.verdict == "enhanced"
    assert torch.equal(enhance.apply(dark, result.recipe), result.image)
