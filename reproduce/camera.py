"""Native squares as a camera writes them in little light, and the average of many such files.

The average of many exposures is clean, but as soft as the camera's own denoising leaves each of
them, and single files are sharpened: what looks crisp in them is partly grain. `nima-technical`
must not prefer it (`reproduce.nima_technical`).
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from enhance.operators.luma import luma
from scorers.photos.damage import damage_tone, gaussian_blur, jpeg, median5
from scorers.photos.sensor import sensor_noise

LEAST, MOST = 0.006, 0.05  # std of the noise before the camera's own denoising, in [0, 1] units
DARKEST = -2.5  # stops, in linear light
LEFT = 0.1  # share of the noise that the average keeps


def developed(
    square: Tensor, noise: Tensor, smoothing: float, colour_blur: float, sharpening: float
) -> Tensor:
    """One exposure ``(1, 3, H, W)``: brightness smoothed, colour blurred, and all sharpened."""
    exposed = square + noise
    light = luma(exposed)[:, None].expand(-1, 3, -1, -1)
    colour = gaussian_blur(exposed - light, colour_blur)
    light = torch.lerp(light, median5(light), smoothing)
    light = light + sharpening * (light - gaussian_blur(light, 1.0))
    return (light + colour).clamp(0, 1)


@torch.no_grad()
def in_little_light(squares: Tensor, generator: Generator) -> Tensor:
    """``(P, 3, 3, H, W)`` versions of ``(P, 3, H, W)`` squares: half of them darker than they were,
    a file of each, and the average of many such files.
    """
    count = len(squares)
    stops = DARKEST * torch.rand(count, generator=generator)
    darker = torch.rand(count, generator=generator) < 0.5
    squares = damage_tone(squares, {"exposure": stops * darker})
    seen = [torch.cat([square, exposures(square, generator)]) for square in squares.split(1)]
    return torch.stack(seen)


@torch.no_grad()
def exposures(square: Tensor, generator: Generator) -> Tensor:
    """``(2, 3, H, W)``: a file of a square ``(1, 3, H, W)``, and the average of many such files.

    What the camera does, drawn anew per square, is the same in every exposure; the noise is not.
    The hand or the mirror moves the camera a little between them, which softens the average.
    """
    share = torch.rand(6, generator=generator).tolist()
    std = LEAST + (MOST - LEAST) * share[0] ** 1.5
    noise = std * sensor_noise(square, generator)
    of_camera = {
        "smoothing": 0.8 * share[1],
        "colour_blur": 0.3 + 2.2 * share[2],
        "sharpening": 1.5 * share[3],
    }
    file = jpeg(developed(square, noise, **of_camera), round(80 + 18 * share[4]))
    average = gaussian_blur(developed(square, LEFT * noise, **of_camera), 0.2 + 0.7 * share[5])
    return torch.cat([file, (average.clamp(0, 1) * 255).round() / 255])
