"""OpenEXR: light above white, further channels and attributes survive."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from enhance.errors import ReadError
from enhance.imaging.files import read, write

OpenEXR = pytest.importorskip("OpenEXR", reason="needs the extra exr")

ADOBE = (0.64, 0.33, 0.21, 0.71, 0.15, 0.06, 0.3127, 0.3290)


def save(path: str, channels: dict[str, np.ndarray], **header: object) -> None:
    kinds = {"compression": OpenEXR.PIZ_COMPRESSION, "type": OpenEXR.scanlineimage}
    OpenEXR.File(kinds | header, channels).write(path)


def opened(path: str) -> tuple[dict[str, object], dict[str, np.ndarray]]:
    file = OpenEXR.File(path, separate_channels=True)
    header = {k: str(v) for k, v in file.header().items() if k != "channels"}
    return header, {name: channel.pixels for name, channel in file.channels().items()}


def light(rng: np.random.Generator, channels: int, dtype: str = "float16") -> np.ndarray:
    """Scene light from below zero to four times white."""
    return (rng.random((7, 9, channels)) * 4.1 - 0.1).astype(dtype)


@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize("names", ["RGB", "RGBA", "Y", "YA"])
@pytest.mark.parametrize("primaries", [None, ADOBE])
def test_identity_changes_no_sample_channel_or_attribute(
    names: str, dtype: str, primaries: tuple[float, ...] | None, folder: Path,
    rng: np.random.Generator,
) -> None:  # fmt: skip
    samples = light(rng, len(names), dtype)
    planes = {name: samples[..., i].copy() for i, name in enumerate(names)}
    planes["Z"] = rng.random((7, 9)).astype(np.float32)
    header = {"owner": "someone", "xDensity": 300.0, "pixelAspectRatio": 1.0}
    save("a.exr", planes, **header, **({"chromaticities": primaries} if primaries else {}))
    photo = read("a.exr")
    write(photo, photo.pixels, "b.exr")
    (before, planes), (after, again) = opened("a.exr"), opened("b.exr")
    assert after == before
    assert "someone" in after.values()
    assert planes.keys() == again.keys()
    for name, plane in planes.items():
        assert again[name].dtype == plane.dtype
        assert np.array_equal(again[name], plane)


def test_shown_as_srgb(folder: Path) -> None:
    values = np.array([[-1, 0, 0.214, 1, 7]], np.float16)
    save("a.exr", {name: values.copy() for name in "RGB"})
    photo = read("a.exr")
    assert photo.pixels[0, 0, 0].tolist() == pytest.approx([0, 0, 0.5, 1, 1], abs=1e-3)
    # a picture for the screen, and deep files, are in sRGB too
    assert np.asarray(photo.like_input(photo.pixels))[0, -1].tolist() == [255, 255, 255]
    write(photo, photo.pixels, "b.png")
    assert torch.allclose(read("b.png").pixels, photo.pixels, atol=1 / 65535)


def test_other_primaries_keep_neutrals_and_gain_colour(folder: Path) -> None:
    green = {"R": 0.2, "G": 0.5, "B": 0.2}
    planes = {name: np.full((2, 2), value, np.float32) for name, value in green.items()}
    save("a.exr", planes)
    save("b.exr", planes, chromaticities=ADOBE)
    plain, wide = read("a.exr").pixels[0, :, 0, 0], read("b.exr").pixels[0, :, 0, 0]
    assert wide[1] - wide[0] > plain[1] - plain[0] + 0.05
    grey = {name: np.full((2, 2), 0.5, np.float32) for name in "RGB"}
    save("c.exr", grey, chromaticities=ADOBE)
    assert read("c.exr").pixels.std() < 1e-4


def test_a_change_arrives_and_light_above_white_stays_above(
    folder: Path, rng: np.random.Generator
) -> None:
    samples = light(rng, 3, "float32")
    save("a.exr", {name: samples[..., i].copy() for i, name in enumerate("RGB")})
    photo = read("a.exr")
    wanted = photo.pixels * 0.5
    write(photo, wanted, "b.exr")
    planes = opened("b.exr")[1]
    again = np.stack([planes[name] for name in "RGB"], -1)
    inside = (samples > 0) & (samples < 1)
    back = read("b.exr").pixels[0].permute(1, 2, 0).numpy()
    assert np.allclose(back[inside], wanted[0].permute(1, 2, 0).numpy()[inside], atol=1e-5)
    assert (again[samples > 2] > 1).all()


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_8_bits_survive_a_half(mode: str, folder: Path, rng: np.random.Generator) -> None:
    array = rng.integers(0, 256, (7, 9, 4), dtype=np.uint8)
    image = Image.fromarray(array, "RGBA").convert(mode)
    image.save("a.png", dpi=(300, 300))
    photo = read("a.png")
    write(photo, photo.pixels, "b.exr")
    again = read("b.exr")
    seen = torch.ones(7, 9, dtype=torch.bool) if photo.alpha is None else photo.alpha[0, 0] > 0
    assert torch.equal(
        again.pixels[..., seen].mul(255).round(), photo.pixels[..., seen].mul(255).round()
    )
    assert (again.alpha is None) == (photo.alpha is None)
    header, planes = opened("b.exr")
    assert float(str(header["xDensity"])) == pytest.approx(300, abs=0.01)
    assert "".join(sorted(planes)) == {"L": "Y", "LA": "AY", "RGB": "BGR"}.get(mode, "ABGR")
    assert {plane.dtype.name for plane in planes.values()} == {"float16"}
    back = again.like_input(again.pixels)
    assert back.mode == mode
    moved = np.abs(np.asarray(back).astype(int) - np.asarray(image))[seen.numpy()]
    assert moved.max() <= 1  # dithered


def test_colours_are_divided_by_alpha_on_reading_and_multiplied_on_writing(folder: Path) -> None:
    half = {"R": 0.25, "G": 0.25, "B": 0.25, "A": 0.5}
    planes = {name: np.full((2, 2), value, np.float32) for name, value in half.items()}
    planes["A"][0, 0] = 0  # light on its own
    save("a.exr", planes)
    photo = read("a.exr")
    write(photo, photo.pixels, "b.png")
    with Image.open("b.png") as image:
        assert image.convert("RGBA").getpixel((1, 1)) == (188, 188, 188, 128)  # 0.5 of the light
    Image.new("RGBA", (2, 2), (188, 188, 188, 128)).save("c.png")
    straight = read("c.png")
    write(straight, straight.pixels, "d.exr")
    again = opened("d.exr")[1]
    assert again["A"][1, 1] == pytest.approx(128 / 255, abs=1e-3)
    assert again["R"][1, 1] == pytest.approx(0.5 * 128 / 255, abs=2e-3)
    write(photo, photo.pixels * 0 + 1, "e.exr")
    white = opened("e.exr")[1]
    assert white["G"][1, 1] == pytest.approx(0.5, abs=1e-5)
    assert white["G"][0, 0] == 0.25


def test_what_is_no_photo(folder: Path, rng: np.random.Generator) -> None:
    plane = rng.random((64, 64)).astype(np.float32)
    save("depth.exr", {"Z": plane})
    save("mixed.exr", {"R": plane, "G": plane, "B": plane.astype(np.float16)})
    save("whole.exr", {name: plane.copy() for name in "RGB"})
    save("nan.exr", {name: np.full((2, 2), np.nan, np.float32) for name in "RGB"})
    data = Path("whole.exr").read_bytes()
    Path("cut.exr").write_bytes(data[:-4000])
    Path("head.exr").write_bytes(data[:40])
    part = OpenEXR.Part({}, {"Z": plane}, "a")
    OpenEXR.File([part, OpenEXR.Part({}, {"Z": plane}, "b")]).write("parts.exr")
    for name, message in {
        "depth.exr": "it must have the channels R, G and B, or Y; got Z",
        "mixed.exr": "its channels must be floats of one kind and size, got float16, float32",
        "nan.exr": "pixels must be finite, got nan at row 0, column 0",
        "cut.exr": "damaged OpenEXR: ",
        "head.exr": "damaged OpenEXR: ",
        "parts.exr": "a photo has one part, this has 2",
    }.items():
        with pytest.raises(ReadError, match=re.escape(f"cannot read {name}: {message}")) as caught:
            read(name)
        assert "\n" not in str(caught.value)
    with pytest.raises(ReadError, match="at most 4095 pixels are allowed, got 64 x 64 = 4096"):
        read("whole.exr", max_pixels=4095)
