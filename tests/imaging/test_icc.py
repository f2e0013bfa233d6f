"""ICC conversions against LittleCMS, and back again."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from enhance.imaging.icc import SRGB_CURVE, GreyProfile, MatrixProfile, load_profile
from enhance.imaging.intake import as_photo

D50 = (0.9642, 1.0, 0.8249)
# primaries adapted to D50, one column each, and curves as stored in common profiles
ADOBE = [(0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457)]
P3 = [(0.51512, 0.2412, -0.00105), (0.29198, 0.69225, 0.04189), (0.1571, 0.06657, 0.78407)]
SRGB = [(0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.7141)]


def fixed(*values: float) -> bytes:
    return b"".join(struct.pack(">i", round(v * 65536)) for v in values)


def gamma(value: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(value * 256)) + b"\0\0"


def table(power: float, count: int = 256) -> bytes:
    samples = (np.linspace(0, 1, count) ** power * 65535).round().astype(">u2")
    return b"curv\0\0\0\0" + struct.pack(">I", count) + samples.tobytes()


def parametric(kind: int, *values: float) -> bytes:
    return b"para\0\0\0\0" + struct.pack(">HH", kind, 0) + fixed(*values)


SRGB_PARA = parametric(3, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


def profile(space: bytes, tags: dict[bytes, bytes]) -> bytes:
    tags = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", 2) + b"x\0" + bytes(78 + 11),
        b"wtpt": b"XYZ \0\0\0\0" + fixed(*D50),
        **tags,
    }
    offset = 128 + 4 + 12 * len(tags)
    directory, body = struct.pack(">I", len(tags)), b""
    for name, data in tags.items():
        data += b"\0" * (-len(data) % 4)
        directory += struct.pack(">4sII", name, offset + len(body), len(data))
        body += data
    head = struct.pack(
        ">I4sI4s4s4s12s4s4sIII8sI12s4s44s",
        offset + len(body), b"lcms", 0x02400000, b"mntr", space, b"XYZ ", bytes(12), b"acsp",
        b"\0\0\0\0", 0, 0, 0, bytes(8), 0, fixed(*D50), b"\0\0\0\0", bytes(44),
    )  # fmt: skip
    return head + directory + body


def rgb_profile(primaries: list[tuple[float, ...]], curve: bytes) -> bytes:
    tags = {}
    for letter, column in zip((b"r", b"g", b"b"), primaries, strict=True):
        tags[letter + b"XYZ"] = b"XYZ \0\0\0\0" + fixed(*column)
        tags[letter + b"TRC"] = curve
    return profile(b"RGB ", tags)


PROFILES = {
    "adobe-rgb": rgb_profile(ADOBE, gamma(2.19921875)),
    "display-p3": rgb_profile(P3, SRGB_PARA),
    "table": rgb_profile(ADOBE, table(1.8)),
    "linear": rgb_profile(P3, b"curv\0\0\0\0" + struct.pack(">I", 0)),
    "para-1": rgb_profile(ADOBE, parametric(1, 2.2, 0.95, 0.05)),
    "para-2": rgb_profile(ADOBE, parametric(2, 2.2, 0.9, 0.05, 0.02)),
    "para-4": rgb_profile(P3, parametric(4, 2.4, 0.94, 0.05, 0.08, 0.04, 0.01, 0.0)),
}


def cms(data: bytes, image: Image.Image) -> np.ndarray:
    own = ImageCms.ImageCmsProfile(io.BytesIO(data))
    srgb = ImageCms.createProfile("sRGB")
    intent = ImageCms.Intent.RELATIVE_COLORIMETRIC
    result = ImageCms.profileToProfile(image, own, srgb, intent, "RGB")
    assert result is not None
    return np.asarray(result).astype(int)


@pytest.mark.parametrize("name", PROFILES)
def test_to_srgb_agrees_with_littlecms(name: str, rng: np.random.Generator) -> None:
    samples = rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)
    conversion = load_profile(PROFILES[name], "RGB")
    assert isinstance(conversion, MatrixProfile)
    ours = conversion.to_srgb(samples.astype(np.float32) / np.float32(255)) * 255
    assert np.abs(ours - cms(PROFILES[name], Image.fromarray(samples))).max() < 1.6


@pytest.mark.parametrize("name", PROFILES)
def test_what_srgb_holds_comes_back(name: str, rng: np.random.Generator) -> None:
    conversion = load_profile(PROFILES[name], "RGB")
    assert conversion is not None
    # curves that are flat near black cannot be inverted there
    srgb = 0.1 + 0.9 * rng.random((16, 16, 3), np.float32)
    again = conversion.to_srgb(conversion.from_srgb(srgb))
    inside = (conversion.from_srgb(srgb) > 1e-3).all(-1) & (conversion.from_srgb(srgb) < 1).all(-1)
    assert inside.mean() > 0.5
    assert np.abs(again - srgb)[inside].max() < 1e-4


def test_grey_profile() -> None:
    data = profile(b"GRAY", {b"kTRC": gamma(1.0)})
    conversion = load_profile(data, "L")
    assert isinstance(conversion, GreyProfile)
    half = np.full((1, 1, 1), 0.21404, np.float32)
    assert conversion.to_srgb(half).item() == pytest.approx(0.5, abs=1e-4)
    assert conversion.from_srgb(conversion.to_srgb(half)).item() == pytest.approx(0.21404, abs=1e-6)


def test_srgb_in_disguise_needs_no_conversion() -> None:
    assert (
        load_profile(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(), "RGB")
        is None
    )
    assert load_profile(rgb_profile(SRGB, SRGB_PARA), "RGB") is None


@pytest.mark.parametrize(
    ("data", "layout"),
    [
        (None, "RGB"),
        (b"", "RGB"),
        (b"nonsense" * 40, "RGB"),
        (PROFILES["adobe-rgb"], "L"),
        (PROFILES["adobe-rgb"], "CMYK"),
        (PROFILES["adobe-rgb"][:300], "RGB"),
        (rgb_profile([(0, 0, 0)] * 3, gamma(2.2)), "RGB"),
    ],
)
def test_a_useless_profile_is_ignored(data: bytes | None, layout: str) -> None:
    assert load_profile(data, layout) is None


@pytest.mark.parametrize("name", PROFILES)
def test_identity_keeps_every_pixel_also_outside_srgb(name: str, rng: np.random.Generator) -> None:
    image = Image.fromarray(rng.integers(0, 256, (24, 24, 3), dtype=np.uint8))
    image.info["icc_profile"] = PROFILES[name]
    photo = as_photo(image)
    back = photo.like_input(photo.pixels)
    assert np.array_equal(np.asarray(back), np.asarray(image))
    assert back.info["icc_profile"] == PROFILES[name]


def test_a_change_is_made_in_the_photos_own_space() -> None:
    # a mid grey is neutral in either space, so a change of it must come out as LittleCMS has it
    image = Image.new("RGB", (4, 4), (100, 100, 100))
    image.info["icc_profile"] = PROFILES["adobe-rgb"]
    photo = as_photo(image)
    brighter = photo.like_input(photo.pixels + 0.2)
    expected = photo.pixels[0, :, 0, 0].numpy() * 255 + 51
    assert np.abs(cms(PROFILES["adobe-rgb"], brighter)[0, 0] - expected).max() < 1.6


def test_the_curve_of_srgb_and_its_inverse() -> None:
    values = np.linspace(0, 1, 1001, dtype=np.float32)
    light = SRGB_CURVE.decode(values)
    assert np.abs(SRGB_CURVE.encode(light) - values).max() < 1e-5
    assert (np.diff(light) > 0).all()
    # IEC 61966-2-1: mid grey 0.5 is 21.4 % of the light
    assert light[500] == pytest.approx(0.21404, abs=1e-5)
