"""The checks that every operator must pass, as a class to subclass.

In a test file of the package that offers the operator::

    from enhance.testing import OperatorSuite

    class TestSharpen(OperatorSuite):
        def make(self):
            return Sharpen()

pytest then runs every ``test_`` method. Each can also be called by hand and raises
`AssertionError` with what it saw.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import Tensor

from enhance.errors import ParameterError, UnknownNameError
from enhance.operators.base import Operator, check_names
from enhance.testing.images import extremes, photo
from enhance.testing.settings import middle, show, spread

ROUNDING = 1e-5  # between orders of summation in float32
SEAM = 1 / 512  # half a step of an 8-bit photo
LARGEST = 1024  # side of a photo on which tiles are tried
STRIP = 24, 2048  # four times as long as the photo on which parameters count pixels, and cheap


class OperatorSuite(ABC):
    """Conformance of one operator; a subclass says how to make it.

    Attributes:
        small: height and width of the image on which gradients are checked numerically.
    """

    small: tuple[int, int] = (6, 7)

    @abstractmethod
    def make(self) -> Operator[Any]:
        """A new instance of the operator under test."""

    # -- what it declares -----------------------------------------------------------------

    def test_declaration(self) -> None:
        """It has a name, a summary, and parameters that say what they do."""
        operator = self.make()
        assert operator.name, "an operator needs a name"
        assert operator.summary, "an operator needs a summary of one line"
        check_names(operator.parameters_spec)
        for name, parameter in operator.parameters_spec.items():
            assert parameter.doc, f"{name} needs a sentence on what it does"
            grid = parameter.grid or (parameter.low, parameter.high)
            assert len(set(grid)) == len(grid), f"{name} repeats a grid value: {grid}"
            parameter.check(name, torch.tensor(grid))
        operator.complete(dict(operator.identity or {}))

    def test_identity(self) -> None:
        """At its declared identity it changes nothing beyond rounding; one that has it says so."""
        operator = self.make()
        images = {"photo": photo(24, 20), **extremes(12, 9)}
        identity = operator.identity or {}
        changes = {name: _distance(operator(x, **identity), x) for name, x in images.items()}
        name, change = max(changes.items(), key=lambda item: item[1])
        if operator.identity is None:
            assert change > 1e-6, "its defaults change nothing: it must declare identity = {}"
        else:
            assert change <= 1e-6, f"the identity changes the image {name!r} by {change:.2g}"

    def test_bounds(self) -> None:
        """Values out of bounds and unknown names raise; they are never clamped."""
        operator = self.make()
        image = photo(8, 8)
        for name, parameter in operator.parameters_spec.items():
            reach = parameter.high - parameter.low + 1
            for value in (parameter.low - reach, parameter.high + reach, float("nan")):
                _must_raise(ParameterError, operator, image, {name: value})
        _must_raise(UnknownNameError, operator, image, {"no such parameter": 0.0})

    # -- what it gives back ---------------------------------------------------------------

    def test_range(self) -> None:
        """Everywhere in its bounds and on any image, the output is finite and in [0, 1]."""
        operator = self.make()
        for name, image in {"photo": photo(16, 12), **extremes(12, 9)}.items():
            for setting in spread(operator):
                rendered = operator(image, **setting)
                where = f"on the image {name!r} at {show(setting)}"
                assert bool(rendered.isfinite().all()), f"output is not finite {where}"
                low, high = rendered.min().item(), rendered.max().item()
                assert low >= 0, f"output falls to {low:g} {where}"
                assert high <= 1, f"output rises to {high:g} {where}"

    def test_dtype_and_shape(self) -> None:
        """Shape and dtype are those of the image, down to one pixel of width."""
        operator = self.make()
        setting = middle(operator)
        expected = operator(photo(12, 10), **setting)
        for dtype in (torch.float32, torch.float64, torch.float16, torch.bfloat16):
            rendered = operator(photo(12, 10).to(dtype), **setting)
            assert rendered.dtype == dtype, f"{dtype} becomes {rendered.dtype}"
            error = _distance(rendered.float(), expected)
            tolerance = 0.05 if dtype == torch.bfloat16 else 0.01
            assert error <= tolerance, f"{dtype} differs from float32 by {error:.2g}"
        for height, width in ((1, 1), (1, 5), (5, 1), (2, 3)):
            rendered = operator(photo(height, width), **setting)
            assert rendered.shape == (1, 3, height, width), f"shape becomes {rendered.shape}"

    def test_deterministic(self) -> None:
        """The same call gives the same result, and its input stays as it was."""
        operator = self.make()
        image = photo(16, 12)
        before = image.clone()
        first, second = (operator(image, **middle(operator)) for _ in range(2))
        assert torch.equal(first, second), "two equal calls differ"
        assert torch.equal(image, before), "the input image was modified"

    def test_layers_are_reusable(self) -> None:
        """One analysis serves many renderings, in any order."""
        operator = self.make()
        image = photo(16, 12)
        first, *others = spread(operator, only="render")
        complete = operator.complete(first, like=image)
        layers = operator.analyse(image, complete)
        expected = operator.render(layers, complete)
        for setting in others:
            operator.render(layers, operator.complete(setting, like=image))
        change = _distance(operator.render(layers, complete), expected)
        assert change == 0, f"rendering other settings changed the layers by {change:.2g}"

    # -- batches, crops -------------------------------------------------------------------

    def test_batch_of_images(self) -> None:
        """Images together give what each gives alone."""
        operator = self.make()
        images = torch.cat([photo(14, 11, seed=seed) for seed in range(3)])
        setting = middle(operator)
        together = operator(images, **setting)
        alone = torch.cat([operator(image[None], **setting) for image in images])
        error = _distance(together, alone)
        assert error <= ROUNDING, f"a batch of images differs by {error:.2g} from one by one"

    def test_batch_of_settings(self) -> None:
        """Settings together give what each gives alone: on one image, paired, and crossed."""
        operator = self.make()
        images = torch.cat([photo(14, 11, seed=seed) for seed in range(2)])
        settings = spread(operator)[:2]
        names = operator.parameters_spec
        stacked = {name: torch.tensor([setting[name] for setting in settings]) for name in names}
        alone = torch.stack(
            [torch.cat([operator(image[None], **s) for image in images]) for s in settings]
        )
        cases = {
            "(K,) settings on one image": (operator(images[:1], **stacked), alone[:, 0]),
            "(B,) settings on B images": (
                operator(images, **stacked),
                torch.stack([alone[n, n] for n in range(2)]),
            ),
            "(K, 1) settings on B images": (
                operator(images, **{name: value[:, None] for name, value in stacked.items()}),
                alone,
            ),
        }
        for case, (together, expected) in cases.items():
            if not names:  # nothing to batch
                continue
            assert together.shape == expected.shape, (
                f"{case} have shape {tuple(together.shape)}, not {tuple(expected.shape)}"
            )
            error = _distance(together, expected)
            assert error <= ROUNDING, f"{case} differ by {error:.2g} from one by one"

    def test_tiles(self) -> None:
        """A crop with its declared halo equals the same place of the whole.

        Tried on a square, and on a strip so long that sizes which scale with the photo are large.
        """
        operator = self.make()
        side = 64
        while side < min(2 * operator.halo((side, side)) + 48, LARGEST):
            beyond, further = (operator.halo((s, s)) - s for s in (side, 2 * side))
            if further >= beyond >= 0:
                break  # the halo grows as the photo does: no tile is less than the whole
            side *= 2
        for extent in ((side, side), STRIP):
            self._check_tiles(operator, extent)

    def _check_tiles(self, operator: Operator[Any], extent: tuple[int, int]) -> None:
        height, width = extent
        image = photo(*extent)
        for setting in spread(operator)[:4]:
            complete = operator.calibrate(image, operator.complete(setting, like=image))
            halo = operator.halo(extent, complete)
            whole = operator.render(operator.analyse(image, complete), complete)
            for top, left in ((0, 0), (height // 2 - 8, width // 2 - 8), (height - 16, 8)):
                first_row, first_column = max(0, top - halo), max(0, left - halo)
                tile = image[..., first_row : top + 16 + halo, first_column : left + 16 + halo]
                layers = operator.analyse(tile, complete, extent=extent)
                rendered = operator.render(layers, complete)
                rows = slice(top - first_row, top - first_row + 16)
                columns = slice(left - first_column, left - first_column + 16)
                expected = whole[..., top : top + 16, left : left + 16]
                error = _distance(rendered[..., rows, columns], expected)
                assert error <= SEAM, (
                    f"a tile of a photo of {height}x{width} differs by {error:.2g} "
                    f"at {show(setting)}"
                )

    # -- gradients ------------------------------------------------------------------------

    def test_gradcheck(self) -> None:
        """Gradients to image and real parameters equal finite differences, at the default too."""
        operator = self.make()
        if not operator.differentiable:
            return
        image = (0.2 + 0.6 * photo(*self.small)).double()
        names = [name for name, p in operator.parameters_spec.items() if not p.integer]
        for setting in (operator.defaults(), middle(operator), middle(operator, share=0.3)):
            complete = operator.calibrate(image, operator.complete(setting, like=image))
            values = [complete[name].clone().requires_grad_() for name in names]

            def render(
                pixels: Tensor, *real: Tensor, complete: dict[str, Tensor] = complete
            ) -> Tensor:
                own = {**complete, **dict(zip(names, real, strict=True))}
                return operator.render(operator.analyse(pixels, own), own)

            inputs = (image.clone().requires_grad_(), *values)
            assert torch.autograd.gradcheck(render, inputs), "gradients are wrong"

    def test_finite_gradients(self) -> None:
        """Gradients are finite on flat, black, white and saturated images."""
        operator = self.make()
        if not operator.differentiable:
            return
        for name, image in extremes(6, 6).items():
            for setting in [operator.defaults(), *spread(operator)[:4]]:
                gradients = _gradients(operator, image, setting)
                for of, gradient in gradients.items():
                    assert bool(gradient.isfinite().all()), (
                        f"gradient to {of} is not finite on the image {name!r} at {show(setting)}"
                    )

    def test_live_gradients(self) -> None:
        """Inside the bounds, no searched parameter's gradient is zero on an ordinary image."""
        operator = self.make()
        if not operator.differentiable:
            return
        for share in (0.1, 0.5, 0.9):
            setting = middle(operator, share=share)
            gradients = _gradients(operator, photo(16, 12), setting)
            for name, parameter in operator.parameters_spec.items():
                if parameter.tuned and not parameter.integer:
                    size = gradients[name].abs().item()
                    assert size > 0, f"gradient to {name} vanishes at {show(setting)}"


def _distance(one: Tensor, other: Tensor) -> float:
    return (one - other).abs().max().item()


def _must_raise(
    error: type[Exception], operator: Operator[Any], image: Tensor, setting: dict[str, float]
) -> None:
    try:
        operator(image, **setting)
    except error:
        return
    raise AssertionError(f"{show(setting)} must raise {error.__name__}, but nothing was raised")


def _gradients(
    operator: Operator[Any], image: Tensor, setting: dict[str, float]
) -> dict[str, Tensor]:
    """Gradients of a weighted sum of the output to the image and to real parameters."""
    pixels = image.clone().requires_grad_()
    inputs: dict[str, Tensor] = {"the image": pixels}
    values: dict[str, float | Tensor] = dict(setting)
    for name, parameter in operator.parameters_spec.items():
        if not parameter.integer:
            inputs[name] = torch.tensor(float(setting[name]), requires_grad=True)
            values[name] = inputs[name]
    rendered = operator(pixels, **values)
    weights = torch.linspace(-1, 2, rendered.numel()).reshape(rendered.shape)
    gradients = torch.autograd.grad(
        (rendered * weights).sum(), list(inputs.values()), materialize_grads=True
    )
    return dict(zip(inputs, gradients, strict=True))
