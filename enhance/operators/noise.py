"""How strong the noise of a photo is, how it follows the light, and how coarse its grain is."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from enhance.operators.luma import WEIGHTS, luma

NOISE_FLOOR = 1 / 255 / math.sqrt(12)
"""Rounding noise of an 8-bit photo: no photo is taken to be cleaner."""
_ROOT = math.sqrt(3)
# Daubechies' wavelet with two vanishing moments: its high-pass is blind to linear gradients
_HIGH_PASS = [value / (4 * math.sqrt(2)) for value in (1 - _ROOT, _ROOT - 3, 3 + _ROOT, -1 - _ROOT)]
_LOW_PASS = [value / (4 * math.sqrt(2)) for value in (1 + _ROOT, 3 + _ROOT, 3 - _ROOT, 1 - _ROOT)]
_MAD_TO_STD = 0.6744897501960817  # median of |x| for a standard normal x
_SCALES = 3  # wavelet levels: noise of 1-2, 2-4 and 4-8 px
BLOCK = 16  # side of the squares that are judged flat or not
FEWEST = 6  # flat blocks that a brightness is judged on
FLAT = 0.05  # share of the blocks that are taken to be flat
LOW = 0.4  # quantile of the flat blocks' energy: what is above may be texture
CLIPPED = 0.1  # share of clipped pixels above which a block is not read
BINS = 4  # brightness ranges with equally many blocks
SHRINK = 0.02  # weighted variance of brightness below which tilt is hardly told
ROUGH = 2  # coarse structure over the noise's variance up to which a block is surely flat
MAX_TILT = 1.0  # octaves of noise from black to white that are believed
_LUMA = sum(weight**2 for weight in WEIGHTS)  # luma's share of the variance of R, G and B
# variance of B-Y is 1 - 2 b + _LUMA of one channel's, b the weight of blue; R-Y alike
CHROMA_OF_LUMA = math.sqrt((1 - WEIGHTS[0] - WEIGHTS[2] + _LUMA) / _LUMA)
"""Noise of B-Y and R-Y over luma's, for noise that is independent in R, G and B."""
UNTOUCHED = 0.5  # finest over second scale's colour noise, in energy: .1 after JPEG, 1 in white
SHARED = 1.5  # luma's noise over colour's from which channels share their noise, as film grain
MAX_PIXELS = 1 << 24  # pixels that are read; of larger photos, squares spread over them
SQUARE = 512  # side of those squares, a multiple of `BLOCK`
SLACK = 1.1  # of the level that colour noise tells
WHITE_GRAIN = 1.15  # 1 for white noise; how often it is read so: `benchmarks/prior.py`
WHITE_CHROMA = (0.8, 1.1)  # of `CHROMA_OF_LUMA`, likewise


@dataclass(frozen=True)
class NoiseProfile:
    """Noise of photos, each ``(B,)``.

    Attributes:
        level: std of luma's noise at middle grey, in units of the image.
        tilt: octaves by which luma's noise grows from black to white.
        grain: luma's noise at 2-4 px over its level: 1 for white noise, more when demosaicing
            and in-camera denoising have smeared it.
        chroma: std of the noise of B-Y and R-Y, root mean square of both.
    """

    level: Tensor
    tilt: Tensor
    grain: Tensor
    chroma: Tensor

    @property
    def white(self) -> Tensor:
        """Whether it reads as independent between pixels and between channels, ``(B,)``.

        So it does in nearly all validation photos with white noise added, and in few with
        noise as cameras leave it.
        """
        least, most = (share * CHROMA_OF_LUMA for share in WHITE_CHROMA)
        chroma = self.chroma / self.level.clamp_min(1e-9)
        return (self.grain <= WHITE_GRAIN) & (chroma >= least) & (chroma <= most)


