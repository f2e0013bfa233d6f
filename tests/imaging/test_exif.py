"""EXIF is changed in place: what must change does, and not one byte more."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from enhance.imaging.exif import PREFIX, upright, upright_xmp


def block(orientation: int, endian: str = "<") -> bytes:
    exif = Image.Exif()
    exif.endian = endian
    exif[0x010F] = "Maker"
    exif[0x0112] = orientation
    exif[0x8769] = {0x9003: "2020:01:01 00:00:00", 0xA002: 4000, 0xA003: 3000}
    return exif.tobytes()


def parsed(data: bytes) -> tuple[dict, dict]:
    exif = Image.Exif()
    exif.load(data)
    return dict(exif), dict(exif.get_ifd(0x8769))


@given(orientation=st.integers(1, 8), endian=st.sampled_from("<>"), prefixed=st.booleans())
def test_orientation_is_reset_and_sizes_follow(
    orientation: int, endian: str, prefixed: bool
) -> None:
    data = block(orientation, endian)
    data = data if prefixed else data.removeprefix(PREFIX)
    result = upright(data, turned=orientation > 4)
    assert len(result) == len(data)
    assert sum(a != b for a, b in zip(data, result, strict=True)) <= 5
    main, sub = parsed(result)
    assert (main[0x0112], main[0x010F]) == (1, "Maker")
    assert sub[0xA002] == (3000 if orientation > 4 else 4000)
    assert sub[0xA003] == (4000 if orientation > 4 else 3000)
    assert sub[0x9003] == "2020:01:01 00:00:00"


@given(data=st.binary(max_size=80))
def test_any_bytes_keep_their_length(data: bytes) -> None:
    for start in (b"", PREFIX, b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08"):
        assert len(upright(start + data, turned=True, keep_thumbnail=False)) == len(start + data)


@given(cut=st.integers(0, 100))
def test_damaged_exif_is_kept(cut: int) -> None:
    data = block(6)[:cut]
    assert len(upright(data, turned=True)) == len(data)


@pytest.mark.parametrize(
    "form", ['tiff:Orientation="%d"', "<tiff:Orientation>%d</tiff:Orientation>"]
)
def test_xmp_orientation_in_both_forms(form: str) -> None:
    for value in range(1, 9):
        assert upright_xmp((form % value).encode()) == (form % 1).encode()
    assert upright_xmp(b'other:Orientation="6"') == b'other:Orientation="6"'
