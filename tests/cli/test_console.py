from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enhance.cli.console import complain, each, make_folder
from enhance.errors import EnhanceError, ReadError, WriteError


@given(st.text())
def test_a_complaint_is_one_line(message: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        said: list[str] = []
        patch.setattr("builtins.print", lambda text, file: said.append(text))
        complain(EnhanceError(message))
    assert len(said) == 1
    assert len(said[0].splitlines()) == 1
    assert said[0].startswith("enhance:")


@pytest.mark.parametrize(
    ("bad", "status"), [(set(), 0), ({"b"}, 1), ({"a", "c"}, 1), ({"a", "b", "c"}, 2)]
)
def test_a_photo_that_fails_is_named_and_the_others_are_done(
    bad: set[str], status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    done = []

    def work(photo: Path) -> None:
        if photo.name in bad:
            kind = OSError if photo.name == "c" else ReadError
            raise kind(f"cannot read {photo}: no such file")
        done.append(photo.name)

    assert each([Path(name) for name in "abc"], work) == status
    assert done == [name for name in "abc" if name not in bad]
    complaints = capsys.readouterr().err.splitlines()
    assert complaints == [f"enhance: cannot read {name}: no such file" for name in sorted(bad)]


def test_a_fault_of_ours_is_not_taken_for_a_bad_photo() -> None:
    def work(photo: Path) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        each([Path("a")], work)


def test_a_folder_cannot_be_made_where_a_file_is(tmp_path: Path) -> None:
    blocked = tmp_path / "out"
    blocked.touch()
    with pytest.raises(WriteError, match="cannot make the folder"):
        make_folder(blocked)
    make_folder(tmp_path / "a" / "b")
    make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
