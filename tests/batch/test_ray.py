"""The engine ray: the same files and the same table as the engine local, on photos of all kinds."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar, get_args

import pytest
from torch import Tensor

from enhance.batch import Request, ray_pool, run_batch, write_table
from enhance.batch.pool import Death
from enhance.batch.run import Engine
from enhance.cli import main
from enhance.errors import EnhanceError, MissingExtraError, ParameterError, UnknownNameError
from enhance.operators import registry
from enhance.operators.base import Operator, Parameter, Settings
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
            if odd == "exits":
                os._exit(3)
            if odd == "is killed":
                os.kill(os.getpid(), signal.SIGKILL)
            raise ParameterError(f"a number must be even, got {number}")
        return number // 2

    return work


def test_a_cluster_that_cannot_be_reached(
    request_: Request, shoot: Path, tmp_path: Path
) -> None:  # before the fixture starts Ray in this process
    pytest.importorskip("ray", reason="needs the extra ray")
    with pytest.raises(EnhanceError, match="cannot reach Ray at nowhere://head: "):
        run_batch(shoot, tmp_path / "out", request_, engine="ray", address="nowhere://head")


@pytest.mark.usefixtures("ray")
@pytest.mark.parametrize("odd", ["exits", "is killed"])
def test_the_death_of_a_worker_costs_its_task_only(odd: str) -> None:
    outcomes = dict(ray_pool.work_through_ray(partial(make_halver, odd), [1, 2, 4], 1))
    assert outcomes == {1: Death(None), 2: 1, 4: 2}
    assert str(Death(None)) == "the worker process died, perhaps because memory ran out"


class OneActor:
    """Ray with one actor at a time, in this process; `get` fails on odd tasks as it is told."""

    def __init__(self, failure: Exception) -> None:
        self.exceptions = pytest.importorskip("ray.exceptions", reason="needs the extra ray")
        self.failure, self.made = failure, 0

    def remote(self, **options: Any) -> Any:
        def make(*arguments: Any) -> Any:
            self.made += 1
            worker = ray_pool.Worker(*arguments)
            return SimpleNamespace(do=SimpleNamespace(remote=lambda n: (worker, n, object())))

        return lambda _: SimpleNamespace(remote=make)

    def wait(self, running: list[Any], num_returns: int) -> tuple[list[Any], list[Any]]:
        return running[:1], running[1:]

    def get(self, running: Any) -> Any:
        worker, number, _ = running
        if number % 2:
            raise self.failure
        return worker.do(number)


@pytest.mark.parametrize("kind", ["OutOfMemoryError", "NodeDiedError", "WorkerCrashedError"])
def test_a_worker_may_die_of_many_things(kind: str) -> None:
    exceptions = pytest.importorskip("ray.exceptions", reason="needs the extra ray")
    failure = {
        "OutOfMemoryError": lambda: exceptions.OutOfMemoryError("memory on the node ran low"),
        "NodeDiedError": lambda: exceptions.NodeDiedError("the node died"),
        "WorkerCrashedError": exceptions.WorkerCrashedError,
    }[kind]()
    ray = OneActor(failure)
    outcomes = dict(ray_pool._through(ray, partial(make_halver, ""), iter([2, 1, 4, 3]), 1))
    assert outcomes == {2: 1, 1: Death(None), 4: 2, 3: Death(None)}
    assert ray.made == 2  # none in the place of the last one, for which nothing is left


def test_what_else_ray_says_is_one_line() -> None:
    exceptions = pytest.importorskip("ray.exceptions", reason="needs the extra ray")
    ray = OneActor(exceptions.RaySystemError("the object store\nis gone"))
    with pytest.raises(EnhanceError, match=r"Ray cannot go on: .*the object store is gone"):
        list(ray_pool._through(ray, partial(make_halver, ""), iter([1]), 1))


@pytest.mark.usefixtures("ray")
def test_an_error_comes_through_as_it_was_raised() -> None:
    with pytest.raises(ParameterError, match="a number must be even, got 1"):
        list(ray_pool.work_through_ray(partial(make_halver, "raises"), [1], 1))


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


@pytest.mark.usefixtures("ray", "in_this_process")
def test_workers_elsewhere_find_relative_paths_and_operators_of_ones_own(
    coffee_file: Path, scorer_file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Dimmer(Operator[Tensor]):
        name = "dimmer"
        parameters_spec: ClassVar = {"dim": Parameter(0, 1, 0, "black at 1", levels=3)}

        def analyse(self, image: Tensor, settings: Any = None, *, extent: Any = None) -> Tensor:
            return image

        def render(self, layers: Tensor, settings: Settings) -> Tensor:
            return layers * (1 - settings["dim"][..., None, None, None])

    monkeypatch.setattr(registry, "_registered", {})
    registry.register(Dimmer)
    shutil.copy(scorer_file, tmp_path / "tiny.safetensors")
    (tmp_path / "in").mkdir()
    shutil.copy(coffee_file, tmp_path / "in" / "a.png")
    (tmp_path / "in" / "b.png").write_text("no photo")
    monkeypatch.chdir(tmp_path)
    request = Request(("dimmer",), "tiny.safetensors", "grid", crops=2, guards=False)
    rows = {
        engine: run_batch("in", engine, request, engine=engine).rows for engine in get_args(Engine)
    }
    assert rows["ray"][0] == rows["local"][0]
    assert rows["ray"][0].verdict != "failed"
    assert (tmp_path / "ray" / "a.png").read_bytes() == (tmp_path / "local" / "a.png").read_bytes()
    assert (
        rows["ray"][1].reason == f"cannot read {tmp_path}/in/b.png: not an image of a known format"
    )


@pytest.mark.usefixtures("ray")
def test_an_address_is_not_ignored(request_: Request, shoot: Path, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"address must be left out .* got 'ray://nowhere:1'"):
        run_batch(shoot, tmp_path / "out", request_, engine="ray", address="ray://nowhere:1")
    assert not (tmp_path / "out").exists()


def test_an_engine_by_name(request_: Request, shoot: Path, tmp_path: Path) -> None:
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
