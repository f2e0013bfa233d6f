"""A shoot that should look alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from enhance.batch import Request, Shared, run_batch, shared
from enhance.batch.plan import plan
from enhance.errors import ParameterError, ReadError, WriteError
from enhance.recipe import Recipe

NAMES = ("detail", "shadow", "brightness")
RANGES = {"detail": 6, "shadow": 2, "brightness": 2}


@pytest.fixture(autouse=True)
def _everything_in_this_process(in_this_process: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "work_through", run_batch.__globals__["work_through"])


@pytest.mark.parametrize("delta", [0, 0.05])
def test_each_setting_is_near_the_shared_one(
    shoot: Path, request_: Request, tmp_path: Path, delta: float
) -> None:
    (shoot / "bad.png").write_text("no photo")
    result = run_batch(shoot, tmp_path / "out", request_, shared=Shared(delta))
    assert result.count("failed") == 1
    common = Recipe.load(tmp_path / "out" / "shared.json").settings
    settings = [row.settings for row in result.rows if row.verdict == "enhanced"]
    assert settings
    for name in NAMES:
        for own in settings:
            assert abs(own[name] - common[name]) <= delta * RANGES[name] + 2e-6
    spread = {tuple(own[name] for name in NAMES) for own in settings}
    assert (len(spread) == 1) == (delta == 0)


def test_the_shared_setting_outlives_an_interruption(
    shoot: Path, request_: Request, tmp_path: Path, contents: Callable[[Path], dict[str, bytes]]
) -> None:
    out = tmp_path / "out"
    first = run_batch(shoot, out, request_, shared=Shared())
    made = contents(out)
    (out / "b.png").unlink()
    again = run_batch(shoot, out, request_, shared=Shared())
    assert (again.rows, again.resumed) == (first.rows, 4)
    assert contents(out) == made
    with pytest.raises(WriteError, match="shared="):
        run_batch(shoot, out, request_)


def test_a_shared_setting_that_is_lost_or_of_something_else_is_not_gone_on_with(
    shoot: Path, request_: Request, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run_batch(shoot, out, request_, shared=Shared())
    recipe = Recipe.load(out / "shared.json")
    (out / "b.png").unlink()
    (out / "shared.json").unlink()
    with pytest.raises(WriteError, match=r"tuned around shared\.json, which is gone"):
        run_batch(shoot, out, request_, shared=Shared())
    Recipe(("contrast",), {"contrast": 0.1}).save(out / "shared.json")
    with pytest.raises(WriteError, match="must be of laplacian, got contrast"):
        run_batch(shoot, out, request_, shared=Shared())
    recipe.save(out / "shared.json")
    assert run_batch(shoot, out, request_, shared=Shared()).resumed == 4


def test_a_sample_of_damaged_photos_is_said_to_be_one(request_: Request, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in ("a.png", "b.png"):
        (tmp_path / "in" / name).write_text("no photo")
    with pytest.raises(ReadError, match=r"of the 2 photos .* none can be read; .*a\.png: not an"):
        run_batch(tmp_path / "in", tmp_path / "out", request_, shared=Shared())


def test_denoising_is_not_shared(shoot: Path, request_: Request, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="got turbo"):
        run_batch(shoot, tmp_path / "out", replace(request_, operators=("turbo",)), shared=Shared())
    assert not (tmp_path / "out").exists()


def test_the_sample_is_spread_over_the_folder(shoot: Path, tmp_path: Path) -> None:
    jobs = plan(shoot, tmp_path / "out")
    assert [job.photo for job in shared.evenly(jobs, 2)] == ["a.jpg", "b.png"]
    assert shared.evenly(jobs, 9) == jobs


def test_what_breaks_a_rule_is_named() -> None:
    with pytest.raises(ParameterError, match=r"delta must lie in \[0, 1\], got -0.1"):
        Shared(-0.1)
    with pytest.raises(ParameterError, match="sample must be at least 1, got 0"):
        Shared(sample=0)
    with pytest.raises(ParameterError, match=r"sample must be a whole number, got 1\.5"):
        Shared(0.1, 1.5)  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match=r"delta must lie in \[0, 1\], got 'a'"):
        Shared("a")  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="got nan"):
        Shared(float("nan"))


def test_alike_is_said_by_a_rule(shoot: Path, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="shared must be a Shared or None, got True"):
        run_batch(shoot, tmp_path / "out", shared=True)  # type: ignore[arg-type]
