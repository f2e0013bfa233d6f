"""Metadata blocks of JPEG and PNG files, moved from one file to another as they are.

Pillow writes the metadata it understands; IPTC, extended XMP, text chunks, gamma and
whatever else a file carries would be lost. Between two files of one format the blocks are
moved whole.

Source: ITU-T T.81 annex B (JPEG markers); W3C PNG specification, third edition, section 5.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO

from enhance.imaging.exif import PREFIX, upright_xmp
from enhance.imaging.metadata import Tags

JPEG_START = b"\xff\xd8"
PNG_START = b"\x89PNG\r\n\x1a\n"
ICC_PREFIX, MPF_PREFIX = b"ICC_PROFILE\x00", b"MPF\x00"
XMP_PREFIX = b"http://ns.adobe.com/xap/1.0/\x00"
XMP_KEYWORD = b"XML:com.adobe.xmp\x00"
GAIN_MAP = re.compile(rb'\s+hdrgm:\w+="[^"]*"')
"""What says that a second picture, which is not written, makes HDR of the first."""
RAW_EXIF = (b"Raw profile type exif", b"Raw profile type APP1")
MOST_TEXT = 1 << 24
"""Bytes that a compressed text may grow to."""
APP0, APP1, APP2, APP14, APP15, COM, SCAN = 0xE0, 0xE1, 0xE2, 0xEE, 0xEF, 0xFE, 0xDA

Block = tuple[bytes, bytes]
"""Marker or chunk name, and payload."""

# belongs to the pixels rather than to the photo, so the encoder writes its own
PNG_OF_PIXELS = {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"bKGD", b"hIST", b"sBIT", b"sPLT"}
PNG_ANIMATION = {b"acTL", b"fcTL", b"fdAT"}
PNG_COLOUR = {b"iCCP", b"sRGB", b"gAMA", b"cHRM", b"cICP", b"mDCV", b"cLLI"}


def jpeg_blocks(file: BinaryIO) -> list[Block]:
    """The metadata segments of a JPEG, in order; what describes the coding is left out.

    Left out are Adobe's colour transform (APP14) and the index of multi-picture files, whose
    offsets hold for one file only.
    """
    return [
        (bytes([marker]), payload)
        for marker, payload in _jpeg_segments(file)
        if (APP0 <= marker <= APP15 or marker == COM)
        and marker != APP14
        and not (marker == APP2 and payload.startswith(MPF_PREFIX))
    ]


def png_blocks(file: BinaryIO) -> list[Block]:
    """The ancillary chunks of a PNG, in order, without those that describe its pixels."""
    return [
        (name, payload)
        for name, payload in _png_chunks(file)
        if name not in PNG_OF_PIXELS | PNG_ANIMATION
    ]


def png_blocks_of(tags: Tags) -> list[Block]:
    """The PNG chunks that say what `tags` says."""
    blocks: list[Block] = []
    if tags.icc is not None:
        blocks.append((b"iCCP", b"ICC Profile\x00\x00" + zlib.compress(tags.icc)))
    if tags.dpi is not None:
        per_metre = [round(dots / 0.0254) for dots in tags.dpi]
        blocks.append((b"pHYs", struct.pack(">IIB", *per_metre, 1)))
    if tags.exif is not None:
        blocks.append((b"eXIf", tags.exif))
    if tags.xmp is not None:
        blocks.append((b"iTXt", XMP_KEYWORD + b"\x00\x00\x00\x00" + tags.xmp))
    return blocks


def upright_blocks(blocks: list[Block], upright_exif: Callable[[bytes], bytes]) -> list[Block]:
    """The blocks of a photo whose orientation has been applied to its pixels."""
    result = []
    for name, payload in map(_plain, blocks):
        if name == b"eXIf" or (name[0] == APP1 and payload.startswith(PREFIX)):
            payload = upright_exif(payload)
        elif payload.startswith((XMP_PREFIX, XMP_KEYWORD)):
            payload = GAIN_MAP.sub(b"", upright_xmp(payload))
        result.append((name, payload))
    return result


def _plain(block: Block) -> Block:
    """A PNG's EXIF as ImageMagick writes it, and compressed XMP, as blocks that can be read."""
    name, payload = block
    keyword, _, rest = payload.partition(b"\x00")
    try:
        if name in (b"tEXt", b"zTXt") and keyword in RAW_EXIF:
            text = rest if name == b"tEXt" else _inflated(rest[1:])
            return b"eXIf", bytes.fromhex("".join(text.decode("ascii").split("\n")[3:]))
        if name == b"iTXt" and keyword + b"\x00" == XMP_KEYWORD and rest[:1] == b"\x01":
            *_, text = rest[2:].split(b"\x00", 2)  # language, translated keyword, text
            return name, XMP_KEYWORD + b"\x00\x00\x00\x00" + _inflated(text)
    except (zlib.error, ValueError):
        pass  # damaged: it stays as it is
    return block


def _inflated(data: bytes) -> bytes:
    inflating = zlib.decompressobj()
    text = inflating.decompress(data, MOST_TEXT)
    if inflating.unconsumed_tail:
        raise ValueError("too long")
    return text


def has_gain_map(blocks: list[Block]) -> bool:
    """Whether XMP says that a picture behind the first makes HDR of it (Ultra HDR)."""
    return any(p.startswith(XMP_PREFIX) and GAIN_MAP.search(p) for _, p in blocks)


def without_colour(blocks: list[Block]) -> list[Block]:
    """The blocks without any statement about the colour space."""
    return [
        (name, payload)
        for name, payload in blocks
        if name not in PNG_COLOUR and not payload.startswith(ICC_PREFIX)
    ]


def graft_jpeg(encoded: bytes, blocks: list[Block]) -> bytes:
    """An encoded JPEG with these metadata segments in place of its own."""
    start = len(JPEG_START)
    kept = bytearray()
    while APP0 <= encoded[start + 1] <= APP15 or encoded[start + 1] == COM:
        (length,) = struct.unpack_from(">H", encoded, start + 2)
        if encoded[start + 1] == APP14:
            kept += encoded[start : start + 2 + length]
        start += 2 + length
    grafted = b"".join(
        b"\xff" + name + struct.pack(">H", len(payload) + 2) + payload for name, payload in blocks
    )
    return JPEG_START + grafted + bytes(kept) + encoded[start:]


def graft_png(encoded: bytes, blocks: list[Block]) -> bytes:
    """An encoded PNG with these ancillary chunks added to it."""
    header = len(PNG_START) + 12 + 13  # IHDR must come first, all the rest may follow it
    grafted = b"".join(
        struct.pack(">I", len(payload))
        + name
        + payload
        + struct.pack(">I", zlib.crc32(name + payload))
        for name, payload in blocks
    )
    return encoded[:header] + grafted + encoded[header:]


def _jpeg_segments(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    file.seek(len(JPEG_START))
    while len(head := file.read(2)) == 2 and head[0] == 0xFF:
        marker = head[1]
        if marker == 0xFF:  # a fill byte before the marker
            file.seek(-1, 1)
            continue
        if marker == SCAN:
            return
        length = file.read(2)
        if len(length) < 2:
            return
        yield marker, file.read(struct.unpack(">H", length)[0] - 2)


def _png_chunks(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    file.seek(len(PNG_START))
    while len(head := file.read(8)) == 8:
        length, name = struct.unpack(">I4s", head)
        if name in (b"IDAT", b"fdAT"):
            file.seek(length + 4, 1)
            continue
        payload = file.read(length)
        file.seek(4, 1)
        yield name, payload
