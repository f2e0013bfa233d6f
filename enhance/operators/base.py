"""What an operator is: named parameters, and two steps, `analyse` and `render`.

Most of an operator's work does not depend on what is being tuned, so it is split: `analyse`
runs once per photo, `render` once per setting. `render` is differentiable to the settings and,
through the layers, to the image.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, ClassVar, Generic, Literal, TypeVar, get_args

import torch
from torch import Tensor, nn

from enhance.errors import ImageError, ParameterError, shown, unknown_name
from enhance.operators.batching import broadcast_shapes

LayersT = TypeVar("LayersT")
Settings = Mapping[str, Tensor]
"""One tensor per parameter; their shapes broadcast against the image's batch shape ``(B,)``."""
Scale = Literal["linear", "log"]
Stage = Literal["analyse", "render"]

RESERVED: Mapping[str, str] = {
    "self": "Operator.forward takes that name",
    "image": "Operator.forward takes that name",
    "extent": "Operator.forward takes that name",
    "value": "the history of a search calls its objective so",
}
"""What no parameter may be called, and why."""


def check_names(names: Iterable[str], reserved: Mapping[str, str] = RESERVED) -> None:
    """Raise `ParameterError` if a parameter has a name that something else needs.

    >>> check_names(["detail", "shadow"])
    """
    for name in names:
        if name in reserved:
            raise ParameterError(f"a parameter must not be called {name}: {reserved[name]}")


def check_image(image: Tensor) -> None:
    """Raise `ImageError` unless `image` is a floating tensor of shape ``(B, 3, H, W)``."""
    if image.ndim != 4 or image.shape[1] != 3 or 0 in image.shape:
        raise ImageError(f"an image must have shape (B, 3, H, W), got {tuple(image.shape)}")
    if not image.is_floating_point():
        raise ImageError(f"an image must be a floating tensor in [0, 1], got {image.dtype}")


def check_shapes(image: Tensor, settings: Settings) -> None:
    """Raise `ParameterError` unless settings broadcast against ``(B,)`` and each other."""
    shape: tuple[int, ...] = tuple(image.shape[:1])
    for name, value in settings.items():
        try:
            shape = broadcast_shapes(shape, tuple(value.shape))
        except ValueError:
            raise ParameterError(
                f"{name} must have a shape that broadcasts against the batch and the other "
                f"parameters, {tuple(shape)}, got {tuple(value.shape)}"
            ) from None


@dataclass(frozen=True)
class Parameter:
    """One number that a person could turn.

    Attributes:
        low, high: inclusive bounds.
        default: the value that changes nothing where such a value exists, else a sound choice.
        doc: one sentence on what the parameter does.
        unit: ``"px"``, ``"std"`` ... or empty when it has none.
        scale: how search strategies should step: ``"linear"`` or ``"log"`` (then ``low > 0``).
        levels: how many values the grid strategy tries, evenly spaced on `scale`.
        grid: those values themselves, where even spacing would miss one that matters (identity);
            narrowed bounds keep what lies within them, be it nothing.
        tuned: searched unless the caller says otherwise; the others keep their default.
        stage: the step that reads it. An ``"analyse"`` parameter costs an analysis per value.
        integer: takes whole numbers only, hence has no gradient.
    """

    low: float
    high: float
    default: float
    doc: str
    unit: str = ""
    scale: Scale = "linear"
    levels: int = 11
    tuned: bool = True
    stage: Stage = "render"
    integer: bool = False
    grid: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        numbers = {"low": self.low, "high": self.high, "default": self.default}
        numbers |= {f"grid[{index}]": value for index, value in enumerate(self.grid or ())}
        for name, value in numbers.items():
            if not isinstance(value, Real) or not math.isfinite(value):
                raise ParameterError(f"{name} must be a finite number, got {shown(value)}")
            if self.integer and value != round(value):
                raise ParameterError(
                    f"{name} of a whole-number parameter must be whole, got {value}"
                )
        for name, given, known in (
            ("scale", self.scale, get_args(Scale)),
            ("stage", self.stage, get_args(Stage)),
        ):
            if given not in known:
                raise ParameterError(f"{name} must be {' or '.join(known)}, got {shown(given)}")
        if not self.low <= self.default <= self.high:
            raise ParameterError(
                "`low <= default <= high` must hold, but got "
                f"(low={self.low:g}, default={self.default:g}, high={self.high:g})"
            )
        if self.scale == "log" and self.low <= 0:
            raise ParameterError(f"`low > 0` must hold on a log scale, but got low={self.low:g}")
        if not isinstance(self.levels, Integral):
            raise ParameterError(f"levels must be a whole number, got {shown(self.levels)}")
        if self.levels < 1:
            raise ParameterError(f"`levels >= 1` must hold, but got levels={self.levels}")

    def check(self, name: str, value: float | Tensor) -> None:
        """Raise `ParameterError` unless every value is finite, within bounds and of its kind.

        There must be one at least.
        """
        try:
            values = torch.as_tensor(value, dtype=torch.float64).detach().reshape(-1)
        except (TypeError, ValueError, RuntimeError, OverflowError):
            raise ParameterError(f"{name} must be a number, got {shown(value)}") from None
        if not values.numel():
            raise ParameterError(f"{name} must hold at least one number, got none")
        # a float32 copy of a bound may lie one rounding outside it
        low, high = self.low - 1e-6 * abs(self.low), self.high + 1e-6 * abs(self.high)
        inside = (values >= low) & (values <= high)
        if not bool(inside.all()):
            worst = values[~inside][0].item()
            raise ParameterError(f"{name} must lie in [{self.low:g}, {self.high:g}], got {worst}")
        broken = values != values.round()
        if self.integer and bool(broken.any()):
            raise ParameterError(f"{name} must be a whole number, got {values[broken][0].item()}")


