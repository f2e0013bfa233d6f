"""The studio in a real browser."""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from torch import Tensor

from enhance.studio.session import Session

if TYPE_CHECKING:
    from selenium.webdriver import Chrome


@pytest.fixture(scope="module")
def address(coffee: Tensor, scorer_file: str) -> Iterator[str]:
    """Where the studio of a photo is served."""
    pytest.importorskip("gradio", reason="needs the extra studio")
    from enhance.studio.page import build

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Gradio's own dependencies
        page = build(Session(coffee, ["contrast", "saturation"], scorer_file))
        _, url, _ = page.launch(
            server_name="127.0.0.1", prevent_thread_lock=True, quiet=True, share=False
        )
        yield url
        page.close()


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
