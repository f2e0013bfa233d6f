"""Fixtures for every test: small real photos, and the shared material where there is some."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
from hypothesis import settings
from torch import Tensor

from scorers.card import Architecture, ModelCard
from scorers.preprocess import Preprocess
from scorers.scorer import Scorer

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip

settings.register_profile("local", deadline=None, max_examples=25)
settings.register_profile("ci", deadline=None, max_examples=25, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")

# tests run in several processes: threads of one would only take cores from another
torch.set_num_threads(1)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder that holds `data/` and `weights/`, from the environment variable ENHANCE_DATA."""
    folder = os.environ.get("ENHANCE_DATA")
    if folder is None:
        pytest.skip("set ENHANCE_DATA to a folder that holds data/ and weights/")
    path = Path(folder)
    missing = [name for name in ("data", "weights") if not (path / name).is_dir()]
    if missing:
        pytest.fail(f"ENHANCE_DATA={folder} holds no {' and no '.join(missing)}")
    return path


def _photo(name: str, top: int, left: int, height: int, width: int) -> Tensor:
    from skimage import data

    pixels = getattr(data, name)()[top : top + height, left : left + width, :3]
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].float() / 255


@pytest.fixture(scope="session")
def coffee() -> Tensor:
    """A (1, 3, 96, 128) crop of a cup on a table: edges, texture, highlights."""
    return _photo("coffee", 90, 180, 96, 128)


@pytest.fixture(scope="session")
def astronaut() -> Tensor:
    """A (1, 3, 96, 96) crop of a portrait: skin and smooth flats."""
    return _photo("astronaut", 60, 170, 96, 96)


@pytest.fixture(scope="session")
def chelsea() -> Tensor:
    """A (1, 3, 80, 112) crop of a cat: fine fur."""
    return _photo("chelsea", 70, 120, 80, 112)


@pytest.fixture(scope="session")
def coffee_file(coffee: Tensor, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The coffee crop as a PNG file. Shared: do not write to it."""
    from PIL import Image

    path = tmp_path_factory.mktemp("photos") / "coffee.png"
    array = coffee[0].permute(1, 2, 0).mul(255).round().byte().numpy()
    Image.fromarray(array).save(path)
    return path


@pytest.fixture(scope="session")
def scorer_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A scorer that knows nothing but is quick, and the same in every run."""
    torch.manual_seed(0)
    card = ModelCard(
        "tiny", Architecture("mobilenet_v1", {"width": 0.25}), preprocess=Preprocess(size=64)
    )
    path = tmp_path_factory.mktemp("scorer") / "tiny.safetensors"
    Scorer.untrained(card).save(path)
    return str(path)


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    """Chromium without a window; its messages are kept."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="needs selenium")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    driver = shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.skip("needs chromium and chromedriver (Debian: chromium, chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    chrome = webdriver.Chrome(options, webdriver.ChromeService(driver))
    yield chrome
    chrome.quit()
