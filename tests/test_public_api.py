"""What a user imports exists, is lazy, and says what it is."""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys
import warnings
from importlib.metadata import version
from pathlib import Path

import pytest
import torch
from PIL import Image

import enhance
import scorers


@pytest.mark.parametrize("name", enhance.__all__)
def test_public_names_resolve_and_are_documented(name: str) -> None:
    assert inspect.getdoc(getattr(enhance, name))
    assert name in dir(enhance)


@pytest.mark.parametrize("package", ["enhance", "scorers"])
def test_everything_that_is_listed_is_there_in_a_fresh_process(package: str) -> None:
    code = f"import {package}\nfor name in dir({package}): getattr({package}, name)"
    subprocess.run([sys.executable, "-c", code], check=True)
    listed = dir(importlib.import_module(package))
    assert not {"Any", "TYPE_CHECKING", "annotations", "import_module"} & set(listed)


def test_the_version_is_that_of_the_package() -> None:
    assert enhance.__version__ == version("enhance-tune")


def test_warnings_point_at_the_caller(tmp_path: Path) -> None:
    photo = Image.new("RGB", (8, 8), "grey")
    photo.info["dpi"] = (70_000, 70_000)  # more than a JPEG can state
    recipe = enhance.Recipe(("laplacian",), {"brightness": 0.2})
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        enhance.apply(photo, recipe, output=tmp_path / "new.jpg")
    assert [warning.category for warning in told] == [enhance.EnhanceWarning]
    assert told[0].filename == __file__


def test_score_takes_photos_of_any_kind() -> None:
    photo = torch.rand(3, 40, 60, generator=torch.Generator().manual_seed(0))
    judge = scorers.load("nima-aesthetic")
    opinion = enhance.score(photo)
    assert opinion.mean == pytest.approx(judge(photo[None]).item(), abs=1e-5)
    assert opinion.std == pytest.approx(judge.std(photo[None]).item(), abs=1e-5)
    assert sum(opinion.shares or ()) == pytest.approx(1, abs=1e-5)
    assert float(enhance.score(photo.numpy().transpose(1, 2, 0), judge)) == opinion.mean
    only_mean = enhance.score(photo, lambda images: images.mean((1, 2, 3)))
    assert (only_mean.std, only_mean.shares) == (None, None)
    with pytest.raises(enhance.UnknownNameError, match="nima-aesthetic"):
        enhance.score(photo, "nima-aesthetics")
    with pytest.raises(enhance.ParameterError, match="device must be"):
        enhance.score(photo, device="nowhere")


def test_unknown_attribute() -> None:
    with pytest.raises(AttributeError, match="no attribute 'tone'"):
        enhance.tone  # noqa: B018


def test_tune_takes_what_the_documentation_says() -> None:
    parameters = inspect.signature(enhance.tune).parameters
    assert set(parameters) == {
        "image",
        "operator",
        "scorer",
        "strategy",
        "crops",
        "seed",
        "fixed",
        "bounds",
        "guards",
        "device",
        "progress",
        "start",
        "storage",
    }


def test_errors_are_one_family_and_what_a_caller_expects() -> None:
    for name in enhance.__all__:
        value = getattr(enhance, name)
        if inspect.isclass(value) and issubclass(value, Exception) and name.endswith("Error"):
            assert issubclass(value, enhance.EnhanceError)
    assert issubclass(enhance.ParameterError, ValueError)
    assert issubclass(enhance.UnknownNameError, KeyError)
    assert issubclass(enhance.ReadError, OSError)
