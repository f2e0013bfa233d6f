"""The pages in a real browser: Chromium without a window."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from selenium.webdriver import Chrome
    from selenium.webdriver.remote.webelement import WebElement

KINDS = ("enhanced", "refused", "sheet")


@pytest.fixture
def show(browser: Chrome, pages: dict[str, str], tmp_path: Path) -> Any:
    """A function that opens a page of a kind on a screen of a width and colour scheme."""

    def open_page(kind: str, width: int = 1000, scheme: str = "light") -> Chrome:
        path = tmp_path / f"{kind}.html"
        path.write_text(pages[kind], encoding="utf-8")
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        screen = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
        browser.get(path.as_uri())
        return browser

    yield open_page
    assert [entry["message"] for entry in browser.get_log("browser")] == []


def first(browser: Chrome, selector: str) -> WebElement:
    return browser.find_element("css selector", selector)


def seam(browser: Chrome) -> float:
    """Where the visible part of the photo before ends, as a share of the width."""
    script = """
        const figure = document.querySelector(".compare"), box = figure.getBoundingClientRect();
        const clip = getComputedStyle(figure.querySelector(".before")).clipPath;
        const line = figure.querySelector(".line").getBoundingClientRect();
        return [clip, (line.left + line.width / 2 - box.left) / box.width];
    """
    clip, place = browser.execute_script(script)
    assert clip == f"inset(0px {100 - round(100 * place)}% 0px 0px)" or "calc" in clip, clip
    return place


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1000])
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_overflows_and_everything_is_legible(
    show: Any, kind: str, width: int, scheme: str
) -> None:
    browser = show(kind, width, scheme)
    wide = browser.execute_script(
        """return [...document.querySelectorAll("body *")].filter(
            e => e.getBoundingClientRect().right > innerWidth + .5).map(e => e.outerHTML)"""
    )
    assert wide == []
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    assert browser.execute_script(
        "return [...document.images].every(i => i.complete && i.naturalWidth > 0)"
    )
    page, *inks = browser.execute_script(
        """const colours = s => getComputedStyle(document.documentElement).getPropertyValue(s);
           return ["--page", "--ink", "--soft", "--good", "--bad", "--still", "--after"].map(
               colours)"""
    )
    assert (luminance(page) > 0.5) == (scheme == "light")
    for ink in inks:
        lighter, darker = sorted((luminance(page), luminance(ink)), reverse=True)
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5, ink  # WCAG 2 level AA
    body = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert body == "rgb({}, {}, {})".format(*channels(page))


def channels(colour: str) -> list[int]:
    digits = colour.strip().removeprefix("#")
    if len(digits) == 3:
        digits = "".join(2 * digit for digit in digits)
    return [int(digits[at : at + 2], 16) for at in (0, 2, 4)]


def luminance(colour: str) -> float:
    """Relative luminance by WCAG 2."""
    red, green, blue = (
        level / 12.92 if level <= 0.04045 else ((level + 0.055) / 1.055) ** 2.4
        for level in (channel / 255 for channel in channels(colour))
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("kind", ["enhanced", "sheet"])
def test_the_slider_obeys_the_keyboard(show: Any, kind: str) -> None:
    from selenium.webdriver import ActionChains
    from selenium.webdriver.common.keys import Keys

    browser = show(kind)
    assert seam(browser) == pytest.approx(0.5, abs=0.01)
    for _ in range(5):
        ActionChains(browser).send_keys(Keys.TAB).perform()
        if browser.switch_to.active_element == first(browser, ".compare input"):
            break
    assert (
        browser.execute_script(
            "return getComputedStyle(document.querySelector('.compare')).outlineStyle"
        )
        == "solid"
    )
    ActionChains(browser).send_keys(Keys.ARROW_RIGHT * 10).perform()
    assert seam(browser) == pytest.approx(0.6, abs=0.01)
    ActionChains(browser).send_keys(Keys.HOME).perform()
    assert seam(browser) == pytest.approx(0, abs=0.01)


def test_the_slider_follows_the_mouse(show: Any) -> None:
    from selenium.webdriver import ActionChains

    browser = show("enhanced")
    figure = first(browser, ".compare")
    quarter = figure.size["width"] // 4
    mouse = ActionChains(browser).move_to_element(figure).click_and_hold()
    mouse.move_by_offset(quarter, 0).perform()
    assert seam(browser) == pytest.approx(0.75, abs=0.02)
    ActionChains(browser).release().move_by_offset(-2 * quarter, 0).perform()
    assert seam(browser) == pytest.approx(0.75, abs=0.02)  # let go, it stays


def test_the_slider_follows_a_finger(show: Any) -> None:
    browser = show("enhanced", 360)
    browser.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})
    box = browser.execute_script(
        "const b = document.querySelector('.compare').getBoundingClientRect();"
        "return [b.left, b.top, b.width, b.height]"
    )
    for kind, share in (("touchStart", 0.5), ("touchMove", 0.4), ("touchMove", 0.2)):
        point = {"x": box[0] + share * box[2], "y": box[1] + box[3] / 2}
        browser.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [point]})
    assert seam(browser) == pytest.approx(0.2, abs=0.02)
    browser.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    browser.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": False})


def test_filters_show_one_verdict(show: Any) -> None:
    browser = show("sheet")

    def shown() -> list[str]:
        cards = browser.find_elements("css selector", "article")
        return [c.get_attribute("data-verdict") for c in cards if c.is_displayed()]

    assert shown() == ["enhanced", "enhanced", "untouched", "failed"]
    for verdict, count in (("enhanced", 2), ("untouched", 1), ("failed", 1)):
        first(browser, f"label:has(#show-{verdict})").click()
        assert shown() == [verdict] * count
    first(browser, "label:has(#show-all)").click()
    assert len(shown()) == 4
