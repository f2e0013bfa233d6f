"""Training itself: it learns, it goes on after a kill, and processes share it."""

from __future__ import annotations

import math
import os
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import scorers
from scorers import opinion
from scorers.backbones import create
from scorers.card import Architecture
from scorers.errors import InputError, MissingExtraError, ScorerError
from scorers.evaluation.agreement import spearman
from scorers.evaluation.judging import judge
from scorers.ratings.overlap import found_in
from scorers.ratings.readers import read_table
from scorers.training.distributed import World, world
from scorers.training.initial import start
from scorers.training.log import RunLog
from scorers.training.objectives import OBJECTIVES
from scorers.training.options import Training
from scorers.training.session import train_scorer

ALONE = World(0, 1, torch.device("cpu"))
TINY: dict[str, Any] = {"backbone": "mobilenet_v1", "options": {"width": 0.25, "folded": True}}


def quick(out: Path, **changes: Any) -> Training:
    """Two stages of two and three epochs of three batches, on views of 32x32."""
    settings: dict[str, Any] = {
        "name": "tiny", "out": out, "recipe": "two-stage", "size": 32, "epochs": (2, 3),
        "batch": 8, "rate": 10.0, "checkpoint_every": 2, **TINY, **changes,
    }  # fmt: skip
    return Training(**settings)


def weights(path: Path) -> dict[str, Tensor]:
    return scorers.load(path / "tiny.safetensors").network.state_dict()


def same(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


# ends itself as `kill -9` would, in the middle of an epoch and of a stage
KILLED = """
import os, signal, sys
from pathlib import Path
import torch
from scorers.training.distributed import World
from scorers.ratings.readers import read_table
from scorers.training.options import Training
from scorers.training.session import train_scorer

def tick(done, total, loss):
    if done == 9:
        os.kill(os.getpid(), signal.SIGKILL)

how = Training(**eval(sys.argv[2]), out=Path(sys.argv[1]))
train_scorer(read_table(sys.argv[3]), how, World(0, 1, torch.device("cpu")), tick=tick)
"""


def test_a_killed_run_goes_on_to_the_same_weights(rated_folder: Path, tmp_path: Path) -> None:
    table = read_table(rated_folder / "ratings.csv")
    whole = quick(tmp_path / "whole")
    train_scorer(table, whole, ALONE)
    cut = quick(tmp_path / "cut")
    options = {name: value for name, value in vars(cut).items() if name != "out"}
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            KILLED,
            str(cut.out),
            repr(options),
            str(rated_folder / "ratings.csv"),
        ],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert not (cut.out / "tiny.safetensors").exists()
    assert torch.load(cut.out / "checkpoint.pt", weights_only=True)["step"] == 8
    with (cut.out / "train.csv").open("a") as log:
        log.write("10,3,0.1")  # the kill may cut a row of the log short
    steps: list[int] = []
    train_scorer(table, cut, ALONE, tick=lambda done, total, loss: steps.append(done))
    assert steps == list(range(9, 16))
    assert same(weights(whole.out), weights(cut.out))
    for name in ("train.csv", "validation.csv"):
        assert (cut.out / name).read_text() == (whole.out / name).read_text()


def test_a_finished_run_is_not_run_again_nor_another_run_gone_on_with(
    rated_folder: Path, tmp_path: Path
) -> None:
    table = read_table(rated_folder / "ratings.csv")
    how = quick(tmp_path, epochs=(1, 0))
    train_scorer(table, how, ALONE)
    first = weights(tmp_path)

    def never(*_: object) -> None:
        pytest.fail("a step of a run that was done")

    train_scorer(table, how, ALONE, tick=never)
    assert same(first, weights(tmp_path))
    for change in ({"seed": 1}, {"rate": 1.0}, {"objective": "huber"}):
        with pytest.raises(InputError, match="holds a run with other"):
            train_scorer(table, replace(how, **change), ALONE)
    with pytest.raises(InputError, match="other photos"):
        train_scorer(table.take(range(30)), how, ALONE)