@torch.no_grad()
def estimate_noise(plane: Tensor) -> Tensor:
    """Standard deviation of white noise, by the median of the finest diagonal wavelets.

    Structure fills few of these coefficients, hence the median. Exact zeros are left out: they
    come from clipped or synthetic areas, where no noise shows. Carries no gradient. Noise that
    a camera has smeared is read far too low; `noise_profile` reads that.

    Args:
        plane: ``(..., H, W)``.

    Returns:
        ``(...)``, in units of `plane`; 0 where the plane is smaller than 4x4 or shows no noise.

    References:
        Donoho and Johnstone, "Ideal spatial adaptation by wavelet shrinkage", Biometrika 1994.

    >>> generator = torch.Generator().manual_seed(0)
    >>> noisy = 0.5 + 0.1 * torch.randn(256, 256, generator=generator)
    >>> abs(estimate_noise(noisy).item() - 0.1) < 0.003
    True
    """
    *batch, height, width = plane.shape
    if min(height, width) < len(_HIGH_PASS):
        return plane.new_zeros(batch)
    taps = plane.new_tensor(_HIGH_PASS)
    kernel = torch.outer(taps, taps)[None, None]
    diagonal = functional.conv2d(plane.reshape(-1, 1, height, width), kernel, stride=2)
    sizes = diagonal.flatten(1).abs()
    # rounding leaves a constant plane with coefficients that are not quite zero
    shown = torch.where(sizes > 1e-6, sizes, torch.nan)
    return (shown.nanmedian(dim=1).values.nan_to_num(0) / _MAD_TO_STD).reshape(batch)


@torch.no_grad()
def noise_profile(image: Tensor) -> NoiseProfile:
    """Noise of luma and chroma, read in flat blocks at several scales and brightnesses.

    Blocks are chosen by their coarse structure and read at finer scales, so that the choice
    does not favour blocks with little noise; the flattest twentieth is read, at a low quantile,
    of all blocks for the level and of blocks of like brightness for the tilt. Blocks with
    many clipped pixels are left out. Where the colour noise is white, so that no camera has
    smeared it, luma's is not believed to exceed it more than in independent channels. A photo
    of fewer than 24 blocks is read as white noise by `estimate_noise`, one of more than 16
    megapixels at squares spread over it. Carries no gradient.

    Args:
        image: ``(B, 3, H, W)`` in [0, 1].

    References:
        Flat blocks: Foi et al., "Practical Poissonian-Gaussian noise modeling and fitting for
        single-image raw-data", IEEE TIP 2008, after which level is read against brightness.

    >>> generator = torch.Generator().manual_seed(0)
    >>> noisy = 0.5 + 0.1 * torch.randn(1, 3, 256, 256, generator=generator)
    >>> abs(noise_profile(noisy).level.item() - 0.0668) < 0.003  # luma averages the channels
    True
    """
    rows = [_of_one(_spread(photo)) for photo in image]
    level, tilt, grain, chroma = (image.new_tensor(column) for column in zip(*rows, strict=True))
    return NoiseProfile(level, tilt, grain, chroma)


