"""What ExifTool, an independent reader of tags, says before and after: only what must differ."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from enhance.imaging import tiff
from enhance.imaging.files import read, write
from enhance.imaging.metadata import Tags

pytestmark = pytest.mark.skipif(shutil.which("exiftool") is None, reason="needs exiftool")

OF_FILE = ("SourceFile", "ExifTool:", "System:")
# where things lie in the file, and how the pixels are packed into it
OF_CODING = {
    "File:CurrentIPTCDigest", "File:ExifByteOrder", "IFD0:PlanarConfiguration",
    "IFD0:RowsPerStrip", "IFD0:StripByteCounts", "IFD0:StripOffsets", "IFD0:Predictor",
}  # fmt: skip
CODING_PREFIXES = ("Meta:", "ItemInfo:", "Track", "QuickTime:MediaData", "RIFF:")


def tags(path: Path) -> dict[str, Any]:
    command = ["exiftool", "-j", "-a", "-G1", "-n", str(path)]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    return {
        name: value
        for name, value in json.loads(done.stdout)[0].items()
        if not name.startswith((*OF_FILE, *CODING_PREFIXES)) and name not in OF_CODING
    }


def save(path: Path, orientation: int) -> None:
    """A photo with tags of every kind that Pillow writes for the format."""
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x8298] = "Maker", "Model", "somebody"
    exif[0x0112] = orientation
    exif[0x8769] = {
        0x829A: 0.005, 0x829D: 2.8, 0x8827: 200, 0x9003: "2020:01:01 00:00:00",
        0xA002: 96, 0xA003: 64, 0xA434: "a lens",
    }  # fmt: skip
    exif[0x8825] = {1: "N", 2: (1.0, 2.0, 3.0), 3: "E", 4: (4.0, 5.0, 6.0)}
    xmp = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
        f'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="{orientation}" '
        'xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="4"/></rdf:RDF></x:xmpmeta>'
    ).encode()
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    ramp = np.add.outer(np.arange(64), np.arange(96)).astype(np.uint8)
    image = Image.fromarray(np.stack([ramp, ramp[::-1], ramp[:, ::-1]], -1))
    options: dict[str, Any] = {"exif": exif, "icc_profile": profile, "dpi": (300, 300)}
    if path.suffix == ".png":
        from PIL.PngImagePlugin import PngInfo

        options["pnginfo"] = PngInfo()
        options["pnginfo"].add_itxt("XML:com.adobe.xmp", xmp.decode())
        options["pnginfo"].add_text("Title", "a title")
    elif path.suffix == ".tif":
        options = {"icc_profile": profile, "compression": "tiff_lzw"}
    else:
        options["xmp"] = xmp
    if path.suffix == ".webp":
        options["lossless"] = True
    image.save(path, **options)
    if path.suffix == ".tif":  # Pillow writes no EXIF directory into a compressed TIFF
        of_exif = Tags(exif=exif.tobytes().removeprefix(b"Exif\0\0"), xmp=xmp, dpi=(300, 300))
        path.write_bytes(tiff.graft(path.read_bytes(), tiff.directory_of(of_exif)))


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp"])
def test_only_what_must_differ_differs(suffix: str, orientation: int, folder: Path) -> None:
    before, after = folder / f"a{suffix}", folder / f"b{suffix}"
    save(before, orientation)
    photo = read(before)
    write(photo, photo.pixels, after)
    old, new = tags(before), tags(after)
    differ = {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}
    assert {"ExifIFD:LensModel", "GPS:GPSLatitude", "XMP-xmp:Rating"} <= old.keys()
    if orientation == 1:
        assert differ == set()
        return
    turned = {name for name in differ if name.endswith(("Width", "Height"))}
    upright = {name for name in differ if name.endswith(":Orientation")}
    assert {new[name] for name in upright} == {1}
    shape = {name for name in differ if name.startswith("Composite:")}  # made from the others
    assert differ == turned | upright | shape
