"""Weight files: safetensors whose metadata holds the model card, so that one file is enough."""

from __future__ import annotations

import hashlib
import json
import os
import struct
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Literal, get_args

import torch
from torch import Tensor

from scorers.card import ModelCard
from scorers.errors import WeightsError

Precision = Literal["float32", "float16", "int8"]

_FORMAT = "nima-scorer/1"
_LARGE = 2**18
"""Elements from which a tensor becomes integers; small ones, the first layers, suffer most from it
and weigh next to nothing."""
_SCALE = "::scale"  # behind a tensor's name: what its integers are multiplied by, per channel


def write_weights(
    path: str | Path,
    state: Mapping[str, Tensor],
    card: ModelCard,
    *,
    precision: Precision = "float32",
) -> None:
    """Write a network's state and its card; see `scorers.Scorer.save`.

    The same state and card make the same file, byte for byte.

    Raises:
        WeightsError: the file cannot be written, or `precision` is none of the three.
    """
    if precision not in get_args(Precision):
        raise WeightsError(f"precision must be one of {get_args(Precision)}, got {precision!r}")
    from safetensors.torch import save_file

    tensors: dict[str, Tensor] = {}
    for name, tensor in state.items():
        if precision == "int8" and tensor.is_floating_point() and tensor.numel() >= _LARGE:
            tensors[name], tensors[name + _SCALE] = _to_integers(tensor)
        elif precision != "float32" and tensor.is_floating_point():
            tensors[name] = tensor.half()
        else:
            tensors[name] = tensor
    tensors = {name: tensor.cpu().contiguous() for name, tensor in tensors.items()}
    # a file cannot state its own hash
    metadata = {"format": _FORMAT, "card": replace(card, sha256="").to_json()}
    with replacing(path) as part:
        save_file(tensors, part, metadata)
        _sort_metadata(part)


def _sort_metadata(path: Path) -> None:
    """Put the metadata of a safetensors file in order, in place.

    The library writes a hash map as it comes, and one scorer would have many sha256s. Its header is
    the number of the bytes to follow, and as many of JSON and blanks.
    """
    with open(path, "rb+") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
        # without blanks and needless escapes it is never longer than it was
        text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
        file.seek(8)
        file.write(text.ljust(length))


def read_weights(path: str | Path) -> tuple[dict[str, Tensor], ModelCard]:
    """Read a weight file: its state in float32, and its card with the file's sha256.

    Raises:
        WeightsError: missing, truncated, not safetensors, or without a card.
    """
    from safetensors import SafetensorError, safe_open

    path = Path(path)
    digest = sha256_of(path)
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise WeightsError(
            f"cannot read {path}: not a safetensors file, or a truncated one ({error})"
        ) from error
    if metadata.get("format") != _FORMAT:
        found = metadata.get("format", "none")
        raise WeightsError(f"cannot read {path}: its format is {found}, not {_FORMAT}")
    try:
        card = ModelCard.from_json(metadata.get("card", ""))
    except WeightsError as error:
        raise WeightsError(f"cannot read {path}: {error}") from error
    full = {
        name: tensor.float() if tensor.is_floating_point() else tensor
        for name, tensor in state.items()
        if not name.endswith(_SCALE)
    }
    for name in full:
        if (scale := state.get(name + _SCALE)) is not None:
            full[name] = full[name].float() * scale.reshape(-1, *[1] * (full[name].ndim - 1))
    return full, replace(card, sha256=digest)


def _to_integers(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Symmetric int8 per output channel, and the scales."""
    largest = weight.flatten(1).abs().amax(1).clamp(min=1e-12)
    scale = largest / 127
    integers = (weight / scale.reshape(-1, *[1] * (weight.ndim - 1))).round()
    return integers.to(torch.int8), scale


def sha256_of(path: str | Path) -> str:
    """Hexadecimal sha256 of a file.

    Raises:
        WeightsError: it cannot be read.
    """
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise WeightsError(f"cannot read {path}: {error.strerror or error}") from error


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A file beside `path` to write to, renamed over it on success and removed on failure.

    Raises:
        WeightsError: the folder cannot be written.
    """
    path = Path(path)
    if path.is_dir():
        raise WeightsError(f"cannot write {path}: it is a folder")
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    except OSError as error:
        raise WeightsError(f"cannot write {path}: {error.strerror or error}") from error
    os.close(handle)
    part = Path(name)
    try:
        yield part
        with open(part, "rb+") as file:  # on disk before its name is
            os.fsync(file.fileno())
        part.chmod(0o644)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def load_state(network: torch.nn.Module, state: Mapping[str, Tensor], path: str | Path) -> None:
    """Fill a network, every tensor of it and no other.

    Raises:
        WeightsError: names or shapes differ; the first difference is named.
    """
    own = network.state_dict()
    for name in [*own, *(name for name in state if name not in own)]:
        if name not in state:
            raise WeightsError(f"cannot read {path}: it holds no {name}")
        if name not in own:
            raise WeightsError(f"cannot read {path}: its architecture has no place for {name}")
        if own[name].shape != state[name].shape:
            raise WeightsError(
                f"cannot read {path}: {name} is {tuple(state[name].shape)}, "
                f"its architecture needs {tuple(own[name].shape)}"
            )
    network.load_state_dict(dict(state))
