"""What a first run of a process loads is counted where it is loaded."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

import enhance
from benchmarks import photo


def test_a_cold_decoder_takes_nothing_from_tuning(monkeypatch: pytest.MonkeyPatch) -> None:
    now, decoded = [0.0], [0]

    def read(path: Path) -> None:
        decoded[0] += 1
        now[0] += 5 if decoded[0] == 1 else 1  # what it needs is loaded the first time

    def tune(path: Path, operator: str, strategy: str) -> SimpleNamespace:
        read(path)
        now[0] += 3
        return SimpleNamespace(verdict="enhanced", pixels=None, save=lambda target: None)

    clock = SimpleNamespace(perf_counter=lambda: now[0], process_time=lambda: now[0])
    monkeypatch.setattr(photo, "time", clock)
    monkeypatch.setattr("enhance.imaging.files.read", read)
    monkeypatch.setattr(enhance, "tune", tune)
    for decode in (5, 1):
        seconds = photo.steps(Path("a"), Path("b"), "tone", "instant")["seconds"]
        assert seconds["decode"] == [decode, decode]
        assert seconds["tune"] == [3, 3]
        assert seconds["all"] == [decode + 3, decode + 3]
