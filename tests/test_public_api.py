"""What a user imports exists, is lazy, and says what it is."""

from __future__ import annotations

import inspect

import pytest

import enhance


@pytest.mark.parametrize("name", enhance.__all__)
def test_public_names_resolve_and_are_documented(name: str) -> None:
    assert inspect.getdoc(getattr(enhance, name))
    assert name in dir(enhance)


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
        if inspect.isclass(value) and issubclass(value, Exception):
            assert issubclass(value, enhance.EnhanceError)
    assert issubclass(enhance.ParameterError, ValueError)
    assert issubclass(enhance.UnknownNameError, KeyError)
    assert issubclass(enhance.ReadError, OSError)
