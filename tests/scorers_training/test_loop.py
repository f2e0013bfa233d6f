"""The loop of the embedded scorers: a resumed run is the run, and no other run is resumed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from scorers.errors import InputError, WeightsError
from scorers.training.loop import OneCycle, train

CYCLE = OneCycle(20, 1e-2, warmup=2)


def run(
    out: Path,
    *,
    stop: int | None = None,
    validate: Callable[[nn.Module], dict[str, float]] = lambda _: {"figure": 1.0},
    schedule: OneCycle = CYCLE,
    width: int = 8,
    name: str = "error",
    **options: Any,
) -> dict[str, Tensor]:
    """A small network with dropout learns a sum."""
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(4, width), nn.Dropout(0.5), nn.Linear(width, 1))

    def loss(step: int) -> dict[str, Tensor]:
        given = torch.randn(16, 4, generator=torch.Generator().manual_seed(step))
        return {name: (model(given) - given.sum(1, keepdim=True)).square().mean()}

    trained = train(
        model, loss, schedule, out, checkpoint_every=5, validate=validate, validate_every=10,
        stop=stop, **options,
    )  # fmt: skip
    return trained.state_dict()


def same(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    return all(torch.equal(first[name], second[name]) for name in first)


def figures(folder: Path) -> list[str]:
    return (folder / "validation.csv").read_text().split()


def test_a_resumed_run_is_the_run(tmp_path: Path) -> None:
    whole = run(tmp_path / "whole")
    run(tmp_path / "cut", stop=10)
    torch.rand(7)  # whoever goes on has drawn other things before
    assert same(run(tmp_path / "cut"), whole)
    assert (
        figures(tmp_path / "cut")
        == figures(tmp_path / "whole")
        == ["step,figure", "10,1.0", "20,1.0"]
    )
    other = run(tmp_path / "other", seed=1)
    assert not same(other, whole)


def test_the_callers_randomness_is_left_alone(tmp_path: Path) -> None:
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    run(tmp_path)
    assert torch.equal(torch.rand(4), expected)


def test_a_kill_in_validation_leaves_no_row_out(tmp_path: Path) -> None:
    def killed(_: nn.Module) -> dict[str, float]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, stop=10, validate=killed)
    run(tmp_path)
    assert figures(tmp_path) == ["step,figure", "10,1.0", "20,1.0"]
    steps = [row.split(",")[0] for row in (tmp_path / "log.csv").read_text().splitlines()[1:]]
    assert steps == [str(step) for step in range(20)]


def test_no_step_is_none(tmp_path: Path) -> None:
    def never(_: nn.Module) -> dict[str, float]:
        pytest.fail("a step was made")

    run(tmp_path, stop=0, validate=never)
    assert not (tmp_path / "checkpoint.pt").exists()


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"schedule": OneCycle(20, 1.0, warmup=2)}, "holds a run with other peak"),
        ({"schedule": OneCycle(30, 1e-2, warmup=2)}, "holds a run with other steps"),
        ({"decay": 0.5}, "holds a run with other decay"),
        ({"weight_decay": 1.0}, "holds a run with other weight_decay"),
        ({"seed": 1}, "holds a run with other seed"),
    ],
    ids=str,
)
def test_another_run_is_not_gone_on_with(change: dict[str, Any], rule: str, tmp_path: Path) -> None:
    run(tmp_path)
    with pytest.raises(InputError, match=rule):
        run(tmp_path, **change)


def test_other_losses_networks_and_programs_are_refused(tmp_path: Path) -> None:
    run(tmp_path, stop=10)
    with pytest.raises(InputError, match="its columns must be step,other,seconds, got step,error"):
        run(tmp_path, name="other")
    with pytest.raises(WeightsError, match="it is of another network"):
        run(tmp_path, width=9)
    torch.save({"step": 3}, tmp_path / "checkpoint.pt")
    with pytest.raises(WeightsError, match="no checkpoint of this training"):
        run(tmp_path)
