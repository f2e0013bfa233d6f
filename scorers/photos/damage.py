"""Realistic damage: what cameras, settings and careless processing do to a good photo.

A damage is a table of numbers, one row per photo, each zero where nothing happens, so that
``damage.scaled(0.5)`` lies half way between the photo and the full damage. Ranking a photo
above its damaged copies teaches a scorer where tone and detail should stop.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F
from torch import Generator, Tensor

LUMA = (0.299, 0.587, 0.114)

TONE: Mapping[str, tuple[float, float]] = {
    "exposure": (-2.0, 1.0),  # stops, in linear light
    "shoulder": (-2.0, 1.2),  # stops of middle tones; white stays, as cameras develop
    "gamma": (-0.35, 0.35),  # natural log of the exponent
    "contrast": (-0.7, 0.4),  # natural log of the gain about mid grey
    "saturation": (-0.9, 0.45),  # natural log of the gain of the chroma
    "lift": (-0.1, 0.15),  # level that black is raised to; below 0, the level that becomes black
    "cast_red": (-0.12, 0.12),  # natural log of a channel's gain, in linear light
    "cast_blue": (-0.2, 0.2),
}
CAMERA: Mapping[str, tuple[float, float]] = {
    "exposure": (-2.0, 0.8),
    "shoulder": (-2.0, 0.8),
    "gamma": (-0.29, 0.3),
    "contrast": (-0.69, 0.1),
    "saturation": (-0.69, 0.14),
    "lift": (-0.02, 0.08),
    "cast_red": (-0.06, 0.06),
    "cast_blue": (-0.1, 0.1),
}
"""What an undeveloped photo lacks, as `TONE`: more often too dark and too flat than the reverse."""
OVERDONE: Mapping[str, tuple[float, float]] = {
    "exposure": (0.0, 1.2),
    "shoulder": (0.0, 1.2),
    "gamma": (0.0, 0.4),
    "contrast": (0.0, 0.5),
    "saturation": (0.0, 0.6),
    "lift": (-0.12, 0.0),
}
"""What too much of a good thing looks like, as `TONE`: too light, too deep, too strong."""
DETAIL: Mapping[str, tuple[float, float]] = {
    "blur": (0.0, 2.5),  # std of a Gaussian, px
    "noise": (0.0, 0.12),  # std, in [0, 1] units
    "jpeg": (0.0, 0.9),  # 1 - quality / 100
    "overdenoise": (0.0, 1.0),  # share of a 5x5 median that replaces the photo
}


@dataclass
class Damage:
    """Amounts per kind of damage, each ``(B,)``; see `TONE` and `DETAIL` for units and ranges."""

    amounts: dict[str, Tensor]
    noise_seed: int = field(default=0)

    def scaled(self, factor: float) -> Damage:
        """The same direction at `factor` times the distance."""
        return Damage({k: v * factor for k, v in self.amounts.items()}, self.noise_seed)

    def scaled_each(self, factors: Tensor) -> Damage:
        """The same directions, each photo at its own of the `factors` ``(B,)``."""
        return Damage({k: v * factors for k, v in self.amounts.items()}, self.noise_seed)

    def __call__(self, image: Tensor) -> Tensor:
        """Damage ``(B, 3, H, W)`` in [0, 1], tone first, then detail; the result in [0, 1]."""
        return damage_detail(damage_tone(image, self.amounts), self.amounts, self.noise_seed)


def sample_damage(
    batch: int,
    generator: Generator,
    *,
    kinds: Mapping[str, tuple[float, float]] = TONE,
    keep: float = 0.5,
) -> Damage:
    """Draw one damage per photo.

    Args:
        batch: number of photos.
        generator: source of randomness.
        kinds: ranges by name, from `TONE` and `DETAIL`.
        keep: chance that a kind takes part at all, so that kinds vary independently.

    >>> g = torch.Generator().manual_seed(0)
    >>> sorted(sample_damage(2, g, kinds={"gamma": (-0.3, 0.3)}).amounts)
    ['gamma']
    """
    amounts = {}
    for name, (low, high) in kinds.items():
        value = low + (high - low) * torch.rand(batch, generator=generator)
        present = torch.rand(batch, generator=generator) < keep
        amounts[name] = torch.where(present, value, torch.zeros(()))
    seed = int(torch.randint(2**31 - 1, (), generator=generator))
    return Damage(amounts, seed)


def single_damage(
    batch: int, generator: Generator, *, kinds: Mapping[str, tuple[float, float]] = TONE
) -> Damage:
    """One kind of damage alone per photo, so that no kind hides behind another.

    >>> damage = single_damage(3, torch.Generator().manual_seed(0))
    >>> sum((v != 0).int() for v in damage.amounts.values()).tolist()
    [1, 1, 1]
    """
    every = sample_damage(batch, generator, kinds=kinds, keep=1.1)
    chosen = torch.randint(len(kinds), (batch,), generator=generator)
    amounts = {
        name: torch.where(chosen == i, value, torch.zeros(()))
        for i, (name, value) in enumerate(every.amounts.items())
    }
    return Damage(amounts, every.noise_seed)


def tone_damage(batch: int, generator: Generator) -> Damage:
    """Damage of tone as photos come by it: half of them undeveloped (`CAMERA`), the others too
    much or too little of several things, or of one (`TONE`).
    """
    fate = torch.rand(batch, generator=generator)
    drawn = (
        (sample_damage(batch, generator, kinds=CAMERA, keep=0.7), fate < 0.5),
        (sample_damage(batch, generator, kinds=TONE, keep=0.5), (fate >= 0.5) & (fate < 0.75)),
        (single_damage(batch, generator), fate >= 0.75),
    )
    amounts = {
        name: torch.stack([damage.amounts[name] * chosen for damage, chosen in drawn]).sum(0)
        for name in TONE
    }
    return Damage(amounts, drawn[0][0].noise_seed)


def overdone_damage(batch: int, generator: Generator) -> Damage:
    """Tone carried too far, in one thing alone for half of the photos, in several for the others.

    A scorer that has mostly seen what photos lack takes more of it for better without end.
    """
    alone = single_damage(batch, generator, kinds=OVERDONE)
    several = sample_damage(batch, generator, kinds=OVERDONE, keep=0.4)
    chosen = torch.rand(batch, generator=generator) < 0.5
    amounts = {
        name: torch.where(chosen, alone.amounts[name], several.amounts[name]) for name in OVERDONE
    }
    return Damage(amounts, alone.noise_seed)


def to_linear(image: Tensor) -> Tensor:
    """sRGB to linear light (IEC 61966-2-1)."""
    return torch.where(image <= 0.04045, image / 12.92, ((image + 0.055) / 1.055) ** 2.4)


def to_srgb(linear: Tensor) -> Tensor:
    """Linear light to sRGB (IEC 61966-2-1)."""
    safe = linear.clamp(min=0.0031308)
    return torch.where(linear <= 0.0031308, linear * 12.92, 1.055 * safe ** (1 / 2.4) - 0.055)


def _column(amounts: Mapping[str, Tensor], name: str, like: Tensor) -> Tensor:
    value = amounts.get(name)
    if value is None:
        return like.new_zeros(len(like), 1, 1, 1)
    return value.to(like)[:, None, None, None]


def damage_tone(image: Tensor, amounts: Mapping[str, Tensor]) -> Tensor:
    """Apply the `TONE` kinds to ``(B, 3, H, W)``: light first, then the curve, then colour."""
    zero = _column({}, "", image)
    cast = torch.cat(
        [_column(amounts, "cast_red", image), zero, _column(amounts, "cast_blue", image)], dim=1
    )
    light = to_linear(image) * torch.exp2(_column(amounts, "exposure", image)) * torch.exp(cast)
    # a sensor clips here; beyond white a falling shoulder would pass through infinity to black
    light = light.clamp(max=1)
    gain = torch.exp2(_column(amounts, "shoulder", image))
    light = light * gain / (1 + light * (gain - 1))
    out = to_srgb(light).clamp(0, 1) ** torch.exp(_column(amounts, "gamma", image))
    out = 0.5 + (out - 0.5) * torch.exp(_column(amounts, "contrast", image))
    grey = (out * image.new_tensor(LUMA)[:, None, None]).sum(1, keepdim=True)
    out = grey + (out - grey) * torch.exp(_column(amounts, "saturation", image))
    lift = _column(amounts, "lift", image)
    return (lift + (1 - lift) * out).clamp(0, 1)


def damage_detail(image: Tensor, amounts: Mapping[str, Tensor], noise_seed: int = 0) -> Tensor:
    """Apply the `DETAIL` kinds to ``(B, 3, H, W)``, photo by photo where the amount is not 0."""
    names = [n for n in DETAIL if n in amounts and bool((amounts[n] > 0).any())]
    if not names:
        return image
    generator = torch.Generator().manual_seed(noise_seed)
    rows = []
    for i, row in enumerate(image.split(1)):
        amount = {n: float(amounts[n][i]) for n in names}
        if amount.get("blur", 0) > 0.05:
            row = gaussian_blur(row, amount["blur"])
        if amount.get("noise", 0) > 0:
            row = row + amount["noise"] * camera_noise(row, generator)
        if amount.get("overdenoise", 0) > 0:
            row = torch.lerp(row, median5(row), amount["overdenoise"])
        if amount.get("jpeg", 0) > 0:
            row = jpeg(row, round(100 * (1 - amount["jpeg"])))
        rows.append(row)
    return torch.cat(rows).clamp(0, 1)


def camera_noise(image: Tensor, generator: Generator) -> Tensor:
    """Noise of about unit std for ``(1, 3, H, W)``, as developed photos have it.

    Drawn anew per photo: grain of zero to 1.6 pixels (demosaicing and in-camera denoising smear
    it), a share common to the channels or, as cameras that smooth brightness leave it, a share of
    coarse colour alone, and half the time a level that follows the light.
    """
    grain, common, follows, colour = torch.rand(4, generator=generator).tolist()
    noise = torch.randn(image.shape, generator=generator).to(image)
    noise = common * noise[:, :1] + (1 - common) * noise
    if grain > 0.25:
        noise = gaussian_blur(noise, 1.6 * grain)
    noise = noise / noise.std().clamp(min=1e-6)
    if colour < 0.3:
        blotches = gaussian_blur(torch.randn(image.shape, generator=generator).to(image), 2.5)
        blotches = blotches - blotches.mean(1, keepdim=True)
        noise = noise + 2 * blotches / blotches.std().clamp(min=1e-6)
        noise = noise / noise.std()
    if follows < 0.5:
        level = (image.mean(1, keepdim=True) + 0.05).sqrt()
        noise = noise * level / level.mean()
    return noise


def gaussian_blur(image: Tensor, std: float) -> Tensor:
    """Separable Gaussian blur with reflected borders."""
    radius = min(max(1, round(3 * std)), min(image.shape[-2:]) - 1)
    x = torch.arange(-radius, radius + 1, dtype=image.dtype, device=image.device)
    kernel = torch.exp(-0.5 * (x / std) ** 2)
    kernel = (kernel / kernel.sum()).expand(3, 1, -1)
    padded = F.pad(image, (radius,) * 4, mode="reflect")
    rows = F.conv2d(padded, kernel[:, :, None, :], groups=3)
    return F.conv2d(rows, kernel[:, :, :, None], groups=3)


def median5(image: Tensor) -> Tensor:
    """5x5 median per channel: what a denoiser turned up too far does to texture."""
    # an image too small to be reflected repeats its border
    mode = "reflect" if min(image.shape[-2:]) > 2 else "replicate"
    padded = F.pad(image, (2,) * 4, mode=mode)
    windows = padded.unfold(-2, 5, 1).unfold(-2, 5, 1)
    return windows.flatten(-2).median(-1).values


def jpeg(image: Tensor, quality: int) -> Tensor:
    """Round trip of ``(1, 3, H, W)`` through JPEG at `quality` 1..100."""
    from PIL import Image

    pixels = (image[0].clamp(0, 1) * 255).round().byte().permute(1, 2, 0).cpu().numpy()
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=max(1, quality))
    decoded = np.array(Image.open(buffer))
    return torch.from_numpy(decoded).permute(2, 0, 1)[None].to(image) / 255
