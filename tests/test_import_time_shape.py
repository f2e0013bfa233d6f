"""`import enhance` and `import scorers` load nothing heavy besides torch, nor does ``--help``."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {
    "PIL",
    "captum",
    "cv2",
    "kornia",
    "matplotlib",
    "numba",
    "optuna",
    "pandas",
    "pillow_heif",
    "rawpy",
    "scipy",
    "skimage",
    "tqdm",
    "typer",
}


@pytest.mark.parametrize(
    ("statement", "allowed"),
    [
        ("import enhance", set()),
        ("import scorers", set()),
        ("import enhance.cli", {"typer"}),
    ],
)
def test_import_loads_nothing_heavy(statement: str, allowed: set[str]) -> None:
    # torch first: whatever it loads by itself is not ours
    code = (
        "import sys, torch; before = set(sys.modules)\n"
        f"{statement}\n"
        "print(' '.join({name.partition('.')[0] for name in set(sys.modules) - before}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "enhance" in loaded or "scorers" in loaded
    assert loaded & HEAVY <= allowed
