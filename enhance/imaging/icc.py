"""ICC profiles: from a photo's own colour space to sRGB and back, in float.

Cameras and editors embed profiles made of three primaries and a tone curve each (Adobe RGB,
Display P3, ProPhoto), or one curve for grey. Pillow's LittleCMS binding converts those at 8
bits only, which bands and cannot serve 16-bit files, so they are evaluated here in float.
Profiles made of tables (CMYK, scanners) go through LittleCMS.

Source: ICC.1:2022 (profile version 4.4), sections 8.3, 10.6 (curveType) and 10.18
(parametricCurveType).
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

# columns: sRGB's primaries adapted to the D50 of the profile connection space
SRGB_TO_XYZ = np.array(
    [[0.43607, 0.38515, 0.14307], [0.22249, 0.71687, 0.06061], [0.01392, 0.09708, 0.71410]]
)


class Profile(Protocol):
    """Converts ``(H, W, C)`` in [0, 1] between a photo's colour space and sRGB."""

    def to_srgb(self, native: Floats) -> Floats:
        """To gamma-encoded sRGB, ``(H, W, 3)`` (``(H, W, 1)`` from grey), clipped to [0, 1]."""

    def from_srgb(self, srgb: Floats) -> Floats:
        """Back to the photo's own colour space."""


class Curve(Protocol):
    """A tone curve between an encoded value and linear light, both in [0, 1]."""

    def decode(self, encoded: Floats) -> Floats:
        """Encoded value to linear light."""

    def encode(self, linear: Floats) -> Floats:
        """Linear light to encoded value."""


@dataclass(frozen=True)
class ParametricCurve:
    """``(a x + b)^g + e`` from `d` upwards, ``c x + f`` below (parametricCurveType 4)."""

    g: float
    a: float = 1.0
    b: float = 0.0
    c: float = 0.0
    d: float = 0.0
    e: float = 0.0
    f: float = 0.0

    def decode(self, encoded: Floats) -> Floats:
        power: Floats = np.maximum(self.a * encoded + self.b, 0) ** np.float32(self.g) + self.e
        return np.where(encoded >= self.d, power, self.c * encoded + self.f).astype(np.float32)

    def encode(self, linear: Floats) -> Floats:
        power = (np.maximum(linear - self.e, 0) ** np.float32(1 / self.g) - self.b) / self.a
        if self.c == 0:
            return np.asarray(power, np.float32)
        start = (self.a * self.d + self.b) ** self.g + self.e
        return np.where(linear >= start, power, (linear - self.f) / self.c).astype(np.float32)


@dataclass(frozen=True)
class TableCurve:
    """Samples at equal steps, linear in between (curveType)."""

    table: Floats

    def decode(self, encoded: Floats) -> Floats:
        return np.interp(encoded, self._grid(), self.table).astype(np.float32)

    def encode(self, linear: Floats) -> Floats:
        return np.interp(linear, self.table, self._grid()).astype(np.float32)

    def _grid(self) -> Floats:
        return np.linspace(0, 1, len(self.table), dtype=np.float32)


SRGB_CURVE = ParametricCurve(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


@dataclass(frozen=True)
class MatrixProfile:
    """Three tone curves and a matrix to XYZ (D50)."""

    curves: tuple[Curve, Curve, Curve]
    to_xyz: NDArray[np.float64]

    def to_srgb(self, native: Floats) -> Floats:
        linear = np.stack([c.decode(native[..., i]) for i, c in enumerate(self.curves)], -1)
        matrix = np.linalg.solve(SRGB_TO_XYZ, self.to_xyz).astype(np.float32)
        return SRGB_CURVE.encode(np.clip(linear @ matrix.T, 0, 1))

    def from_srgb(self, srgb: Floats) -> Floats:
        matrix = np.linalg.solve(self.to_xyz, SRGB_TO_XYZ).astype(np.float32)
        linear = np.clip(SRGB_CURVE.decode(srgb) @ matrix.T, 0, 1)
        return np.stack([c.encode(linear[..., i]) for i, c in enumerate(self.curves)], -1)


@dataclass(frozen=True)
class GreyProfile:
    """One tone curve."""

    curve: Curve

    def to_srgb(self, native: Floats) -> Floats:
        return SRGB_CURVE.encode(np.clip(self.curve.decode(native), 0, 1))

    def from_srgb(self, srgb: Floats) -> Floats:
        return self.curve.encode(SRGB_CURVE.decode(srgb))


@dataclass(frozen=True)
class TableProfile:
    """Any other profile, through LittleCMS at 8 bits, relative colorimetric."""

    data: bytes
    mode: str

    def to_srgb(self, native: Floats) -> Floats:
        return self._convert(native, self.mode, "RGB")

    def from_srgb(self, srgb: Floats) -> Floats:
        return self._convert(srgb, "RGB", self.mode)

    def _convert(self, values: Floats, source: str, target: str) -> Floats:
        from PIL import Image, ImageCms

        own = ImageCms.ImageCmsProfile(io.BytesIO(self.data))
        srgb = ImageCms.createProfile("sRGB")
        before, after = (own, srgb) if source == self.mode else (srgb, own)
        eight = np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)
        image = Image.fromarray(eight[..., 0] if eight.shape[-1] == 1 else eight, source)
        intent = ImageCms.Intent.RELATIVE_COLORIMETRIC
        converted = ImageCms.profileToProfile(image, before, after, intent, target)
        array = np.asarray(converted, np.float32) / np.float32(255)
        return array.reshape(*array.shape[:2], -1)


