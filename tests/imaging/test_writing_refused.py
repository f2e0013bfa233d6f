"""What cannot be written is refused in one line, and the old file is still there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from enhance.atomic import write_bytes
from enhance.errors import (
    ImageError,
    ReadError,
    WriteError,
)
from enhance.imaging import writing
from enhance.imaging.files import check_target, read, write
from enhance.imaging.intake import as_photo
from enhance.imaging.photo import Photo


@pytest.mark.parametrize("name", ["b.foo", "b", "b.", "b.psd", ".png"])
def test_an_unknown_extension(name: str, photo: Photo) -> None:
    with pytest.raises(WriteError, match=re.escape(f"cannot write {name}: unknown extension ")):
        write(photo, photo.pixels, name)
    assert os.listdir() == ["a.png"]


def test_a_target_that_cannot_be(photo: Photo, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("folder.png").mkdir()
    with pytest.raises(WriteError, match=r"^cannot write folder\.png: it is a folder$"):
        write(photo, photo.pixels, "folder.png")
    with pytest.raises(WriteError, match=r"^cannot write no/b\.png: no folder .*no$"):
        write(photo, photo.pixels, "no/b.png")
    with pytest.raises(OSError, match="cannot write"):
        write(photo, photo.pixels, "a.png/b.png")
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # a test may run as root
    with pytest.raises(WriteError, match=r"^cannot write b\.png: permission denied$"):
        write(photo, photo.pixels, "b.png")
    assert sorted(os.listdir()) == ["a.png", "folder.png"]


def test_a_pipe_is_neither_replaced_nor_read(photo: Photo) -> None:
    os.mkfifo("pipe.png")
    with pytest.raises(WriteError, match=r"^cannot write pipe\.png: it is no ordinary file$"):
        write(photo, photo.pixels, "pipe.png")
    with pytest.raises(ReadError, match=r"^cannot read pipe\.png: it is no ordinary file$"):
        read("pipe.png")
    assert Path("pipe.png").is_fifo()


def test_a_file_whose_folder_takes_no_other_is_refused_before_the_work(
    photo: Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("b.png").write_bytes(b"old")
    monkeypatch.setattr(os, "access", lambda path, mode: not os.path.isdir(path))
    with pytest.raises(WriteError, match=r"^cannot write b\.png: permission denied$"):
        check_target("b.png")


@pytest.mark.parametrize("kind", ["same", "dotted", "link", "hard link"])
def test_the_input_is_not_overwritten_unless_asked(kind: str, photo: Photo) -> None:
    before = Path("a.png").read_bytes()
    target = {"same": "a.png", "dotted": "./x/../a.png"}.get(kind, "b.png")
    Path("x").mkdir()
    if kind == "link":
        Path("b.png").symlink_to("a.png")
    if kind == "hard link":
        Path("b.png").hardlink_to("a.png")
    with pytest.raises(WriteError, match="it is the input"):
        write(photo, 1 - photo.pixels, target)
    assert Path("a.png").read_bytes() == before
    write(photo, 1 - photo.pixels, target, overwrite=True)
    assert torch.equal(read(target).pixels, as_photo(Image.open(target)).pixels)
    assert torch.allclose(read(target).pixels, 1 - photo.pixels)
    if kind == "link":
        assert Path("b.png").is_symlink()


def test_a_photo_that_has_no_file_may_replace_any(photo: Photo, noise: np.ndarray) -> None:
    other = as_photo(255 - noise)
    write(other, other.pixels, "a.png")
    assert torch.allclose(read("a.png").pixels, other.pixels)


def test_transparency_is_not_dropped_silently(folder: Path, rng: np.random.Generator) -> None:
    array = rng.integers(0, 256, (7, 9, 4), dtype=np.uint8)
    photo = as_photo(array)
    with pytest.raises(WriteError, match=r"^cannot write b\.jpg: JPEG holds no transparency"):
        write(photo, photo.pixels, "b.jpg")
    array[..., 3] = 255  # opaque everywhere: nothing to drop
    photo = as_photo(array)
    write(photo, photo.pixels, "b.jpg")
    assert os.listdir() == ["b.jpg"]


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_pixels_that_are_not_finite_are_not_written(bad: float, photo: Photo) -> None:
    pixels = photo.pixels.clone()
    pixels[0, 0, 0, 0] = bad
    with pytest.raises(ImageError, match="pixels must be finite"):
        write(photo, pixels, "b.png")
    assert os.listdir() == ["a.png"]


def test_an_encoder_that_fails_leaves_the_old_file(
    photo: Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("b.png").write_bytes(b"old")

    def fail(*_: object, **__: object) -> None:
        raise OSError("encoder error -2\nwhen writing image file")

    monkeypatch.setattr(Image.Image, "save", fail)
    with pytest.raises(WriteError, match=r"^cannot write b\.png: encoder error -2 when writing"):
        write(photo, photo.pixels, "b.png")
    assert Path("b.png").read_bytes() == b"old"
    assert sorted(os.listdir()) == ["a.png", "b.png"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_an_interrupted_write_leaves_the_old_file(
    step: str, error: BaseException, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("b.json").write_bytes(b"old")

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(os, step, fail)
    with pytest.raises((WriteError, KeyboardInterrupt)) as caught:
        write_bytes("b.json", b"new")
    if isinstance(error, OSError):
        assert str(caught.value) == "cannot write b.json: No space left on device"
    assert Path("b.json").read_bytes() == b"old"
    assert os.listdir() == ["b.json"]


def test_a_killed_process_leaves_the_old_file(folder: Path) -> None:
    Path("b.json").write_bytes(b"old")
    # killed with everything written but nothing renamed yet: the worst moment
    script = (
        "import os, signal\n"
        "from enhance.atomic import write_bytes\n"
        "os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)\n"
        "write_bytes('b.json', b'new')\n"
    )
    root = str(Path(writing.__file__).parents[2])
    done = subprocess.run([sys.executable, "-c", script], env=os.environ | {"PYTHONPATH": root})
    assert done.returncode == -9
    assert Path("b.json").read_bytes() == b"old"


def test_permissions_are_kept_and_new_files_get_the_usual_ones(folder: Path) -> None:
    write_bytes("new", b"1")
    Path("usual").touch()
    assert Path("new").stat().st_mode == Path("usual").stat().st_mode
    Path("new").chmod(0o640)
    write_bytes("new", b"2")
    assert Path("new").stat().st_mode & 0o777 == 0o640
    assert Path("new").read_bytes() == b"2"


def test_check_target_tells_the_format_before_any_work(photo: Photo) -> None:
    assert check_target("b.JPG") == "JPEG"
    assert check_target("b.tiff", source="a.png") == "TIFF"
    with pytest.raises(WriteError, match="it is the input"):
        check_target("a.png", source="a.png")
    assert check_target("a.png", source="a.png", overwrite=True) == "PNG"
