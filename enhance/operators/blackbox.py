"""Black boxes: any function from pixels to pixels as an operator, tuned without gradients."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Mapping
from itertools import product
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from torch import Tensor

from enhance.errors import EnhanceError, ImageError
from enhance.operators.base import Operator, Parameter, Settings, check_image, check_names
from enhance.operators.batching import broadcast_shapes

Pixels = np.ndarray[Any, np.dtype[Any]]
"""``(H, W, 3)``, R, G, B: uint8, or floating in [0, 1]."""


class BlackBoxError(EnhanceError, RuntimeError):
    """The function or the command behind a black-box operator failed."""


class BlackBox(Operator[Tensor]):
    """An operator whose work is done elsewhere, one image and one setting at a time.

    A subclass sets `name`, `summary` and `parameters_spec` and implements `process`. It is tuned
    by the strategies that need no gradient, under the same objective and guards as any other.
    Where `identity` is declared, the input itself is given back at that setting.
    """

    differentiable: ClassVar[bool] = False
    depth: ClassVar[Literal["uint8", "float"]] = "float"
    """What `process` takes: uint8 in 0..255, or float32 in [0, 1]."""
    reach: ClassVar[int | None] = None
    """Pixels around one that its result depends on; None when it must see the whole photo."""

    @abstractmethod
    def process(self, pixels: Pixels, settings: Mapping[str, float]) -> Pixels:
        """Enhance one image: ``(H, W, 3)`` of `depth` to the same shape.

        Whole-number parameters come as ints. The result may be uint8, uint16 or floating in
        [0, 1]; what is beyond is clipped.
        """

    def analyse(
        self,
        image: Tensor,
        settings: Settings | None = None,
        *,
        extent: tuple[int, int] | None = None,
    ) -> Tensor:
        """The image; a black box is not known to share any work between settings."""
        check_image(image)
        return image

    def render(self, layers: Tensor, settings: Settings) -> Tensor:
        """Process each image with each setting, one after another; see `Operator.render`.

        Raises:
            BlackBoxError: the function or command failed; says at which setting.
            ImageError: what came back is not an image of the same size.
        """
        shape = broadcast_shapes(layers.shape[:1], *(v.shape for v in settings.values()))
        images = layers.detach().expand(*shape, *layers.shape[1:])
        columns = {name: value.detach().expand(shape) for name, value in settings.items()}
        rendered = torch.empty_like(images, memory_format=torch.contiguous_format)
        for index in product(*map(range, shape)):
            own = {
                name: self._number(name, column[index].item()) for name, column in columns.items()
            }
            rendered[index] = self._one(images[index], own)
        return rendered

    def halo(self, extent: tuple[int, int], settings: Settings | None = None) -> int:
        """`reach`; the whole photo where there is none."""
        return max(extent) if self.reach is None else self.reach

    def complete(
        self, settings: Mapping[str, float | Tensor], *, like: Tensor | None = None
    ) -> dict[str, Tensor]:
        """As `Operator.complete`, but plain numbers become float64, which holds them exactly."""
        complete = super().complete(settings, like=like)
        for name, value in {**self.defaults(), **settings}.items():
            if isinstance(value, int | float):
                complete[name] = torch.tensor(value, dtype=torch.float64)
        return complete

    def _number(self, name: str, value: float) -> float:
        """A setting as it was given: .3, not the .30000001192 that float32 makes of it."""
        parameter = self.parameters_spec[name]
        if parameter.integer:
            return round(value)
        short = _float32(value)
        if float(short) == value:  # it has been float32: the shortest number that becomes it
            value = float(str(short))
        return float(min(max(value, parameter.low), parameter.high))

    def _rests(self, settings: Mapping[str, float]) -> bool:
        """Whether it is declared that these settings change nothing."""
        if self.identity is None:
            return False
        still = {**self.defaults(), **self.identity}
        return all(
            settings[name] in (self._number(name, v), self._number(name, float(_float32(v))))
            for name, v in still.items()
        )

    def _one(self, image: Tensor, settings: dict[str, float]) -> Tensor:
        if self._rests(settings):
            return image
        pixels = image.permute(1, 2, 0).float().cpu().numpy()
        if self.depth == "uint8":
            pixels = np.rint(pixels * 255).clip(0, 255).astype(np.uint8)
        try:
            # a copy always: what works in place may not reach the caller's image
            result = self.process(np.array(pixels, order="C", copy=True), settings)
        except EnhanceError:
            raise
        except Exception as error:  # whatever a foreign function may raise
            said = " ".join(str(error).split()) or type(error).__name__
            setting = ", ".join(f"{name}={value:g}" for name, value in settings.items())
            raise BlackBoxError(f"{self.name} failed at {setting}: {said}") from error
        return self._as_tensor(result, pixels.shape).to(image)

    def _as_tensor(self, result: Any, shape: tuple[int, ...]) -> Tensor:
        array = np.asarray(result)
        if array.shape != shape:
            raise ImageError(f"{self.name} must return an image {shape}, got {array.shape}")
        if array.dtype in (np.uint8, np.uint16):
            array = array / np.float32(np.iinfo(array.dtype).max)
        if not np.issubdtype(array.dtype, np.floating):
            raise ImageError(
                f"{self.name} must return uint8, uint16 or floating pixels, got {array.dtype}"
            )
        if not math.isfinite(array.sum(dtype=np.float64)):
            raise ImageError(f"{self.name} must return finite pixels, got NaN or infinity")
        return torch.from_numpy(np.clip(array, 0, 1)).permute(2, 0, 1)


def _float32(value: float) -> np.float32:
    with np.errstate(over="ignore"):  # what is too large becomes infinite, hence no such number
        return np.float32(value)


def black_box(
    function: Callable[..., Pixels],
    parameters: Mapping[str, Parameter],
    *,
    name: str,
    summary: str = "",
    depth: Literal["uint8", "float"] = "uint8",
    views: Literal["whole", "native"] = "whole",
    reach: int | None = None,
    identity: Mapping[str, float] | None = None,
) -> type[BlackBox]:
    """An operator class from a function; `enhance.register` makes it known by its name.

    Args:
        function: called as ``function(pixels, **settings)`` with pixels ``(H, W, 3)``.
        parameters: what it takes, with bounds.
        name: of the operator.
        summary: one line on what it does.
        depth: whether pixels are uint8 or float32 in [0, 1].
        views: what a scorer must see: the composition, or pixels as they are (noise, sharpness).
        reach: pixels around one that its result depends on, which lets large photos be worked
            on in tiles; None when it must see the whole photo.
        identity: the setting that changes nothing, if any.

    Raises:
        ParameterError: a parameter has a name that calls need: ``pixels``, or one in `RESERVED`.

    >>> def gamma(pixels, gamma):
    ...     return pixels**gamma
    >>> Gamma = black_box(gamma, {"gamma": Parameter(0.5, 2, 1, "power")}, name="gamma",
    ...                   depth="float", reach=0, identity={})
    >>> Gamma()(torch.full((1, 3, 1, 1), 0.5), gamma=2.0).flatten()
    tensor([0.2500, 0.2500, 0.2500])
    """

    check_names(parameters, {"pixels": "the function takes that name"})

    def process(self: BlackBox, pixels: Pixels, settings: Mapping[str, float]) -> Pixels:
        return function(pixels, **settings)

    doc = f"``{getattr(function, '__qualname__', name)}`` as an operator."
    attributes = {
        "__doc__": doc,
        "__module__": getattr(function, "__module__", __name__),
        "name": name,
        "summary": summary or doc,
        "parameters_spec": dict(parameters),
        "depth": depth,
        "views": views,
        "reach": reach,
        "identity": identity,
        "process": process,
    }
    return type(f"BlackBox_{name}", (BlackBox,), attributes)
