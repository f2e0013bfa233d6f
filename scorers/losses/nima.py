"""A scorer as a loss: how far a restored image is from looking good."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import torch
from torch import Generator, Tensor, nn
from torch.utils.checkpoint import checkpoint as again_in_backward

from scorers.errors import InputError
from scorers.losses import checks as found
from scorers.losses.schedule import Schedule, as_schedule, check_weight
from scorers.losses.target import as_target, shortfall
from scorers.losses.views import native_crops, whole_views
from scorers.scorer import Scorer, check_image
from scorers.zoo import DEFAULT, load


class NIMALoss(nn.Module):
    """A frozen scorer as a loss, on random views of images of any size.

    ``weight * mean(shortfall)`` over images and views, where the shortfall of an opinion is
    ``max(0, target - mean)``, or the earth mover's distance to a target opinion. An ordinary
    module: it works in a plain loop, in Lightning, under autocast and with a `GradScaler`, and
    counts its own training steps for the weight's schedule, in its state dict.

    Add it, with a small weight, to a fidelity loss: alone it rewards whatever fools the scorer.
    `GuardedNIMALoss` keeps it from working against fidelity. Whether it helps at all:
    docs/restoration.md.

    Args:
        scorer: a `Scorer`, a name or a path; the embedded default when None.
        target: mean opinion beyond which there is nothing to gain, or an opinion ``(N,)`` to be
            near; the top of the scale when None.
        crops: native crops of the scorer's view size per image and call.
        whole: cuts of nearly the whole image per image and call, which the scorer shrinks. With
            0 of both the image is judged as it is.
        weight: a factor, or a schedule from step to factor such as `Ramp`.
        checkpoint: views judged at a time, and again in backward, so that memory holds the
            scorer's activations for no more of them; 0 judges all at once.
        precision: what the convolutions compute in, ``torch.bfloat16`` or ``torch.float16``;
            when None, what the surrounding autocast says.
        checks: how many of the first calls are examined for wrong range, sign and gradient, which
            waits for the device; 0 turns these off. See `scorers.losses.checks`.
        generator: source of the views, on the CPU; seed it to repeat a training run. PyTorch's
            global one when None.

    >>> from scorers.card import Architecture, ModelCard
    >>> card = ModelCard("tiny", Architecture("mobilenet_v1", {"width": 0.25}))
    >>> loss = NIMALoss(Scorer.untrained(card), crops=2)
    >>> restored = torch.rand(1, 3, 240, 320, requires_grad=True)
    >>> loss(restored).backward()
    >>> restored.grad.shape
    torch.Size([1, 3, 240, 320])
    """

    target: Tensor
    step: Tensor

    def __init__(
        self,
        scorer: Scorer | str | Path | None = None,
        target: float | Tensor | None = None,
        crops: int = 4,
        generator: Generator | None = None,
        *,
        whole: int = 0,
        weight: float | Schedule = 1.0,
        checkpoint: int = 0,
        precision: torch.dtype | None = None,
        checks: int = 20,
    ) -> None:
        super().__init__()
        counts = {"crops": crops, "whole": whole, "checkpoint": checkpoint, "checks": checks}
        for name, count in counts.items():
            if count < 0:
                raise InputError(f"`{name} >= 0` must hold, but got {name}={count}")
        if precision not in (None, torch.bfloat16, torch.float16):
            raise InputError(
                f"precision must be torch.bfloat16, torch.float16 or None, got {precision}"
            )
        self.scorer = scorer if isinstance(scorer, Scorer) else load(scorer or DEFAULT)
        self.register_buffer("target", as_target(target, self.scorer.buckets), persistent=False)
        self.register_buffer("step", torch.zeros((), dtype=torch.long))
        self.crops = crops
        self.whole = whole
        self.weight = as_schedule(weight)
        self.checkpoint = checkpoint
        self.precision = precision
        self.checks = checks
        self.generator = generator

    def forward(self, image: Tensor, weights: Tensor | None = None) -> Tensor:
        """``(B, 3, H, W)`` in [0, 1] -> a scalar: ratings, or earth mover's distance, weighted.

        Args:
            image: may overshoot the range a little; it is not clamped, which would end gradients.
            weights: ``(B,)``, a factor of 0 or more for each image's part in the mean over images.

        Raises:
            InputError: one of the mistakes that `scorers.losses.checks` knows; the wrong sign
                and a gradient of zero are found in backward.
        """
        checked = self.checks > 0
        image, examined = self._examine(image)
        each = self.each(image)
        if weights is not None:
            if weights.shape != each.shape:
                raise InputError(
                    f"weights must be one a photo, {tuple(each.shape)}, got {tuple(weights.shape)}"
                )
            if checked or weights.device.type == "cpu":  # elsewhere it waits for the device
                found.check_weights(weights)
            each = each * weights.detach().to(each)
        loss = self.weight_now() * each.mean()
        found.check_passes(loss, image)
        if examined:
            found.watch_sign(loss)
            found.watch_gradient(loss, image)
        self.count()
        return loss

    def each(self, image: Tensor) -> Tensor:
        """``(B, 3, H, W)`` -> ``(B,)``: each image's shortfall, without weight and checks."""
        shares = torch.cat([self._judge(views) for views in self._views(image)], dim=1)
        return shortfall(shares, self.target, self.scorer.buckets).mean(1)

    def weight_now(self) -> float:
        """The schedule's weight at this step.

        Raises:
            InputError: it is negative or not finite.
        """
        return check_weight(self.weight(int(self.step)))

    def count(self) -> None:
        """Count one training step, where it is one."""
        if self.training and torch.is_grad_enabled():
            self.step += 1

    def _examine(self, image: Tensor) -> tuple[Tensor, bool]:
        """The image as a tensor of this loss' own, and whether backward is to be watched."""
        check_image(image)
        found.check_scorer(self.scorer)
        if self.training:
            found.check_attached(image)
        if self.checks == 0:
            return image, False
        self.checks -= 1
        found.check_range(image)
        return image.view_as(image), self.training

    def _views(self, image: Tensor) -> list[Tensor]:
        """Groups of views, each ``(B, n, 3, h, w)``."""
        groups = []
        if self.crops:
            groups.append(native_crops(image, self.scorer.view_size, self.crops, self.generator))
        if self.whole:
            groups.append(whole_views(image, self.whole, self.generator))
        return groups or [image[:, None]]

    def _judge(self, views: Tensor) -> Tensor:
        """``(B, n, 3, h, w)`` -> ``(B, n, buckets)``."""
        flat = views.flatten(0, 1)
        with self._arithmetic(views.device.type):
            if self.checkpoint and torch.is_grad_enabled():
                parts = [
                    again_in_backward(self.scorer.opinion, part, use_reentrant=False)
                    for part in flat.split(self.checkpoint)
                ]
                shares = torch.cat(parts)
            else:
                shares = self.scorer.opinion(flat)
        return shares.unflatten(0, views.shape[:2])

    def _arithmetic(self, device: str) -> AbstractContextManager[object]:
        if self.precision is None:
            return nullcontext()
        return torch.autocast(device, self.precision)
