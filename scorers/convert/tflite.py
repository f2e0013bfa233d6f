"""Read the weights of TFLite files: a FlatBuffers reader of only what that takes.

The TFLite schema numbers its fields for good, so a reader of a dozen of them stays right and
spares two packages. Sources: FlatBuffers "Internals" (vtables, vectors), TFLite schema v3
(``tensorflow/lite/schema/schema.fbs``).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from scorers.backbones.mobilenet import MobileNetV1, MobileNetV2
from scorers.errors import WeightsError
from scorers.nima import NIMA

_CONV_2D, _DEPTHWISE_CONV_2D, _FULLY_CONNECTED = 3, 4, 9
_KINDS = {_CONV_2D: "conv", _DEPTHWISE_CONV_2D: "depthwise", _FULLY_CONNECTED: "linear"}
_DTYPES = {0: "<f4", 1: "<f2", 2: "<i4", 3: "u1", 4: "<i8", 9: "i1"}


@dataclass(frozen=True)
class Layer:
    """One layer with weights: ``kind`` is conv, depthwise or linear; layouts are PyTorch's."""

    kind: str
    weight: Tensor
    bias: Tensor


def read_layers(path: str | Path) -> list[Layer]:
    """Read every convolution and linear layer, in graph order, dequantised to float32.

    Integer weights become ``(q - zero_point) * scale``, per channel where the file says so.

    Raises:
        WeightsError: the file is missing, is not TFLite, or ends early.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise WeightsError(f"cannot read {path}: {error.strerror or error}") from error
    if data[4:8] != b"TFL3":
        raise WeightsError(f"cannot read {path}: not a TFLite file (no TFL3 identifier)")
    try:
        return _layers(_Table.root(data))
    except (struct.error, IndexError, ValueError, KeyError, OverflowError) as error:
        raise WeightsError(f"cannot read {path}: damaged or truncated TFLite file") from error


def load_tflite(path: str | Path) -> NIMA:
    """Read a NIMA whose backbone is MobileNet v1, as published by idealo.

    Weights: ``(B, 3, 224, 224)`` RGB normalised to ``x / 127.5 - 1`` -> ten opinions.

    Raises:
        WeightsError: the file cannot be read, or holds another network.
    """
    layers = read_layers(path)
    if not layers or layers[-1].kind != "linear":
        raise WeightsError(f"cannot read {path}: its last layer with weights is not linear")
    model = NIMA(MobileNetV1(folded=True, same=True), buckets=len(layers[-1].bias))
    _fill(model, layers, path)
    return model.eval()


def load_mobilenet_v2(path: str | Path) -> MobileNetV2:
    """Read an ImageNet MobileNet v2 1.0 (its classifier is left out): an initialisation.

    Raises:
        WeightsError: the file cannot be read, or holds another network.
    """
    model = MobileNetV2(folded=True, same=True)
    _fill(model, read_layers(path)[:-1], path)
    return model.eval()


def _fill(model: nn.Module, layers: list[Layer], path: str | Path) -> None:
    targets = [layer for layer in model.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
    if [tuple(t.weight.shape) for t in targets] != [tuple(s.weight.shape) for s in layers]:
        raise WeightsError(f"cannot read {path}: its layers are not those of {_name(model)}")
    with torch.no_grad():
        for target, source in zip(targets, layers, strict=True):
            target.weight.copy_(source.weight)
            if target.bias is not None:
                target.bias.copy_(source.bias)


def _name(model: nn.Module) -> str:
    backbone = model.backbone if isinstance(model, NIMA) else model
    return type(backbone).__name__


def _layers(model: _Table) -> list[Layer]:
    # the code moved to a wider field; TFLite itself takes the larger of the two
    codes = [max(code.scalar(0, "<b"), code.scalar(3, "<i")) for code in model.tables(1)]
    buffers = model.tables(4)
    graph = model.tables(2)[0]
    tensors = graph.tables(0)
    layers = []
    for operator in graph.tables(3):
        kind = _KINDS.get(codes[operator.scalar(0, "<I")])
        if kind is None:
            continue
        inputs = operator.vector(1, "<i4")
        weight = _array(tensors[inputs[1]], buffers)
        has_bias = len(inputs) > 2 and inputs[2] >= 0
        outputs = weight.shape[-1] if kind == "depthwise" else weight.shape[0]
        bias = _array(tensors[inputs[2]], buffers) if has_bias else np.zeros(outputs, "f4")
        if kind == "conv":  # OHWI -> OIHW
            weight = weight.transpose(0, 3, 1, 2)
        elif kind == "depthwise":  # 1HWC -> C1HW
            weight = weight.transpose(3, 0, 1, 2)
        layers.append(Layer(kind, _tensor(weight), _tensor(bias)))
    return layers


def _array(tensor: _Table, buffers: list[_Table]) -> NDArray[np.float32]:
    """Dequantise one constant tensor."""
    shape = tuple(int(n) for n in tensor.vector(0, "<i4"))
    raw = buffers[tensor.scalar(2, "<I")].vector(0, "u1").tobytes()
    values = np.frombuffer(raw, dtype=_DTYPES[tensor.scalar(1, "<b")]).reshape(shape)
    quantisation = tensor.table(4)
    scale = np.empty(0, "f4") if quantisation is None else quantisation.vector(2, "<f4")
    if quantisation is None or not len(scale):
        return values.astype(np.float32)
    zero = quantisation.vector(3, "<i8")
    along = [1] * len(shape)
    along[quantisation.scalar(6, "<i") if len(scale) > 1 else 0] = len(scale)
    return (values.astype(np.float32) - zero.reshape(along)) * scale.reshape(along)


def _tensor(values: NDArray[np.float32]) -> Tensor:
    return torch.from_numpy(np.array(values, dtype=np.float32, order="C"))


@dataclass(frozen=True)
class _Table:
    """A FlatBuffers table at a byte position; absent fields read as zero or empty."""

    data: bytes
    position: int

    @classmethod
    def root(cls, data: bytes) -> _Table:
        return cls(data, struct.unpack_from("<I", data)[0])

    def _field(self, slot: int) -> int | None:
        vtable = self.position - struct.unpack_from("<i", self.data, self.position)[0]
        size = struct.unpack_from("<H", self.data, vtable)[0]
        entry = 4 + 2 * slot
        offset = struct.unpack_from("<H", self.data, vtable + entry)[0] if entry < size else 0
        return self.position + offset if offset else None

    def _target(self, slot: int) -> int | None:
        at = self._field(slot)
        return None if at is None else at + struct.unpack_from("<I", self.data, at)[0]

    def scalar(self, slot: int, code: str) -> int:
        at = self._field(slot)
        return 0 if at is None else int(struct.unpack_from(code, self.data, at)[0])

    def table(self, slot: int) -> _Table | None:
        at = self._target(slot)
        return None if at is None else _Table(self.data, at)

    def vector(self, slot: int, dtype: str) -> NDArray[Any]:
        at = self._target(slot)
        if at is None:
            return np.empty(0, dtype)
        count = struct.unpack_from("<I", self.data, at)[0]
        return np.frombuffer(self.data, dtype, count, at + 4)

    def tables(self, slot: int) -> list[_Table]:
        at = self._target(slot)
        offsets = self.vector(slot, "<u4")
        if at is None:
            return []
        return [
            _Table(self.data, at + 4 + 4 * index + int(offset))
            for index, offset in enumerate(offsets)
        ]
