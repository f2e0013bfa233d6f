"""Which photos a folder holds, and where each result goes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from enhance.errors import ReadError, WriteError
from enhance.imaging.formats import FORMAT_OF, RAW

DEVELOPED = ".jpg"
"""Extension added to a photo whose own format cannot be written: camera RAW."""
JOURNAL = "batch.jsonl"
"""Name of the journal, by which a folder of results is known; see `enhance.batch.journal`."""
RECIPE = ".json"
"""Extension added to a result for the recipe beside it."""


@dataclass(frozen=True)
class Job:
    """One photo to be worked on.

    Attributes:
        photo, output: paths in the source and in the output folder, ``/`` between their parts.
        source, target: the same as paths.
        fingerprint: size in bytes and time of the last change in ns: another one is another photo.
    """

    photo: str
    output: str
    source: Path
    target: Path
    fingerprint: tuple[int, int]

    @property
    def recipe(self) -> Path:
        """Where the recipe goes."""
        return self.target.with_name(self.target.name + RECIPE)


def plan(folder: Path, output: Path) -> list[Job]:
    """Find the photos in a folder and its sub-folders, by name, and give each a place in `output`.

    A result keeps the photo's place and name, extension included, so that ``a.jpg`` and ``a.png``
    do not meet. A format that is read but not written (camera RAW) has ``.jpg`` added, ``a.nef`` to
    ``a.nef.jpg``, once more for as long as that is the name of another result. Hidden files and
    folders are left out, as is `output` where it lies inside `folder`, and whatever else holds the
    results of a batch; linked folders are not followed.

    Raises:
        ReadError: not a folder, no photo in it, or a folder in it that cannot be read.
        WriteError: `output` is `folder`.
    """
    if not folder.is_dir():
        raise ReadError(f"cannot read {folder}: no such folder")
    if output.exists() and output.samefile(folder):
        raise WriteError(f"cannot write to {output}: it is the folder of the photos")
    found = sorted(_photos(folder, os.path.realpath(output)), key=lambda path: path.parts)
    if not found:
        raise ReadError(f"cannot read {folder}: a folder with no photo in it")
    jobs = []
    for path, place in places(found).items():
        status = (folder / path).lstat() if not (folder / path).exists() else (folder / path).stat()
        jobs.append(
            Job(
                path.as_posix(),
                place.as_posix(),
                folder / path,
                output / place,
                (status.st_size, status.st_mtime_ns),
            )
        )
    return jobs


def places(photos: Sequence[Path]) -> dict[Path, Path]:
    """Where the result of each photo goes; see `plan`.

    >>> [place.name for place in places([Path("a.jpg"), Path("a.nef")]).values()]
    ['a.jpg', 'a.nef.jpg']
    """
    taken = {path for path in photos if path.suffix.lower() in FORMAT_OF}
    found = {}
    for path in photos:
        place = path
        if path.suffix.lower() not in FORMAT_OF:
            place = path.with_name(path.name + DEVELOPED)
            while place in taken:
                place = place.with_name(place.name + DEVELOPED)
            taken.add(place)
        found[path] = place
    return found


def _photos(folder: Path, output: str) -> Iterator[Path]:
    known = FORMAT_OF.keys() | RAW

    def refuse(error: OSError) -> None:
        raise ReadError(f"cannot read {error.filename}: {error.strerror}") from error

    for place, folders, files in os.walk(folder, onerror=refuse):
        here = Path(place)
        folders[:] = [
            name
            for name in folders
            if not name.startswith(".")
            and os.path.realpath(here / name) != output
            and not (here / name / JOURNAL).is_file()
        ]
        for name in files:
            path = here / name
            if name.startswith(".") or path.suffix.lower() not in known:
                continue
            if path.is_file() or not path.exists():  # a link to nowhere is a photo that fails
                yield path.relative_to(folder)