def test_it_learns_and_says_what_it_is(rated_folder: Path, tmp_path: Path) -> None:
    table = read_table(rated_folder / "ratings.csv")
    lines: list[str] = []
    how = quick(tmp_path, epochs=(2, 24), rate=30.0, licence="CC0-1.0")
    scorer = train_scorer(table, how, ALONE, note=lines.append)
    assert lines == [
        "40 photos of ratings, 2 skipped",
        "means taken to be on the scale 1-10, since none is stated",
    ]
    assert (tmp_path / "skipped.csv").read_text().count("\n") == 3
    used = table.take(range(40))
    said = judge(scorer, used)
    assert spearman(opinion.mean(said).numpy(), used.means.numpy()) > 0.8
    loaded = scorers.load(tmp_path / "tiny.safetensors")
    torch.testing.assert_close(judge(loaded, used.take([3])), said[3:4])
    card = loaded.card
    assert card.preprocess.method == "bilinear"
    assert card.preprocess.antialias
    assert "two-stage" in card.origin
    assert "2 epochs of adam at 0.03 (head), then 24 epochs" in card.origin
    assert "8 photos a step, drawn evenly" in card.origin
    assert "2 skipped" in card.training_data
    assert "means taken to be on the scale 1-10" in card.training_data
    assert found_in(table.names, card.learned_from) == [
        name for name in used.names if name not in used.part("test").names
    ]
    assert card.licence == "CC0-1.0"
    assert any(name.endswith("SRCC") for name in card.measured)
    rows = (tmp_path / "validation.csv").read_text().splitlines()
    assert rows[0] == "step,epoch,emd,srcc,lcc"
    assert len(rows) == 1 + 26
    best = min(float(row.split(",")[2]) for row in rows[1:])
    stored = torch.load(tmp_path / "checkpoint.pt", weights_only=True)["best"]
    assert stored["emd"] == best


@pytest.fixture(scope="module")
def plain(rated_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Tensor]:
    """Weights of the run that others differ from in one thing."""
    out = tmp_path_factory.mktemp("plain")
    table = read_table(rated_folder / "ratings.csv").take(range(20))
    train_scorer(table, quick(out, epochs=(1, 1)), ALONE)
    return weights(out)


@pytest.mark.parametrize(
    ("changes", "equal"),
    [
        ({"workers": 1}, True),  # where photos are decoded must not matter
        ({"memory": 0}, True),
        ({"mixed": True}, False),
        ({"objective": "ranking"}, False),
        ({"objective": "triplet"}, False),
        ({"objective": "huber"}, False),
        ({"balanced": False}, False),
        ({"seed": 1}, False),
    ],
    ids=str,
)
def test_every_way_of_training_runs(
    changes: dict[str, Any],
    equal: bool,
    plain: dict[str, Tensor],
    rated_folder: Path,
    tmp_path: Path,
) -> None:
    table = read_table(rated_folder / "ratings.csv").take(range(20))
    train_scorer(table, quick(tmp_path, epochs=(1, 1), **changes), ALONE)
    assert same(weights(tmp_path), plain) == equal


def test_a_teacher_is_followed(rated_folder: Path, tmp_path: Path) -> None:
    """Where people and a teacher disagree and the teacher weighs more, the student is his."""
    table = read_table(rated_folder / "ratings.csv")
    low = torch.eye(10)[1].expand(len(table), 10)  # one who finds every photo a two
    how = quick(tmp_path / "teacher", epochs=(4, 0), rate=30.0)
    teacher = train_scorer(replace(table, opinions=low), how, ALONE)
    taught = quick(
        tmp_path / "student",
        epochs=(4, 0),
        rate=30.0,
        teacher=str(how.out / "tiny.safetensors"),
        teacher_weight=100.0,
    )
    own = quick(tmp_path / "own", epochs=(4, 0), rate=30.0)
    view = torch.full((1, 3, 32, 32), 0.7)
    student, alone = (train_scorer(table, run, ALONE)(view) for run in (taught, own))
    assert (student - teacher(view)).abs() < 0.5 * (alone - teacher(view)).abs()
    with pytest.raises(InputError, match=r"teacher .* answers over 10 buckets from 1"):
        train_scorer(table, replace(taught, out=tmp_path / "x", buckets=(1, 2, 3, 4, 5)), ALONE)


SHARED = """
import sys
from dataclasses import replace
from pathlib import Path
import torch
from scorers.training.batches import Batches
from scorers.training.distributed import world
from scorers.training.fit import Fit, Rated
from scorers.training.initial import start
from scorers.training.objectives import OBJECTIVES
from scorers.ratings.readers import read_table
from scorers.training.stages import recipe
from scorers.training.views import ViewDataset

def fit(out, table, here):
    torch.manual_seed(0)
    begin = start("mobilenet_v1", {"width": 0.25, "folded": True}, size=32)
    begin.network.dropout.p = 0.0  # drawn by each process for itself
    table = read_table(table).take(range(16))
    views = ViewDataset([table.folder / n for n in table.names], 32, seed=0, keep=True)
    rated = Rated(views, table.opinions)
    plan = replace(recipe("two-stage").with_epochs((1, 2)), batch=8)
    run = Fit(begin.network, begin.preprocess, table.buckets, plan, OBJECTIVES["emd"],
              rated, rated, Path(out), world=here)
    return run.run()

if __name__ == "__main__":
    with world("cpu") as here:
        state = fit(sys.argv[1], sys.argv[2], here)
        if here.first:
            torch.save(state, sys.argv[1] + "/state.pt")
"""


