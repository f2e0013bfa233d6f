"""Pages are made of the recorded figures alone, and say by which command."""

from __future__ import annotations

import argparse
import doctest
import json
import math
from importlib import import_module
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from benchmarks import _pages, _photos
from benchmarks.all import COMMANDS, page_of, run
from benchmarks.quality import tasks, tone
from benchmarks.quality.denoising import Row as Denoised
from benchmarks.quality.denoising import kodak_figures, polyu_figures
from benchmarks.quality.lowlight import Row as Lit
from benchmarks.quality.lowlight import figures as lowlight_figures
from benchmarks.quality.page import render_table, section
from benchmarks.quality.tasks import Task, base, warmed_up
from scorers import zoo
from scorers.card import ModelCard
from scorers.evaluation.figure import Figure

RECORDED = sorted(path.stem for path in _pages.FOLDER.glob("*.json"))


def facts_of(name: str) -> dict[str, Any]:
    def refuse(constant: str) -> float:
        raise AssertionError(f"{constant} is no JSON")

    text = (_pages.FOLDER / f"{name}.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text, parse_constant=refuse)
    return found


def test_everything_recorded_has_its_command() -> None:
    assert set(RECORDED) <= set(COMMANDS)


@pytest.mark.parametrize("name", RECORDED)
def test_a_page_is_what_its_figures_make(name: str) -> None:
    facts = facts_of(name)
    page = _pages.FOLDER / _pages.ELSEWHERE.get(name, f"{name}.md")
    assert page_of(name)(facts) == page.read_text(encoding="utf-8"), (
        f"run: python -m benchmarks.all --only {name} --render"
    )
    assert facts["command"] == COMMANDS[name]


def test_cards_state_what_was_recorded() -> None:
    for name, figures in facts_of("scorers")["scorers"].items():
        card = ModelCard.from_json(
            (Path(zoo.__file__).parent / "weights" / f"{name}.json").read_text(encoding="utf-8")
        )
        stated = {row: f"{Figure(**figure)}, n={figure['n']}" for row, figure in figures.items()}
        assert dict(card.measured) == stated
        page = _pages.FOLDER.parent / "models" / f"{name}.md"
        assert page.read_text(encoding="utf-8") == card.to_markdown()


def test_nothing_is_written_unless_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def page(facts: _pages.Facts) -> str:
        return f"{facts['a']} {facts['b']}\n"

    facts = {"a": 1.5, "b": math.inf}
    _pages.record("mine", page, facts, write=False, folder=tmp_path)
    said = capsys.readouterr()
    assert said.out == "1.5 None\n\n"
    assert "--write" in said.err
    assert list(tmp_path.iterdir()) == []
    _pages.record("mine", page, facts, write=True, folder=tmp_path)
    assert str(tmp_path / "mine.md") in capsys.readouterr().err
    assert json.loads((tmp_path / "mine.json").read_text()) == {"a": 1.5, "b": None}
    (tmp_path / "mine.md").write_text("old")
    _pages.render("mine", page, folder=tmp_path)
    assert (tmp_path / "mine.md").read_text() == "1.5 None\n"
    with pytest.raises(SystemExit, match="cannot render other: no such file"):
        _pages.render("other", page, folder=tmp_path)


def test_commands_name_photos_by_the_folder_that_holds_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ENHANCE_DATA", str(tmp_path))
    given = ["--folder", str(tmp_path / "data" / "kodak24"), "--name", "a b"]
    said = _pages.command("tuning", given)
    assert said == "python -m benchmarks.tuning --folder $ENHANCE_DATA/data/kodak24 --name 'a b'"
    monkeypatch.delenv("ENHANCE_DATA")
    assert run(said) == 77
    assert "ENHANCE_DATA is not set" in capsys.readouterr().err


def test_every_command_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is parsed to its end by the benchmark that it names, which then renders instead."""
    for name, command in COMMANDS.items():
        module = command.split()[2]
        rendered: list[str] = []
        monkeypatch.setattr(_pages, "render", lambda page, *_, to=rendered: to.append(page))
        monkeypatch.setattr("sys.argv", [module, *command.split()[3:], "--render", name])
        main = __import__(
            f"{module}.__main__" if "quality" in module else module, fromlist=["main"]
        ).main
        assert main() in (None, 0)
        assert rendered == [name]


def denoised(lost: float, photo: str, level: int, method: str = "ours") -> Denoised:
    return Denoised(f"{photo} std {level}", method, 20.0, 30.0 - lost, 30.0, 2.0, 1.0)


def test_levels_of_one_photo_are_no_photos_of_their_own() -> None:
    rows = [denoised(p / 10, f"photo{p}", level) for p in range(6) for level in (10, 20, 30, 50)]
    figures = kodak_figures(rows)
    together, each = figures["dB lost, all"], figures["dB lost, std 10"]
    assert isinstance(together, Figure)
    assert isinstance(each, Figure)
    assert (together.low, together.high) == pytest.approx((each.low, each.high))
    assert figures["worst, dB lost"] == pytest.approx(0.5)
    text = section("kodak", [vars(row) for row in rows])
    assert text.endswith("6 photos, 4 versions of each.")


def test_crops_of_one_scene_are_no_scenes_of_their_own() -> None:
    names = [f"Sony_{scene}_{crop}_real" for scene in "abcd" for crop in range(5)]
    rows = [Denoised(name, "ours", 20.0, 21.0, 22.0, 2.0, 1.0) for name in names]
    closer = polyu_figures(rows)["closer than noisy"]
    assert isinstance(closer, Figure)
    assert closer.low == pytest.approx(0.025 ** (1 / 4))  # exact, of four that all agree
    assert section("polyu", [vars(row) for row in rows]).endswith("20 photos of 4 scenes.")


def test_a_guard_that_was_never_broken_may_break_yet() -> None:
    rows = [Lit(f"lowlight {i}", "ours", (), 0.1, second) for i, second in enumerate([9, 1, 1])]
    figures = lowlight_figures(rows)
    broken = figures["breaks any guard"]
    assert isinstance(broken, Figure)
    assert broken.high == pytest.approx(1 - 0.025 ** (1 / 3))
    assert figures["median seconds"] == 1  # the first run, which loads, does not count
    assert render_table(rows, lowlight_figures).endswith("| 1.00 |")
    assert {base(row.photo) for row in rows} == {"lowlight 0", "lowlight 1", "lowlight 2"}


def test_what_a_method_loads_is_loaded_before_it_is_timed() -> None:
    import torch

    seen: list[tuple[str, int]] = []
    methods = {n: lambda task, n=n: seen.append((n, task.photo.shape[-1])) for n in ("a", "b")}
    given = (Task(str(i), torch.zeros(1, 3, 200, 300)) for i in range(3))
    assert [task.name for task in warmed_up(given, methods)] == ["0", "1", "2"]
    assert seen == [("a", 128), ("b", 128)]


@pytest.mark.parametrize("module", [_pages, _photos, tasks])
def test_examples_run(module: ModuleType) -> None:
    found = doctest.testmod(module)
    assert found.attempted > 0
    assert found.failed == 0


def test_options_are_the_same_for_all() -> None:
    parser = argparse.ArgumentParser()
    _pages.add_options(parser, "mine")
    assert parser.parse_args(["--render"]).render == "mine"
    assert parser.parse_args(["--render", "other"]).render == "other"
    assert parser.parse_args([]).write is False


def test_what_was_measured_is_not_lost_with_a_page_that_cannot_be_made(tmp_path: Path) -> None:
    def page(facts: _pages.Facts) -> str:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        _pages.record("new", page, {"runs": [1]}, write=True, folder=tmp_path)
    assert json.loads((tmp_path / "new.json").read_text()) == {"runs": [1]}


def test_a_quick_trial_is_no_record(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["large", "--quick", "--write"])
    with pytest.raises(SystemExit):
        import_module("benchmarks.large").main()


def test_a_folder_with_a_blank_in_its_name_is_one_word(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    given: list[list[str]] = []

    def keep(words: list[str], **options: object) -> SimpleNamespace:
        given.append(words)
        return SimpleNamespace(returncode=0)

    monkeypatch.setenv("ENHANCE_DATA", str(tmp_path / "my photos"))
    monkeypatch.setattr("benchmarks.all.subprocess.run", keep)
    assert run(COMMANDS["tuning_kodak"]) == 0
    assert str(tmp_path / "my photos" / "data" / "kodak24") in given[0]


def test_a_retouchers_own_pixels_have_no_psnr() -> None:
    rows = [
        tone.Row("a", "same", 3.0, after, psnr, False, 0.1)
        for after, psnr in ((0.0, None), (1.0, 30.0))
    ]
    assert tone.fivek_figures(rows)["PSNR, dB"] == math.inf