class Operator(nn.Module, ABC, Generic[LayersT]):
    """Turns a photo and a few numbers into a better photo.

    A subclass sets `name` and `parameters_spec` and implements `analyse` and `render`. Images
    are ``(B, 3, H, W)`` float tensors in [0, 1], gamma-encoded sRGB.

    Settings are tensors that broadcast against the batch shape ``(B,)`` as NumPy would:
    ``(K,)`` settings on one image give K renderings, ``(B,)`` settings on B images pair up, and
    ``(K, 1)`` settings on B images give ``(K, B, 3, H, W)``.

    Raises:
        ParameterError: when a subclass is made whose parameters have a name in `RESERVED`.
    """

    name: ClassVar[str]
    summary: ClassVar[str] = ""
    parameters_spec: Mapping[str, Parameter]
    differentiable: ClassVar[bool] = True
    views: ClassVar[Literal["whole", "native"]] = "whole"
    """What a scorer must see to judge this operator: the composition, or pixels as they are."""
    identity: Mapping[str, float] | None = None
    """Settings, on top of the defaults, that change nothing; None where there are none."""
    noise_parameter: ClassVar[str | None] = None
    """Name of the parameter that says how much noise (std of luma) there is to remove, where the
    operator denoises: what it is told speaks for denoising, see `enhance.tuning.prior`."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        own = cls.__dict__.get("parameters_spec")
        if isinstance(own, Mapping):  # not a property
            check_names(own)

    @abstractmethod
    def analyse(
        self,
        image: Tensor,
        settings: Settings | None = None,
        *,
        extent: tuple[int, int] | None = None,
    ) -> LayersT:
        """Do, once per photo, the work that does not depend on the rendered settings.

        Args:
            image: ``(B, 3, H, W)`` in [0, 1].
            settings: complete settings; only ``stage="analyse"`` parameters are read, with
                shapes that broadcast to ``(B,)``. None means defaults.
            extent: height and width of the whole photo of which `image` is a crop or tile, at
                the same pixel pitch; None when `image` is the whole. Parameters that scale with
                the photo read it.
        """

    @abstractmethod
    def render(self, layers: LayersT, settings: Settings) -> Tensor:
        """Render complete settings: ``broadcast(settings, (B,)) + (3, H, W)``, in [0, 1]."""

    def calibrate(self, image: Tensor, settings: Settings) -> dict[str, Tensor]:
        """Settings with every value that means "ask the photo" answered by the photo.

        Call it with the whole photo before cropping or tiling, so that all pieces share the
        answer. Most operators have no such value and return the settings as they are.
        """
        return dict(settings)

    def halo(self, extent: tuple[int, int], settings: Settings | None = None) -> int:
        """Pixels of context that a crop or tile needs on every side to equal the whole.

        Args:
            extent: height and width of the whole.
            settings: complete settings, which may need less than others; None means any.
        """
        return 0

    def largest(self, name: str, settings: Settings | None) -> float:
        """The largest value of a parameter among `settings`, or that it can have if None."""
        if settings is None:
            return self.parameters_spec[name].high
        return float(settings[name].max())

    def forward(
        self, image: Tensor, *, extent: tuple[int, int] | None = None, **settings: float | Tensor
    ) -> Tensor:
        """Apply the operator: `analyse`, then `render`; unnamed parameters keep their default.

        Half-precision images are worked on in float32 and given back in their own dtype.

        Raises:
            ImageError: `image` is not a floating ``(B, 3, H, W)`` tensor.
            UnknownNameError, ParameterError: see `complete`; also settings whose shapes do not
                broadcast against ``(B,)`` and each other.
        """
        check_image(image)
        working = image.float() if image.dtype in (torch.float16, torch.bfloat16) else image
        complete = self.complete(settings, like=working)
        check_shapes(image, complete)
        rendered = self.render(self.analyse(working, complete, extent=extent), complete)
        return rendered.to(image.dtype)

    def complete(
        self, settings: Mapping[str, float | Tensor], *, like: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Fill in defaults, check names and bounds, and return tensors (dtype, device of `like`).

        Raises:
            UnknownNameError: a name that is not a parameter, with the nearest that is.
            ParameterError: a value out of bounds.
        """
        for name in settings:
            if name not in self.parameters_spec:
                raise unknown_name(f"{self.name} parameter", name, self.parameters_spec)
        complete: dict[str, Tensor] = {}
        for name, parameter in self.parameters_spec.items():
            value = settings.get(name, parameter.default)
            parameter.check(name, value)
            options: dict[str, Any] = {}
            if like is not None:
                options = {"dtype": like.dtype, "device": like.device}
            complete[name] = torch.as_tensor(value, **options)
        return complete

    def defaults(self) -> dict[str, float]:
        """The default setting."""
        return {name: parameter.default for name, parameter in self.parameters_spec.items()}
