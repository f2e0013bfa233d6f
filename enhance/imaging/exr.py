"""OpenEXR: scene-linear light in half or single floats, without an upper bound.

Worked on as gamma-encoded sRGB like every photo, so light above white is shown as white. What that
hides is added again on writing, together with every other channel and attribute of the file.

Read through OpenEXR's own Python package, which needs numpy only. OpenImageIO would read it too,
but its wheels hold neither LibRaw nor libheif, so it would replace none of the other libraries.

Source: OpenEXR, *Technical introduction* and *Standard attributes*, openexr.com.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from enhance.errors import MissingExtraError, ReadError
from enhance.imaging.icc import SRGB_CURVE, Floats
from enhance.imaging.metadata import Tags
from enhance.imaging.opening import utf8_name
from enhance.imaging.samples import Array, Layout

MAGIC = b"\x76\x2f\x31\x01"
COLOURS: dict[Layout, tuple[str, ...]] = {
    "RGBA": ("R", "G", "B", "A"),
    "RGB": ("R", "G", "B"),
    "LA": ("Y", "A"),
    "L": ("Y",),
}
"""Channels of each layout, the fullest first."""
REC_709 = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.3290)
"""Chromaticities of sRGB's primaries and white, which a file without any has."""


TRACE = 1e-6
"""Alpha up to here tells nothing about the colour below, and dividing by it could overflow."""


@dataclass(frozen=True)
class SceneLight:
    """Linear light to sRGB and back; see `enhance.imaging.icc.Profile`.

    The file's colours are multiplied with its alpha, those of a photo are not. Where alpha is 0
    they are light on its own, which stays as it is.

    Attributes:
        to_rec709: matrix from the file's primaries to those of sRGB; None for grey.
        alpha: ``(H, W, 1)``, or None.
    """

    to_rec709: NDArray[np.float32] | None = None
    alpha: Floats | None = None

    def to_srgb(self, native: Floats) -> Floats:
        if self.alpha is not None:
            native = np.divide(native, np.where(self.alpha > TRACE, self.alpha, np.float32(1)))
        if self.to_rec709 is not None:
            native = native @ self.to_rec709.T
        return SRGB_CURVE.encode(np.clip(native, 0, 1))

    def from_srgb(self, srgb: Floats) -> Floats:
        linear = SRGB_CURVE.decode(srgb)
        if self.to_rec709 is not None:
            linear = linear @ np.linalg.inv(self.to_rec709).T.astype(np.float32)
        if self.alpha is not None:
            linear = linear * np.maximum(self.alpha, 0)
        return linear


def is_exr(path: Path) -> bool:
    """Whether the file starts as an OpenEXR file does."""
    with path.open("rb") as file:
        return file.read(4) == MAGIC


def library(path: Path, verb: str) -> Any:
    """The OpenEXR package.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import OpenEXR
    except ImportError as error:
        raise MissingExtraError(
            f"cannot {verb} {path}: OpenEXR needs its package: pip install 'enhance-tune[exr]'"
        ) from error
    return OpenEXR


def read_exr(
    path: Path, check_size: Callable[[int, int], None]
) -> tuple[Array, Layout, SceneLight, dict[str, Any]]:
    """Read an OpenEXR file.

    Args:
        path: of one part, scan lines or tiles, with channels R, G, B or Y, and perhaps A.
        check_size: raises if width and height, known before any pixel is decoded, are too large.

    Returns:
        Samples ``(H, W, C)`` in float16 or float32, their layout, the way to sRGB, and what
        `encode_exr` needs to write the same file again.

    Raises:
        ReadError: damaged, several parts, deep, or other channels only.
        MissingExtraError: OpenEXR is not installed.
    """
    package = library(path, "read")
    try:
        # it prints what it then raises
        with redirect_stdout(StringIO()), utf8_name(path) as name:
            (low, high) = package.File(name, header_only=True).header()["dataWindow"]
            check_size(*(int(size) for size in high - low + 1))
            file = package.File(name, separate_channels=True, num_threads=1)
            parts, header, channels = len(file.parts), file.header(), file.channels()
    except (RuntimeError, ValueError, TypeError, KeyError) as error:
        reason = " ".join(str(error).split())
        raise ReadError(f"cannot read {path}: damaged OpenEXR: {reason}") from error
    if parts != 1:
        raise ReadError(f"cannot read {path}: a photo has one part, this has {parts}")
    planes = {name: channel.pixels for name, channel in channels.items()}
    layout = next((known for known, names in COLOURS.items() if planes.keys() >= {*names}), None)
    if layout is None:
        raise ReadError(
            f"cannot read {path}: it must have the channels R, G and B, or Y; "
            f"got {', '.join(planes)}"
        )
    names = COLOURS[layout]
    kinds = {planes[name].dtype.name for name in names}
    shapes = {planes[name].shape for name in names}
    if len(shapes) != 1 or len(kinds) != 1 or not kinds <= {"float16", "float32"}:
        raise ReadError(
            f"cannot read {path}: its channels must be floats of one kind and size, "
            f"got {', '.join(sorted(kinds))}"
        )
    samples = np.stack([planes[name] for name in names], -1)
    matrix = _to_rec709(header.get("chromaticities", REC_709)) if layout[0] == "R" else None
    alpha = samples[..., -1:].astype(np.float32) if layout[-1] == "A" else None
    return samples, layout, SceneLight(matrix, alpha), {"header": header, "channels": channels}


def encode_exr(
    samples: Array, layout: Layout, path: Path, tags: Tags, kept: dict[str, Any]
) -> bytes:
    """An OpenEXR file of samples ``(H, W, C)`` in float16 or float32.

    Args:
        samples: linear light, in the primaries of `kept`'s header, Rec. 709 without one,
            multiplied with alpha.
        layout: L, LA, RGB or RGBA.
        path: for the error message.
        tags: of these the resolution is written, which is all that there is a place for.
        kept: from `read_exr`, for the same file again; else empty.

    Raises:
        MissingExtraError: OpenEXR is not installed.
    """
    package = library(path, "write")
    header = dict(kept.get("header", ()))
    channels = dict(kept.get("channels", ()))
    if not kept:
        header = {"compression": package.ZIP_COMPRESSION, "type": package.scanlineimage}
        if tags.dpi is not None:
            header["xDensity"] = float(tags.dpi[0])
    for index, name in enumerate(COLOURS[layout]):
        channels[name] = package.Channel(name, np.ascontiguousarray(samples[..., index]), 1, 1)
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "photo.exr"
        package.File(header, channels, num_threads=1).write(str(target))
        return target.read_bytes()


def _to_rec709(chromaticities: tuple[float, ...]) -> NDArray[np.float32] | None:
    if np.allclose(chromaticities, REC_709, atol=1e-4):
        return np.eye(3, dtype=np.float32)
    matrix = np.linalg.solve(_to_xyz(REC_709), _to_xyz(chromaticities))
    # a neutral stays neutral, whatever the whites: von Kries on the primaries of sRGB
    return (matrix / matrix.sum(1, keepdims=True)).astype(np.float32)


def _to_xyz(chromaticities: tuple[float, ...]) -> NDArray[np.float64]:
    x, y = np.array(chromaticities).reshape(4, 2).T
    columns = np.stack([x / y, np.ones(4), (1 - x - y) / y])
    primaries, white = columns[:, :3], columns[:, 3]
    return primaries * np.linalg.solve(primaries, white)
