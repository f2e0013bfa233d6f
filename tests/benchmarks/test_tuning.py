"""Strategies are compared by how far they come from the untouched photo's own value."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

import enhance
from benchmarks import tuning


def brightness(images: Tensor) -> Tensor:
    """A scorer to which brighter is better."""
    return images.mean((1, 2, 3))


@pytest.fixture
def photo() -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return 0.2 + 0.3 * torch.rand(3, 48, 64, generator=generator)


def test_the_untouched_photo_pays_for_leaving_the_answer(photo: Tensor) -> None:
    result = enhance.tune(photo, "laplacian", brightness, "instant", guards=[])
    paid = enhance.tune(photo, "laplacian", brightness, "instant")
    assert paid.objective.cost is not None
    default = paid.objective.space.defaults()[None]
    cost = float(paid.objective.cost(default))
    assert cost > 0  # the predictor answers something else than the default
    assert tuning.untouched(paid) == pytest.approx(paid.baseline - cost)
    assert tuning.untouched(result) == pytest.approx(result.baseline)  # nothing costs


def test_gain_and_share_are_measured_from_there(
    photo: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = enhance.tuning.space.Space.grid
    monkeypatch.setattr(enhance.tuning.space.Space, "grid", lambda space: few(space)[::97])
    runs = tuning.compare("photo", photo, "laplacian", brightness, False, ["instant"])  # type: ignore[arg-type]
    grid, instant = runs
    result = enhance.tune(photo, "laplacian", brightness, "instant")
    untouched = tuning.untouched(result)
    for run in runs:
        assert run.gain == pytest.approx(run.score - untouched)
        assert run.gain >= 0  # every strategy looks at the untouched photo, or finds better
    assert instant.score == pytest.approx(max(entry["value"] for entry in result.history))
    assert instant.share == pytest.approx(instant.gain / grid.gain)


@pytest.mark.parametrize("made", [False, True])
def test_a_folder_without_photos_is_said_in_one_line(
    made: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "photos"
    if made:
        folder.mkdir()
    monkeypatch.setattr("sys.argv", ["tuning", "--folder", str(folder)])
    with pytest.raises(SystemExit, match=f"no .*photos.* {folder}$"):
        tuning.main()


def test_where_the_grid_gains_nothing_there_is_no_share_of_it() -> None:
    photo = torch.full((3, 24, 24), 0.5)
    runs = tuning.compare("grey", photo, "contrast", None, False, [])
    assert [run.share for run in runs] == [None]
    assert "| – |" in tuning.render_table(runs)
