"""The engine ray: the same files and the same table as the engine local, on photos of all kinds."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from torch import Tensor

from enhance.batch import Request, ray_pool, run_batch, write_table
from enhance.batch.pool import Death
from enhance.cli import main
from enhance.errors import EnhanceError, MissingExtraError, ParameterError, UnknownNameError
from enhance.testing.folder import mixed_folder

Contents = Callable[[Path], dict[str, bytes]]


@pytest.fixture(scope="module")
def ray() -> Iterator[Any]:
    """Ray on this machine with two cores, for all tests of this file."""
    pytest.importorskip("ray", reason="needs the extra ray")
    from enhance.batch.ray_pool import check_ray

    module = check_ray()
    module.init(
        "local", num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="error"
    )
    yield module
    module.shutdown()


def make_halver(odd: str) -> Callable[[int], int]:
    def work(number: int) -> int:
        if number % 2:
            if odd == "dies":
                os._exit(3)
            raise ParameterError(f"a number must be even, got {number}")
        return number // 2

    return work


@pytest.mark.usefixtures("ray")
def test_the_death_of_a_worker_costs_its_task_only() -> None:
    from enhance.batch.ray_pool import work_through_ray

    outcomes = dict(work_through_ray(partial(make_halver, "dies"), [1, 2, 4], 1))
    assert outcomes == {1: Death(None), 2: 1, 4: 2}
    assert str(Death(None)) == "the worker process died, perhaps because memory ran out"


@pytest.mark.usefixtures("ray")
def test_an_error_comes_through_as_it_was_raised() -> None:
    from enhance.batch.ray_pool import work_through_ray

    with pytest.raises(ParameterError, match="a number must be even, got 1"):
        list(work_through_ray(partial(make_halver, "raises"), [1], 1))


@pytest.mark.usefixtures("ray")
def test_ray_and_local_give_the_same_files_and_table(
    coffee: Tensor, chelsea: Tensor, request_: Request, tmp_path: Path, contents: Contents,
    in_this_process: None, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    photos = [(p[0] * 255).round().byte().permute(1, 2, 0).numpy() for p in (coffee, chelsea)]
    good, bad = mixed_folder(tmp_path / "shoot", photos, count=20, damaged=2)
    assert (len(good), len(bad)) == (18, 2)
    request = replace(request_, operators=("contrast",))
    results = {}
    for engine in ("local", "ray"):
        results[engine] = run_batch(tmp_path / "shoot", tmp_path / engine, request, engine=engine)
        write_table(results[engine].rows, tmp_path / f"{engine}.parquet")
    assert results["ray"].rows == results["local"].rows
    failed = {row.photo: row.reason for row in results["ray"].rows if row.verdict == "failed"}
    assert failed.keys() == set(bad), failed
    assert contents(tmp_path / "ray") == contents(tmp_path / "local")
    tables = [(tmp_path / f"{engine}.parquet").read_bytes() for engine in results]
    assert tables[0] == tables[1]


def test_a_cluster_that_is_not_there(request_: Request, shoot: Path, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="unknown engine 'rya'; did you mean 'ray'"):
        run_batch(shoot, tmp_path / "out", request_, engine="rya")  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="an address goes with the engine ray only"):
        run_batch(shoot, tmp_path / "out", request_, address="ray://nowhere:1")


@pytest.mark.parametrize(
    ("failures", "error", "address", "starts"),
    [
        (2, Exception("timed out"), None, 3),
        (9, Exception("timed out"), None, 3),
        (9, RuntimeError("no port"), None, 1),
        (9, Exception("timed out"), "auto", 1),
    ],
)
def test_a_start_that_takes_too_long_is_tried_again(
    failures: int, error: Exception, address: str | None, starts: int
) -> None:
    class Slow:
        begun = 0

        def init(self, **options: Any) -> None:
            self.begun += 1
            if self.begun <= failures:
                raise error

        def shutdown(self) -> None:
            pass

    ray = Slow()
    if failures < starts:
        ray_pool._start(ray, 1, address)
    else:
        with pytest.raises(EnhanceError, match=f"cannot reach Ray at .*: {error}"):
            ray_pool._start(ray, 1, address)
    assert ray.begun == starts


def test_ray_is_an_extra(
    request_: Request, shoot: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'enhance-tune\[ray\]'"):
        run_batch(shoot, tmp_path / "out", request_, engine="ray")
    assert not (tmp_path / "out").exists()
    assert main(["batch", str(shoot), "-o", str(tmp_path / "out"), "--engine", "ray"]) == 2
