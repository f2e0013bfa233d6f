from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from enhance.errors import ParameterError, UnknownNameError
from enhance.operators.base import Parameter
from enhance.operators.registry import get
from enhance.tuning.space import MAX_GRID, Space, grid_nodes

WIDTH = Parameter(0.5, 8, 1, "", scale="log")
COUNT = Parameter(1, 9, 3, "", integer=True)
TONE = Parameter(-1, 2, 0, "")
SPACE = Space({"width": WIDTH, "count": COUNT, "tone": TONE}, {"other": 0.25})


def test_laplacian_grid_is_the_papers_with_the_identity_on_it() -> None:
    space = Space.of(get("laplacian"))
    grid = space.grid()
    assert grid.shape == (6 * 11 * 11, 3)
    settings = space.settings(grid)
    zero = [(settings[name].abs() < 1e-12) for name in ("detail", "shadow", "brightness")]
    assert int((zero[0] & zero[1] & zero[2]).sum()) == 1


@given(st.floats(0.5, 8), st.integers(1, 9), st.floats(-1, 2))
def test_unit_cube_and_back(width: float, count: int, tone: float) -> None:
    point = SPACE.to_unit({"width": width, "count": count, "tone": tone})
    assert ((point >= 0) & (point <= 1)).all()
    settings = SPACE.settings(point[None])
    assert settings["width"].item() == pytest.approx(width, rel=1e-12)
    assert settings["count"].item() == count
    assert settings["tone"].item() == pytest.approx(tone, abs=1e-12)
    assert settings["other"].item() == 0.25
    described = SPACE.describe(point)
    assert described["tone"] == pytest.approx(tone, abs=1e-6)
    for name, parameter in SPACE.varying.items():
        parameter.check(name, described[name])


def test_log_scale_puts_the_geometric_mean_in_the_middle() -> None:
    assert SPACE.settings(torch.full((1, 3), 0.5).double())["width"].item() == pytest.approx(2)


def test_gradient_flows_to_smooth_parameters_also_on_the_faces() -> None:
    points = torch.tensor([[0.0, 0.5, 1.0], [1.0, 0.5, 0.0]], requires_grad=True)
    settings = SPACE.settings(points)
    (settings["width"] + settings["tone"]).sum().backward()
    assert points.grad is not None
    assert (points.grad[:, [0, 2]] > 0).all()


def test_smooth_only_without_whole_numbers() -> None:
    assert not SPACE.smooth
    assert Space({"tone": TONE}, {}).smooth


def test_fixed_and_bounds_are_kept_everywhere() -> None:
    space = Space.of(get("laplacian"), {"brightness": 0.3}, {"detail": (0.5, 2)})
    assert space.names == ("detail", "shadow")
    assert space.constant["brightness"] == 0.3
    settings = space.settings(space.grid())
    assert settings["detail"].min() == 0.5
    assert settings["detail"].max() == 2
    assert (settings["brightness"] == 0.3).all()


def test_bounds_of_an_untuned_parameter_tune_it() -> None:
    space = Space.of(get("laplacian"), bounds={"h": (0.1, 0.2)})
    assert "h" in space.names


def test_nothing_varies() -> None:
    space = Space({}, {"tone": 0.5})
    assert space.grid().shape == (1, 0)
    assert space.settings(space.grid())["tone"].tolist() == [0.5]


@pytest.mark.parametrize(
    ("fixed", "bounds", "error", "message"),
    [
        ({"detial": 1}, {}, UnknownNameError, "did you mean 'detail'"),
        ({}, {"shadows": (0, 1)}, UnknownNameError, "did you mean 'shadow'"),
        ({"detail": 7}, {}, ParameterError, r"detail must lie in \[-1, 5\], got 7"),
        ({}, {"detail": (0, 7)}, ParameterError, r"detail must lie in \[-1, 5\], got 7"),
        ({}, {"detail": (2, 1)}, ParameterError, r"low <= high.*low=2, high=1"),
        ({}, {"detail": 3}, ParameterError, r"must be \(low, high\), got 3"),
        ({"detail": 1}, {"detail": (0, 1)}, ParameterError, "either fixed or bounded"),
        ({"detail": float("nan")}, {}, ParameterError, "got nan"),
        ({"detail": "high"}, {}, ParameterError, "detail must be a number, got 'high'"),
        ({"detail": None}, {}, ParameterError, "detail must be a number, got None"),
        ({"detail": [1, 2]}, {}, ParameterError, r"detail must be one number, got \[1, 2\]"),
        ("detail", {}, ParameterError, "fixed must map names to numbers, got 'detail'"),
        ({}, ["detail"], ParameterError, r"bounds must map names to \(low, high\)"),
        ({3: 1}, {}, UnknownNameError, "unknown laplacian parameter 3"),
    ],
)
def test_wrong_fixed_or_bounds(fixed, bounds, error, message) -> None:
    with pytest.raises(error, match=message):
        Space.of(get("laplacian"), fixed, bounds)


def test_a_grid_too_large_is_refused_with_its_size() -> None:
    many = {f"p{i}": TONE for i in range(5)}
    with pytest.raises(ParameterError, match=rf"at most {MAX_GRID} settings, got \d+"):
        Space(many, {}).grid()


@given(st.floats(-1, 0), st.floats(0.1, 2))
def test_nodes_hold_bounds_and_default(low: float, high: float) -> None:
    nodes = grid_nodes(Parameter(low, high, 0, "", grid=(-1, -0.5, 0, 0.5, 2)))
    assert {low, 0, high} <= set(nodes)
    assert nodes == sorted(set(nodes))
    assert low <= nodes[0] <= nodes[-1] <= high


def test_nodes_of_whole_numbers_are_whole_and_different() -> None:
    nodes = grid_nodes(Parameter(1, 4, 2, "", integer=True, levels=11))
    assert nodes == [1, 2, 3, 4]


@pytest.mark.parametrize(
    "parameter",
    [Parameter(1e-8, 1e-6, 1e-7, "", scale="log"), Parameter(-2e-7, 3e-7, 0, "")],
)
def test_settings_of_a_small_range_are_told_apart(parameter: Parameter) -> None:
    space = Space({"small": parameter}, {})
    points = torch.linspace(0, 1, 11, dtype=torch.float64)[:, None]
    described = [space.describe(point)["small"] for point in points]
    assert len(set(described)) == 11
    for point, value in zip(points, described, strict=True):
        assert space.to_unit({"small": value}).item() == pytest.approx(point.item(), abs=1e-3)