def _spread(photo: Tensor) -> Tensor:
    """A photo ``(3, H, W)``; of a large one, evenly spread squares of about `MAX_PIXELS` pixels."""
    height, width = photo.shape[-2:]
    if height * width <= MAX_PIXELS or min(height, width) < SQUARE:
        return photo
    down = min(height // SQUARE, max(1, int(math.sqrt(MAX_PIXELS * height / width) / SQUARE)))
    right = min(width // SQUARE, max(1, MAX_PIXELS // SQUARE**2 // down))
    tops, lefts = _starts(height, down), _starts(width, right)
    rows = [[photo[:, y : y + SQUARE, x : x + SQUARE] for x in lefts] for y in tops]
    return torch.cat([torch.cat(row, dim=-1) for row in rows], dim=-2)


def _starts(length: int, count: int) -> list[int]:
    """Where `count` squares begin, from the first pixel to the last."""
    return [(length - SQUARE) * n // max(1, count - 1) for n in range(count)]


def _of_one(photo: Tensor) -> tuple[float, float, float, float]:
    """Level, tilt, grain and chroma of ``(3, H, W)``."""
    light = luma(photo)
    planes = torch.stack([light, photo[2] - light, photo[0] - light])
    height, width = (size // BLOCK * BLOCK for size in light.shape)
    if height * width < BINS * FEWEST * BLOCK**2:
        level, blue, red = estimate_noise(planes).tolist()
        return level, 0.0, 1.0, math.sqrt((blue**2 + red**2) / 2)
    planes = planes[:, None, :height, :width]
    means = functional.avg_pool2d(planes[0], BLOCK).flatten()
    valid = _unclipped(photo[:, :height, :width])
    if int(valid.sum()) < BINS * FEWEST:
        valid = torch.ones_like(valid)
    energies = torch.stack([band.flatten(1)[:, valid] for band in _band_energies(planes)])
    coarse, means = _structure(planes)[valid], means[valid]

    def read(blocks: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Energies ``(scales, planes)``, brightness and trust of the flattest of some blocks."""
        flat = blocks[coarse[blocks].argsort()[: max(FEWEST, int(FLAT * len(blocks)))]]
        spectrum = energies[..., flat].quantile(LOW, dim=-1)
        variance = _variance(spectrum[:, 0])
        # the flatter the blocks, the less of what is read is texture
        structure = torch.maximum(variance, coarse[flat].mean() / ROUGH)
        return spectrum, means[flat].mean(), (variance / structure.clamp_min(1e-12)) ** 4

    order = means.argsort()
    spectrum, light, _ = read(order)
    tilt = _tilt([read(blocks) for blocks in order.tensor_split(BINS)])
    variance = _variance(spectrum[:, 0])
    level = variance.sqrt() * torch.exp2(tilt * (0.5 - light))
    grain = (spectrum[1, 0] / variance.clamp_min(1e-12)).sqrt()
    # colour noise is slow: what the third scale shows stands for all that is slower
    shares = spectrum.new_tensor([[0.75], [0.1875], [0.0625]])
    chroma = (shares * spectrum[:, 1:]).sum(0).mean().sqrt()
    told = SLACK * chroma / CHROMA_OF_LUMA
    untouched = spectrum[0, 1:].sum() > UNTOUCHED * spectrum[1, 1:].sum()
    if untouched and told < variance.sqrt() < SHARED * chroma:
        # texture has little colour: where colour noise is white, it tells luma's
        return told.item(), 0.0, 1.0, chroma.item()
    return level.item(), tilt.item(), grain.item(), chroma.item()


def _variance(spectrum: Tensor) -> Tensor:
    """Of luma's noise: three quarters of all coefficients are the finest ones.

    The second scale stands for all slower ones, in which structure outweighs noise.
    """
    return 0.75 * spectrum[0] + 0.25 * spectrum[1]


def _tilt(readings: list[tuple[Tensor, Tensor, Tensor]]) -> Tensor:
    """Slope of the logarithm of luma's noise against brightness, by weighted least squares.

    It shrinks towards none where bins are textured or all of like brightness.
    """
    spectra, lights, weights = (torch.stack(values) for values in zip(*readings, strict=True))
    variances = _variance(spectra[:, :, 0].T).clamp_min(1e-12)
    # noise rarely doubles from bin to bin: what is far above the least is more likely texture
    weights = weights * (variances.min() / variances).square()
    logs = variances.log2() / 2
    away = lights - (weights * lights).sum() / (weights.sum() + 1e-12)
    slope = (weights * away * logs).sum() / ((weights * away.square()).sum() + SHRINK)
    return slope.clamp(-MAX_TILT, MAX_TILT)


def _band_energies(planes: Tensor) -> list[Tensor]:
    """Mean square of the wavelet coefficients of each block, ``(P, h, w)`` a scale."""
    taps = planes.new_tensor([_LOW_PASS, _HIGH_PASS])
    kernels = torch.einsum("ij,kl->ikjl", taps, taps).reshape(4, 1, 4, 4)
    bands: list[Tensor] = []
    for scale in range(1, _SCALES + 1):
        padded = functional.pad(planes, (1, 1, 1, 1), mode="reflect")
        planes, *details = functional.conv2d(padded, kernels, stride=2).split(1, dim=1)
        energy = sum((band.square() for band in details), torch.zeros_like(planes)) / 3
        bands.append(functional.avg_pool2d(energy, BLOCK >> scale).squeeze(1))
    return bands


def _structure(planes: Tensor) -> Tensor:
    """How much means of 4x4 px differ from their neighbours in each block, all planes summed."""
    coarse = functional.avg_pool2d(planes, BLOCK // 4)
    right = functional.pad(coarse.diff(dim=-1).square(), (0, 1))
    below = functional.pad(coarse.diff(dim=-2).square(), (0, 0, 0, 1))
    return functional.avg_pool2d(right + below, 4).sum(0).flatten()


def _unclipped(photo: Tensor) -> Tensor:
    """Which blocks have few black or white pixels, channels counted by their share of luma.

    Warm colours often clip blue, which hardly changes luma's noise.
    """
    clipped = luma(((photo <= 0.5 / 255) | (photo >= 254.5 / 255)).to(photo.dtype))
    return functional.avg_pool2d(clipped[None], BLOCK).flatten() < CLIPPED
