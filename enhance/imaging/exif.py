"""EXIF as bytes: reset the orientation, swap the stated size, drop the thumbnail, shorten.

Unless it must be shortened, everything else stays byte for byte, which a decode and re-encode
would not achieve (maker notes hold offsets that only their maker knows).

Source: CIPA DC-008-2024 (Exif 3.0), section 4.6; TIFF 6.0, section 2.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from contextlib import suppress

from enhance.imaging.formats import BROKEN

PREFIX = b"Exif\x00\x00"
ORIENTATION, EXIF_IFD, GPS_IFD = 0x0112, 0x8769, 0x8825
PIXEL_WIDTH, PIXEL_HEIGHT, MAKER_NOTE = 0xA002, 0xA003, 0x927C
NUMBERS = {1: "B", 3: "H", 4: "L", 6: "b", 8: "h", 9: "l"}
"""Types of whole numbers, and how each is packed."""
# both forms that XMP writes: tiff:Orientation="6" and <tiff:Orientation>6</tiff:Orientation>
XMP_ORIENTATION = re.compile(rb'(tiff:Orientation(?:="|>))[2-8]')


def upright(exif: bytes, *, turned: bool, keep_thumbnail: bool = True) -> bytes:
    """EXIF for a photo whose orientation has been applied to its pixels.

    Args:
        exif: with or without the ``Exif`` prefix.
        turned: whether width and height changed places, to be stated in the sizes too.
        keep_thumbnail: False where the pixels changed and the thumbnail would not match.

    What of it is damaged comes back as it is: losing it would be worse.
    """
    start = len(PREFIX) if exif.startswith(PREFIX) else 0
    body = bytearray(exif[start:])
    order = {b"II": "<", b"MM": ">"}.get(bytes(body[:2]))
    if order is None:
        return exif
    # each for itself: damage in one place must not leave the photo turned twice
    with suppress(struct.error):
        (first,) = struct.unpack_from(order + "L", body, 4)
        main: dict[int, int] = {}
        with suppress(struct.error):
            main.update(_entries(body, first, order))
        if ORIENTATION in main:
            _put(body, main[ORIENTATION], order, 1)
        if EXIF_IFD in main and turned:
            with suppress(struct.error):
                _swap_sizes(body, main[EXIF_IFD], order)
        if not keep_thumbnail:
            (count,) = struct.unpack_from(order + "H", body, first)
            struct.pack_into(order + "L", body, first + 2 + 12 * count, 0)
    return exif[:start] + bytes(body)


def is_sound(exif: bytes) -> bool:
    """Whether EXIF, with or without the ``Exif`` prefix, can be parsed.

    >>> is_sound(b"garbage")
    False
    """
    from PIL.Image import Exif

    parsed = Exif()
    try:
        parsed.load(exif)
        for entries in (parsed, parsed.get_ifd(EXIF_IFD), parsed.get_ifd(GPS_IFD)):
            list(entries.items())  # each is decoded as it is asked for
    except BROKEN:
        return False
    return True


def shortened(exif: bytes, most: int) -> tuple[bytes | None, list[str]]:
    """EXIF of at most `most` bytes, without its longest entries, and the names of those.

    The maker's note goes first: encoded anew it would move, and its offsets no longer hold.
    None in place of EXIF where it cannot be parsed, or is too long without texts and blobs too.
    """
    from PIL.ExifTags import TAGS
    from PIL.Image import Exif

    parsed, gone = Exif(), list[str]()
    try:
        parsed.load(exif)
        entries = [
            (len(value), tag, directory)
            for directory in (parsed, parsed.get_ifd(EXIF_IFD))
            for tag, value in directory.items()
            if isinstance(value, (str, bytes))
        ]
        for _, tag, directory in sorted(entries, key=lambda e: (e[1] != MAKER_NOTE, -e[0])):
            del directory[tag]
            gone.append(TAGS.get(tag, f"tag {tag}"))
            shorter = parsed.tobytes()
            if len(shorter) <= most:
                return shorter, gone
    except BROKEN:
        pass
    return None, []


def upright_xmp(xmp: bytes) -> bytes:
    """XMP for a photo whose orientation has been applied to its pixels.

    >>> upright_xmp(b'<x tiff:Orientation="6"/>')
    b'<x tiff:Orientation="1"/>'
    """
    return XMP_ORIENTATION.sub(rb"\g<1>1", xmp)


def _entries(body: bytearray, offset: int, order: str) -> Iterator[tuple[int, int]]:
    """Tag and offset of each entry of one directory."""
    (count,) = struct.unpack_from(order + "H", body, offset)
    for index in range(count):
        place = offset + 2 + 12 * index
        (tag,) = struct.unpack_from(order + "H", body, place)
        yield tag, place


def _put(body: bytearray, place: int, order: str, value: int) -> None:
    (kind,) = struct.unpack_from(order + "H", body, place + 2)
    if kind in NUMBERS:
        struct.pack_into(order + NUMBERS[kind], body, place + 8, value)


def _swap_sizes(body: bytearray, pointer: int, order: str) -> None:
    """Exchange width and height in the directory that the entry at `pointer` leads to."""
    (offset,) = struct.unpack_from(order + "L", body, pointer + 8)
    sub = dict(_entries(body, offset, order))
    if PIXEL_WIDTH in sub and PIXEL_HEIGHT in sub:
        width, height = sub[PIXEL_WIDTH], sub[PIXEL_HEIGHT]
        # type, count and value move together, since one may be short and one long
        a, b = (struct.unpack_from("10s", body, place + 2)[0] for place in (width, height))
        struct.pack_into("10s", body, width + 2, b)
        struct.pack_into("10s", body, height + 2, a)
