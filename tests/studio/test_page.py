"""The studio in a real browser."""

from __future__ import annotations

import json
import math
import re
import tempfile
import time
import urllib.request
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from torch import Tensor

from enhance.errors import ParameterError
from enhance.studio.session import StudioSession

if TYPE_CHECKING:
    from selenium.webdriver import Chrome


@pytest.fixture(scope="module")
def address(coffee: Tensor, scorer_file: str) -> Iterator[str]:
    """Where the studio of a photo is served."""
    pytest.importorskip("gradio", reason="needs the extra studio")
    from enhance.studio.page import opened

    session = StudioSession(coffee, ["contrast", "saturation"], scorer_file)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Gradio's own dependencies
        with opened(session) as (_, url):
            yield url


@pytest.fixture
def studio(browser: Chrome, address: str) -> Chrome:
    browser.get(address)
    until(lambda: browser.find_elements("css selector", "#slider-contrast input[type=range]"))
    return browser


def until(found: Callable[[], Any], seconds: float = 300) -> Any:
    """Wait for what the page does by itself."""
    end = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < end, "the page did not answer in time"
        time.sleep(0.1)
    return value


def text(browser: Chrome, selector: str) -> str:
    return browser.find_element("css selector", selector).text


def move(browser: Chrome, name: str, value: float) -> None:
    """Move a slider as a hand would, and let go."""
    browser.execute_script(
        """const range = document.querySelector(`#slider-${arguments[0]} input[type=range]`);
           range.value = arguments[1];
           range.dispatchEvent(new Event("input", {bubbles: true}));
           range.dispatchEvent(new PointerEvent("pointerup", {bubbles: true}));
           range.dispatchEvent(new MouseEvent("mouseup", {bubbles: true}));
           range.dispatchEvent(new Event("change", {bubbles: true}));""",
        name,
        value,
    )


def call(address: str, name: str, values: list[object]) -> tuple[str, Any]:
    """What a handler of the page answers to values that no slider would give."""
    url = f"{address}gradio_api/call/{name}"
    given = urllib.request.Request(
        url, json.dumps({"data": values}).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(given) as answer:
        event = json.load(answer)["event_id"]
    with urllib.request.urlopen(f"{url}/{event}") as answer:
        kind, data = answer.read().decode().strip().split("\n")[-2:]
    return kind.removeprefix("event: "), json.loads(data.removeprefix("data: "))


def test_values_that_break_a_rule_are_answered_with_it(
    address: str, coffee: Tensor, scorer_file: str
) -> None:
    from enhance.studio.page import start_values

    start = start_values(StudioSession(coffee, ["contrast", "saturation"], scorer_file))
    assert call(address, "show", [0.1, *start[1:]])[0] == "complete"
    for name, more in (("show", []), ("save", []), ("tune", [False] * len(start))):
        for value in (None, "x", math.nan, 99):
            kind, data = call(address, name, [value, *start[1:], *more])
            assert kind == "error"
            assert "contrast must " in data["error"], data


def test_exports_leave_nothing_behind(
    address: str, coffee: Tensor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from enhance.studio.page import opened

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "gradio"))
    session = StudioSession(coffee, "contrast", lambda images: images.mean((1, 2, 3)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with opened(session) as (_, url):
            for contrast in (0.1, 0.2):
                kind, (file,) = call(url, "save", [contrast, 0.5])
                assert kind == "complete"
                recipe = json.loads(Path(file["path"]).read_text())
                assert recipe["settings"]["contrast"] == contrast
    assert not [path.name for path in tmp_path.iterdir() if path.name != "gradio"]


def test_a_port_that_is_taken_is_named(address: str, coffee: Tensor) -> None:
    from enhance.studio.page import opened

    port = int(address.rstrip("/").rsplit(":", 1)[1])
    session = StudioSession(coffee, "contrast", lambda images: images.mean((1, 2, 3)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(ParameterError, match=f"port must be a free one, got {port}"):
            opened(session, port=port).__enter__()


def test_the_command_says_where_and_nothing_else(
    address: str, coffee: Tensor, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    import gradio

    from enhance.studio.page import serve

    monkeypatch.setattr(gradio.Blocks, "block_thread", lambda page: None)
    session = StudioSession(coffee, "contrast", lambda images: images.mean((1, 2, 3)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        serve(session, browser=False)
    captured = capfd.readouterr()
    assert re.fullmatch(r"the studio is at http://127\.0\.0\.1:\d+/; .*\n", captured.out)
    assert captured.err == ""


def test_a_slider_for_every_parameter_with_a_lock(studio: Chrome) -> None:
    for name in ("contrast", "saturation", "pivot"):
        assert studio.find_elements("css selector", f"#slider-{name} input[type=range]")
        lock = studio.find_element("css selector", f"#lock-{name} input[type=checkbox]")
        assert not lock.is_selected()
    images = studio.find_elements("css selector", "#photo img")
    assert len(images) >= 2
    assert text(studio, "#score").endswith("(+0.000)")


def test_moving_a_slider_changes_score_and_picture(studio: Chrome) -> None:
    before = text(studio, "#score")
    sources = [i.get_attribute("src") for i in studio.find_elements("css selector", "#photo img")]
    move(studio, "contrast", 0.8)
    until(lambda: text(studio, "#score") != before)
    until(
        lambda: (
            [i.get_attribute("src") for i in studio.find_elements("css selector", "#photo img")]
            != sources
        )
    )
    studio.find_element("css selector", "#reset").click()
    until(lambda: text(studio, "#score").endswith("(+0.000)"))


def test_tune_says_a_verdict_and_export_gives_a_recipe(studio: Chrome, tmp_path: Path) -> None:
    studio.find_element("css selector", "#tune").click()
    assert until(lambda: text(studio, "#verdict")).split(":")[0] in ("enhanced", "untouched")
    studio.find_element("css selector", "#export").click()
    link = until(lambda: studio.find_elements("css selector", "#recipe a[href]"))[0]
    script = "const done = arguments[1]; fetch(arguments[0]).then(r => r.text()).then(done)"
    recipe = json.loads(studio.execute_async_script(script, link.get_attribute("href")))
    assert recipe["operators"] == ["contrast", "saturation"]
    assert recipe["scorer"] == "tiny"
