"""Read a photo from a file, and write one, with everything the file says about it kept.

Written files keep the source's ICC profile, EXIF, XMP, resolution and bit depth, and between
files of one format also the rest (IPTC, text, JPEG tables and subsampling). Orientation is
applied on reading and reset on writing.
"""

from enhance.imaging.reading import MAX_PIXELS, read
from enhance.imaging.writing import check_holds, check_target, write

__all__ = [
    "MAX_PIXELS",
    "check_holds",
    "check_target",
    "read",
    "write",
]
