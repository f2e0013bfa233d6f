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


def _loaded(code: str) -> set[str]:
    """Modules that are loaded after `code` ran in a process of its own."""
    shown = f"{code}\nimport sys; print('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", shown], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("command", ["", "tune", "prefer", "batch", "scorers"])
def test_help_needs_no_torch(command: str) -> None:
    code = f"from enhance.cli import main; main([*{command.split()}, '--help'])"
    assert not _loaded(code) & {"torch", "numpy", *HEAVY - {"typer"}}


def test_tuning_loads_no_more_than_it_needs() -> None:
    # each of these takes a process half a second or more, and torch loads sympy on demand only
    code = (
        "import torch, enhance\n"
        "scorer = lambda images: images.mean((1, 2, 3))\n"
        "enhance.tune(torch.rand(3, 24, 32), 'laplacian', scorer, 'gradient')"
    )
    assert not _loaded(code) & {"sympy", "scipy.stats", "optuna", "pandas", "matplotlib"}