def load_profile(data: bytes | None, layout: str) -> Profile | None:
    """The conversion that a photo needs, or None where it is sRGB already.

    Args:
        data: an ICC profile's bytes, or None when the photo has none (sRGB is assumed).
        layout: ``"L"``, ``"RGB"`` or ``"CMYK"``.

    A damaged profile, or one for another layout, is ignored as viewers do: None.
    """
    if data is None:
        return None
    try:
        profile = _parse(data, layout)
        # a lattice shows both whether it works and whether it does anything
        lattice = _lattice(len(layout))
        shown = profile.to_srgb(lattice)
        profile.from_srgb(shown)
    except (ValueError, KeyError, IndexError, struct.error, OSError, np.linalg.LinAlgError):
        return None
    if not np.isfinite(shown).all():
        return None
    if lattice.shape == shown.shape and np.abs(shown - lattice).max() < 0.5 / 255:
        return None
    return profile


def srgb_profile() -> bytes:
    """The bytes of a plain sRGB profile, to embed where a photo was converted to sRGB."""
    from PIL import ImageCms

    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def _lattice(channels: int) -> Floats:
    axes = [np.linspace(0, 1, 6, dtype=np.float32)] * channels
    return np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(6, -1, channels)


def _parse(data: bytes, layout: str) -> Profile:
    space = data[16:20].decode("ascii").strip()
    if space != {"L": "GRAY"}.get(layout, layout):
        raise ValueError(f"a profile for {space} on {layout} samples")
    (count,) = struct.unpack_from(">I", data, 128)
    tags: dict[bytes, bytes] = {}
    for index in range(min(count, 200)):
        name, offset, size = struct.unpack_from(">4sII", data, 132 + 12 * index)
        tags[name] = data[offset : offset + size]
    if layout == "L":
        return GreyProfile(_curve(tags[b"kTRC"]))
    if layout == "RGB" and b"rXYZ" in tags:
        red, green, blue = (_curve(tags[name]) for name in (b"rTRC", b"gTRC", b"bTRC"))
        columns = [struct.unpack_from(">3i", tags[name], 8) for name in (b"rXYZ", b"gXYZ", b"bXYZ")]
        return MatrixProfile((red, green, blue), np.array(columns).T / 65536)
    return TableProfile(data, layout)


def _curve(data: bytes) -> Curve:
    if data[:4] == b"curv":
        (count,) = struct.unpack_from(">I", data, 8)
        if count == 0:
            return ParametricCurve(1.0)
        samples = struct.unpack_from(f">{count}H", data, 12)
        if count == 1:
            return ParametricCurve(samples[0] / 256)
        return TableCurve(np.array(samples, np.float32) / np.float32(65535))
    if data[:4] == b"para":
        (kind,) = struct.unpack_from(">H", data, 8)
        length = (1, 3, 4, 5, 7)[kind]
        values = [v / 65536 for v in struct.unpack_from(f">{length}i", data, 12)]
        if kind in (1, 2):  # below -b / a these two hold a constant
            g, a, b = values[:3]
            constant = values[3] if kind == 2 else 0.0
            return ParametricCurve(g, a, b, 0.0, -b / a, constant, constant)
        return ParametricCurve(*values)
    raise ValueError(f"unknown tone curve {data[:4]!r}")
