from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enhance.cli.options import find_photos, read_bounds, read_values
from enhance.errors import ParameterError, ReadError

numbers = st.floats(allow_nan=False, allow_infinity=False)
names = st.text(st.characters(categories=["L", "Nd"], include_characters="_."), min_size=1)


@given(st.dictionaries(names, numbers))
def test_values_come_back_as_written(values: dict[str, float]) -> None:
    assert read_values([f"{name}={value!r}" for name, value in values.items()], "--fix") == values


@given(st.dictionaries(names, st.tuples(numbers, numbers)))
def test_bounds_come_back_as_written(bounds: dict[str, tuple[float, float]]) -> None:
    pairs = [f"{name}={low!r}:{high!r}" for name, (low, high) in bounds.items()]
    assert read_bounds(pairs, "--bound") == bounds


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        ("detail", "--fix must be NAME=VALUE, got 'detail'"),
        ("=1", "--fix must be NAME=VALUE, got '=1'"),
        ("detail=much", "--fix needs a number, got 'much' in 'detail=much'"),
        ("detail=", "--fix needs a number, got '' in 'detail='"),
    ],
)
def test_a_bad_value_is_named(pair: str, message: str) -> None:
    with pytest.raises(ParameterError) as caught:
        read_values([pair], "--fix")
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        ("detail", "--bound must be NAME=LOW:HIGH, got 'detail'"),
        ("detail=1", "--bound must be NAME=LOW:HIGH, got 'detail=1'"),
        ("detail=0:", "--bound needs a number, got '' in 'detail=0:'"),
        ("detail=:2", "--bound needs a number, got '' in 'detail=:2'"),
    ],
)
def test_a_bad_bound_is_named(pair: str, message: str) -> None:
    with pytest.raises(ParameterError) as caught:
        read_bounds([pair], "--bound")
    assert str(caught.value) == message


def test_a_name_given_twice_is_refused() -> None:
    with pytest.raises(ParameterError, match="--fix names 'detail' twice"):
        read_values(["detail=1", "detail=2"], "--fix")


def test_a_folder_stands_for_the_photos_directly_in_it(tmp_path: Path) -> None:
    for name in ("b.jpg", "a.PNG", "notes.txt"):
        (tmp_path / name).touch()
    (tmp_path / "deeper.jpg").mkdir()
    named = tmp_path / "notes.txt"
    assert find_photos([tmp_path, named]) == [tmp_path / "a.PNG", tmp_path / "b.jpg", named]


def test_a_folder_without_photos_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="a folder with no photo in it"):
        find_photos([tmp_path])
