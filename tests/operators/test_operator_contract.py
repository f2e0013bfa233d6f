"""Parameters, settings and the registry: names, bounds, errors."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import EntryPoint
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from enhance.errors import EnhanceError, ImageError, ParameterError, UnknownNameError
from enhance.operators import registry
from enhance.operators.base import Operator, Parameter, Settings
from enhance.operators.chain import Chain
from enhance.operators.laplacian import Laplacian
from enhance.operators.registry import get

BUILT_IN = sorted(registry._BUILT_IN)


class Gain(Operator[Tensor]):
    name = "gain"
    summary = "multiplies"
    identity: Mapping[str, float] | None = {}
    parameters_spec: Mapping[str, Parameter] = {"gain": Parameter(0, 1, 1, "factor")}

    def analyse(
        self,
        image: Tensor,
        settings: Settings | None = None,
        *,
        extent: tuple[int, int] | None = None,
    ) -> Tensor:
        return image

    def render(self, layers: Tensor, settings: Settings) -> Tensor:
        return layers * settings["gain"][..., None, None, None]


@pytest.fixture
def clean_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_registered", {})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"low": 0, "high": 1, "default": 2}, r"`low <= default <= high` must hold.*default=2"),
        ({"low": 0, "high": 1, "default": 0, "scale": "log"}, r"`low > 0` must hold.*low=0"),
        ({"low": 0, "high": 1, "default": 0, "levels": 0}, r"`levels >= 1` must hold.*levels=0"),
        ({"levels": 2.5}, "levels must be a whole number, got 2.5"),
        ({"low": -float("inf")}, "low must be a finite number, got -inf"),
        ({"high": float("nan")}, "high must be a finite number, got nan"),
        ({"low": "0"}, "low must be a finite number, got '0'"),
        ({"default": None}, "default must be a finite number, got None"),
        ({"grid": (0, float("inf"))}, r"grid\[1\] must be a finite number, got inf"),
        ({"grid": ("a",)}, r"grid\[0\] must be a finite number, got 'a'"),
        ({"default": 0.5, "integer": True}, "default of a whole-number .* whole, got 0.5"),
        ({"low": -0.5, "integer": True}, "low of a whole-number parameter .* got -0.5"),
        ({"grid": (0, 0.5), "integer": True}, r"grid\[1\] of a whole-number .* got 0.5"),
        ({"scale": "lin"}, "scale must be linear or log, got 'lin'"),
        ({"stage": "x"}, "stage must be analyse or render, got 'x'"),
    ],
)
def test_a_parameter_that_contradicts_itself_is_refused(
    arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ParameterError, match=message) as caught:
        Parameter(**{"low": 0, "high": 1, "default": 0, "doc": "", **arguments})
    assert "\n" not in str(caught.value)


def test_numbers_of_numpy_are_bounds_too() -> None:
    parameter = Parameter(np.float32(0), np.int64(4), 1, "", levels=np.int64(3), integer=True)  # type: ignore[arg-type]
    parameter.check("x", 4)


@pytest.mark.parametrize("value", [7.0, -1.001, float("nan"), float("inf")])
def test_a_value_out_of_bounds_is_named_with_its_rule(value: float) -> None:
    with pytest.raises(ParameterError, match=r"detail must lie in \[-1, 5\], got " + str(value)):
        Laplacian().complete({"detail": value})


def test_one_bad_value_in_a_batch_is_found() -> None:
    with pytest.raises(ParameterError, match="got 6"):
        Laplacian().complete({"detail": torch.tensor([0.0, 6.0, 1.0])})


def test_whole_numbers_are_asked_for() -> None:
    with pytest.raises(ParameterError, match=r"dilation must be a whole number, got 1\.5"):
        Laplacian().complete({"dilation": 1.5})


def test_a_whole_number_that_is_none_is_named_among_others() -> None:
    with pytest.raises(ParameterError, match=r"dilation must be a whole number, got 1\.5"):
        Laplacian().complete({"dilation": torch.tensor([1.0, 2.0, 1.5])})


@pytest.mark.parametrize("name", BUILT_IN)
def test_no_number_at_all_is_refused_by_name(name: str) -> None:
    operator = get(name)
    for parameter in operator.parameters_spec:
        for nothing in (torch.tensor([]), []):
            with pytest.raises(ParameterError, match=f"^{parameter} must hold at least one number"):
                operator(torch.rand(1, 3, 4, 4), **{parameter: nothing})  # type: ignore[arg-type]


def test_bounds_in_float32_are_inside() -> None:
    high = torch.tensor(0.1)  # a little more than 0.1 in float64
    Parameter(0, 0.1, 0, "").check("x", high)


@pytest.mark.parametrize(
    ("low", "high", "value"),
    [(1e-3, 1e4, -0.005), (1e-3, 1e4, 9e-4), (0, 1e6, -0.9), (0, 1e6, -1e-9), (-1e6, 0, 0.5)],
)
def test_a_far_bound_makes_no_room_at_the_near_one(low: float, high: float, value: float) -> None:
    with pytest.raises(ParameterError, match=f"must lie in .*, got {value}"):
        Parameter(low, high, high, "").check("x", value)


@pytest.mark.parametrize("name", ["extent", "image", "self", "value"])
def test_names_that_calls_need_are_refused_when_a_class_is_made(name: str) -> None:
    spec = {name: Gain.parameters_spec["gain"]}
    with pytest.raises(ParameterError, match=f"^a parameter must not be called {name}: "):
        type("Odd", (Gain,), {"parameters_spec": spec})

    class Late(Gain):
        def __init__(self) -> None:
            super().__init__()
            self.parameters_spec = spec

    with pytest.raises(ParameterError, match=f"^a parameter must not be called {name}: "):
        Chain([Late()])


def test_an_unknown_parameter_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'detail'"):
        Laplacian()(torch.rand(1, 3, 4, 4), detial=1.0)


@pytest.mark.parametrize(
    "image",
    [
        torch.rand(3, 4, 4),
        torch.rand(1, 4, 4, 4),
        torch.rand(1, 3, 0, 4),
        torch.zeros(1, 3, 4, 4, dtype=torch.uint8),
    ],
    ids=["no batch", "four channels", "no rows", "bytes"],
)
def test_what_is_no_image_is_refused(image: Tensor) -> None:
    with pytest.raises(ImageError, match="an image must"):
        Laplacian()(image)


def test_settings_take_the_images_dtype() -> None:
    complete = Laplacian().complete({"detail": 1}, like=torch.rand(1, 3, 2, 2).double())
    assert {value.dtype for value in complete.values()} == {torch.float64}
    assert set(complete) == set(Laplacian.parameters_spec)


@pytest.mark.usefixtures("clean_registry")
def test_a_registered_operator_is_found() -> None:
    assert registry.register(Gain) is Gain
    assert "gain" in registry.list_operators()
    assert isinstance(registry.get("gain"), Gain)
    assert registry.get("gain") is not registry.get("gain")
    registry.register(Gain)  # again, as when a notebook cell is run twice


@pytest.mark.usefixtures("clean_registry")
def test_a_taken_name_and_non_operators_are_refused() -> None:
    class Impostor(Gain):
        name = "laplacian"

    class Nameless(Gain):
        name = ""

    with pytest.raises(ParameterError, match=r"'laplacian' is enhance\.operators\.laplacian"):
        registry.register(Impostor)
    with pytest.raises(ParameterError, match=r"must have a name, got .*Nameless"):
        registry.register(Nameless)
    with pytest.raises(ParameterError, match="must be a subclass of Operator"):
        registry.register(dict)  # type: ignore[arg-type]


@pytest.mark.usefixtures("clean_registry")
def test_operators_of_installed_packages_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    offered = EntryPoint("offered", f"{__name__}:Gain", registry.GROUP)

    def entry_points(group: str, name: str = "offered") -> list[EntryPoint]:
        return [offered] if (group, name) == (registry.GROUP, "offered") else []

    sys.modules.setdefault(__name__, sys.modules[Gain.__module__])
    monkeypatch.setattr(registry, "entry_points", entry_points)
    assert "offered" in registry.list_operators()
    assert isinstance(registry.get("offered"), Operator)


def test_an_unknown_operator_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="unknown operator 'turbi'; did you mean 'turbo'"):
        registry.get("turbi")
    with pytest.raises(KeyError):
        registry.get("")
    with pytest.raises(EnhanceError):
        registry.get("nothing like it")


def test_the_room_is_light() -> None:
    heavy = "{'kornia', 'scipy', 'optuna', 'PIL', 'pandas', 'matplotlib', 'cv2', 'skimage'}"
    code = f"import sys, enhance.operators; print(sorted({heavy} & set(sys.modules)))"
    seen = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert seen.stdout.strip() == "[]"


@pytest.mark.parametrize("name", ["contrast", "laplacian", "turbo", "unsharp", "nlm"])
def test_settings_that_fit_no_batch_are_named_with_their_shape(name: str) -> None:
    operator = get(name)
    parameter = next(iter(operator.parameters_spec))
    value = torch.full((3,), float(operator.parameters_spec[parameter].default))
    with pytest.raises(
        ParameterError, match=rf"{parameter} must have a shape .*, \(2,\), got \(3,\)"
    ):
        operator(torch.rand(2, 3, 8, 8), **{parameter: value})
