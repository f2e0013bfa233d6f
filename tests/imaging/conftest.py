from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from enhance.imaging.files import read
from enhance.imaging.photo import Photo


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.fixture
def noise(rng: np.random.Generator) -> np.ndarray:
    """A (7, 9, 3) uint8 image in which no two pixels are alike."""
    return rng.integers(0, 256, (7, 9, 3), dtype=np.uint8)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, so that messages show short paths."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def photo(folder: Path, noise: np.ndarray) -> Photo:
    """The noise as it was read from ``a.png`` in the working folder."""
    Image.fromarray(noise).save(folder / "a.png")
    return read("a.png")


@pytest.fixture
def exif() -> Image.Exif:
    """EXIF with an orientation of 6 (stored lying, to be turned clockwise), sizes and a place."""
    tags = Image.Exif()
    tags[0x010F] = "Maker"
    tags[0x0112] = 6
    tags[0x8769] = {0x9003: "2020:01:01 00:00:00", 0xA002: 9, 0xA003: 7}
    tags[0x8825] = {1: "N", 2: (1.0, 2.0, 3.0)}
    return tags


@pytest.fixture
def xmp() -> bytes:
    return b'<x:xmpmeta xmlns:x="adobe:ns:meta/" tiff:Orientation="6" dc:title="a title"/>'


@pytest.fixture(autouse=True)
def _extra_of_suffix(request: pytest.FixtureRequest) -> None:
    """Skip what a test asks of a format whose extra is not installed, by its parameter `suffix`."""
    suffix = getattr(request.node, "callspec", None) and request.node.callspec.params.get("suffix")
    module = {".heic": "pillow_heif", ".heif": "pillow_heif", ".exr": "OpenEXR"}.get(suffix)
    if module is not None:
        pytest.importorskip(module, reason="needs an extra")
