"""Native squares of good photos, and versions of them whose distance is known.

What `reproduce.nima_technical` learns from: noise as cameras make it, blur, compression, and a
denoiser that does too little or too much.
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor
from torch.nn import functional

from enhance.operators.turbo import Turbo
from reproduce.network import SIZE
from scorers.photos.damage import (
    DETAIL,
    TONE,
    Damage,
    camera_noise,
    gaussian_blur,
    overdone_damage,
    sample_damage,
)
from scorers.photos.sensor import sensor_noise

ENLARGED = 3.0  # at most
SOFT = 0.6  # share of the squares that are enlarged
SENSOR = 0.5  # share of noise that is drawn in a sensor's mosaic
SHARPENED = 0.3  # share of noise that a camera has sharpened with the photo
SEARCHES = ((12, 13, 14, 15, 16, 17), (9, 18, 19, 20), (7, 21), (0, 22))
"""Columns of `versions` that one search for a denoiser's setting would compare."""
ORDER = (
    *((a, b, 0.2) for a, b in ((0, 7), (7, 8), (0, 9), (0, 10))),
    *((a, b, 0.05) for a, b in ((0, 23), (9, 24), (9, 5))),
)
"""Columns of `versions`, the better first, and the points that it must lead by, though they differ
by little, or though one fault hides another: noise that hardly shows costs; compression and a flat
curve, which take noise away, do not pay."""


def distance(image: Tensor, reference: Tensor) -> Tensor:
    """Root mean square difference in percent, per photo: 10 is 20 dB."""
    return 100 * (image - reference).square().mean((-3, -2, -1)).sqrt()


def native_crop(photo: Tensor, generator: Generator) -> Tensor:
    """One random square of pixels as they are, mirrored half the time."""
    top, left = (
        int(torch.randint(side - SIZE + 1, (), generator=generator)) for side in photo.shape[-2:]
    )
    crop = photo[..., top : top + SIZE, left : left + SIZE]
    return crop.flip(-1) if torch.rand((), generator=generator) < 0.5 else crop


def good_crop(photo: Tensor, generator: Generator) -> Tensor:
    """A native crop of a photo, or more often of the photo enlarged."""
    if torch.rand((), generator=generator) >= SOFT:
        return native_crop(photo, generator)
    scale = 1 + (ENLARGED - 1) * float(torch.rand((), generator=generator))
    side = round(SIZE / scale)
    top, left = (
        int(torch.randint(length - side + 1, (), generator=generator))
        for length in photo.shape[-2:]
    )
    cut = photo[..., top : top + side, left : left + side]
    return functional.interpolate(cut, (SIZE, SIZE), mode="bicubic", antialias=True).clamp(0, 1)


def grain(crops: Tensor, std: Tensor, seed: int) -> Tensor:
    """Crops with noise of `std` ``(P,)``, as a camera leaves it; half the time a sensor's."""
    generator = torch.Generator().manual_seed(seed)
    rows = []
    for crop, level in zip(crops.split(1), std, strict=True):
        draw_noise = sensor_noise if torch.rand((), generator=generator) < SENSOR else camera_noise
        noise = draw_noise(crop, generator)
        amount, chance = torch.rand(2, generator=generator).tolist()
        if chance < SHARPENED:
            noise = noise + (0.5 + amount) * (noise - gaussian_blur(noise, 1.0))
            noise = noise / noise.std().clamp(min=1e-6)
        rows.append(crop + level * noise)
    return torch.cat(rows).clamp(0, 1)


@torch.no_grad()
def versions(crops: Tensor, turbo: Turbo, generator: Generator) -> tuple[Tensor, Tensor]:
    """``(P, V, ...)`` versions of ``(P, 3, H, W)`` good crops and their distances.

    By column: 0 the crop; 1 to 3 damaged by half, in full, by a quarter; 4 wrong in tone, 5 flat,
    6 overdone; 7 and 8 with noise that hardly shows, and more of it; 9 faintly noisy; 10 the same
    and 11 the crop as a camera's JPEG; 12 plainly noisy; 13 to 17 that denoised at random
    settings, 18 to 20 column 9, 21 column 7 and 22 the crop itself; 23 the crop compressed more,
    24 to 26 column 9 compressed much, blurred, median filtered.
    """
    count = len(crops)

    def uniform() -> Tensor:
        return torch.rand(count, generator=generator)

    detail = sample_damage(count, generator, kinds=DETAIL, keep=0.35)
    tone = sample_damage(count, generator, kinds=TONE, keep=0.3)
    flat = Damage({"contrast": -0.3 - 0.7 * uniform()})
    seed = detail.noise_seed
    least, little, much = (
        0.003 + 0.006 * uniform(),
        0.005 + 0.02 * uniform(),
        0.02 + 0.13 * uniform() ** 1.5,
    )
    images = [crops, *(detail.scaled(share)(crops) for share in (0.5, 1.0, 0.25))]
    images += [tone(crops), flat(crops), overdone_damage(count, generator)(crops)]
    hardly = grain(crops, least, seed + 1)
    faint, noisy = grain(crops, little, seed + 3), grain(crops, much, seed + 4)
    images += [hardly, grain(crops, least * (1 + uniform()), seed + 2), faint]
    images += [Damage({"jpeg": 0.03 + 0.17 * uniform()})(image) for image in (faint, crops)]
    images.append(noisy)
    for base, std, times in ((noisy, much, 5), (faint, little, 3), (hardly, least, 1)):
        for _ in range(times):
            images.append(denoised(base, std, turbo, generator))
    images.append(denoised(crops, 0.02 + 0 * least, turbo, generator))
    images.append(Damage({"jpeg": 0.25 + 0.7 * uniform()})(crops))
    worse = {
        "jpeg": 0.5 + 0.45 * uniform(),
        "blur": 0.5 + 1.5 * uniform(),
        "overdenoise": uniform(),
    }
    images += [Damage({kind: amount})(faint) for kind, amount in worse.items()]
    stacked = torch.stack(images, dim=1).clamp(0, 1)
    return stacked, distance(stacked, crops[:, None])


def denoised(crops: Tensor, std: Tensor, turbo: Turbo, generator: Generator) -> Tensor:
    """Crops whose noise is known, denoised at settings drawn at random."""
    sigma, ratio = torch.rand(2, len(crops), generator=generator)
    return turbo(
        crops, sigma_s=torch.exp(2.3 * sigma), k_r=2 + 10 * ratio, sigma_n=std.clamp(min=0.01)
    )