def test_two_processes_train_as_one(rated_folder: Path, tmp_path: Path) -> None:
    """Gradients, validation and files are shared: the same weights, up to the order of sums.

    With a loss of single photos, and without dropout and batch norm: see docs/training.md.
    """
    script = tmp_path / "shared.py"
    script.write_text(SHARED)
    (tmp_path / "two").mkdir()
    (tmp_path / "one").mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    table = str(rated_folder / "ratings.csv")
    common = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    processes = [
        subprocess.Popen(
            [sys.executable, str(script), str(tmp_path / "two"), table],
            env={**os.environ, **common, "RANK": rank, "LOCAL_RANK": rank, "OMP_NUM_THREADS": "1"},
            stderr=subprocess.PIPE,
        )
        for rank in ("0", "1")
    ]
    try:
        for process in processes:
            _, errors = process.communicate(timeout=240)
            assert process.returncode == 0, errors.decode()
    finally:
        for process in processes:
            process.kill()
    names: dict[str, Any] = {"__name__": "shared"}
    exec(SHARED, names)
    alone = names["fit"](tmp_path / "one", table, ALONE)
    together = torch.load(tmp_path / "two" / "state.pt", weights_only=True)
    for name, expected in alone.items():
        torch.testing.assert_close(together[name], expected, rtol=1e-3, atol=1e-5, msg=name)
    logs = [(tmp_path / n / "validation.csv").read_text().splitlines() for n in ("one", "two")]
    assert [row.split(",")[:2] for row in logs[0]] == [row.split(",")[:2] for row in logs[1]]


def test_one_process_is_a_world_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WORLD_SIZE", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    with world("cpu") as here:
        rows = torch.arange(5)
        assert torch.equal(here.gather(here.share(rows)), rows)
        assert here.from_first("x") == "x"
        assert here.mean(torch.tensor(2.0)) == 2
    with (
        pytest.raises(InputError, match="device must be cpu, cuda or cuda:N, got 'fast'"),
        world("fast"),
    ):
        pass
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with (
        pytest.raises(InputError, match="cuda:3 is not there: this machine has 1 GPUs"),
        world("cuda:3"),
    ):
        pass


def test_training_starts_from_files_of_every_kind(tmp_path: Path, shared: Path) -> None:
    scorer = start("mobilenet_v1", {"width": 0.25})
    torch.save(scorer.network.state_dict(), tmp_path / "nima.pth")
    again = start(weights=tmp_path / "nima.pth")
    assert same(again.network.state_dict(), scorer.network.state_dict())
    assert again.architecture == Architecture("mobilenet_v1", {"width": 0.25})
    assert again.preprocess.mean == (0.485, 0.456, 0.406)
    classifier = create("mobilenet_v2", width=0.35).state_dict()
    classifier |= {
        "classifier.1.weight": torch.zeros(1000, 1280),
        "classifier.1.bias": torch.zeros(1000),
    }
    torch.save(classifier, tmp_path / "imagenet.pth")
    with pytest.raises(ScorerError, match="an image classifier"):
        start(weights=tmp_path / "imagenet.pth")
    body = start("mobilenet_v2", {"width": 0.35}, weights=tmp_path / "imagenet.pth", buckets=5)
    assert body.network.head.out_features == 5
    first = "features.0.0.weight"
    assert torch.equal(body.network.backbone.state_dict()[first], classifier[first])
    with pytest.raises(InputError, match="is a mobilenet_v1, not the vgg16"):
        start("vgg16", weights=tmp_path / "nima.pth")
    idealo = start(weights=shared / "weights/idealo_mobilenet_aesthetic.int8.tflite")
    assert all(p.requires_grad for p in idealo.network.parameters())
    assert idealo.preprocess.method == "bilinear"
    ptq = start(weights=shared / "weights/mobilenet_v2_1.0_224_imagenet.ptq.tflite")
    assert ptq.architecture.backbone == "mobilenet_v2"


def test_what_cannot_be_trained_is_refused(
    rated_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = read_table(rated_folder / "ratings.csv")
    with pytest.raises(ScorerError, match="did you mean 'ranking'"):
        train_scorer(table, quick(tmp_path, objective="rank"), ALONE)
    with monkeypatch.context() as patch:
        patch.setitem(OBJECTIVES, "emd", lambda answer: answer.opinion.sum() * torch.nan)
        with pytest.raises(ScorerError, match="the loss is nan at step 0"):
            train_scorer(table, quick(tmp_path), ALONE)


def test_tensorboard_is_asked_for_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(MissingExtraError, match="pip install tensorboard"):
        RunLog(tmp_path, tensorboard=True)


@pytest.mark.parametrize(
    "wrong",
    [
        {"batch": 0},
        {"checkpoint_every": 0},
        {"workers": -1},
        {"size": 0},
        {"teacher_weight": -3.0},
        {"rate": 0.0},
        {"rate": math.inf},
        {"rate": math.nan},
    ],
)
def test_numbers_out_of_their_range_are_refused_before_any_work(
    tmp_path: Path, wrong: dict[str, Any]
) -> None:
    (name,) = wrong
    with pytest.raises(InputError, match=f"`.*{name} .*` must hold, but got {name}="):
        quick(tmp_path, **wrong)
