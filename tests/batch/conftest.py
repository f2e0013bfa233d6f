"""A folder of small photos, and a batch that runs in the test's own process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from torch import Tensor

from enhance.batch import Request, run


@pytest.fixture
def shoot(coffee: Tensor, chelsea: Tensor, tmp_path: Path) -> Path:
    """Five photos, two of one name in different formats and one in a sub-folder."""
    folder = tmp_path / "shoot"
    (folder / "sub").mkdir(parents=True)
    for name, photo, gain in (
        ("a.jpg", coffee, 1),
        ("a.png", coffee, 0.6),
        ("b.png", chelsea, 1),
        ("c.webp", chelsea, 0.5),
        ("sub/a.png", coffee, 0.3),
    ):
        array = (photo[0] * gain * 255).round().byte().permute(1, 2, 0).numpy()
        Image.fromarray(array).save(folder / name)
    return folder


@pytest.fixture
def request_(scorer_file: str) -> Request:
    """A quick request, which enhances every photo: the scorer knows nothing, the guards are off."""
    return Request(("laplacian",), scorer_file, "gradient", crops=2, guards=False)


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `run_batch` work without worker processes."""

    def work_through(
        make: Callable[[], Callable[[Any], Any]], tasks: Iterable[Any], workers: int
    ) -> Iterator[tuple[Any, Any]]:
        work = make()
        return ((task, work(task)) for task in tasks)

    monkeypatch.setattr(run, "work_through", work_through)


@pytest.fixture
def contents() -> Callable[[Path], dict[str, bytes]]:
    """A function that reads every file below a folder."""

    def read(folder: Path) -> dict[str, bytes]:
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}

    return read
