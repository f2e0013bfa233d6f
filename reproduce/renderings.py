"""What `nima-aesthetic` learns from, as its trunk says it: versions of good photos, rated photos
shrunk in every way, and photos spoiled before they were shrunk.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from enhance.operators.base import Operator
from reproduce.network import SIZE, describe
from scorers.nima import NIMA
from scorers.photos.damage import CAMERA, Damage, gaussian_blur, sample_damage
from scorers.photos.resampling import (
    METHODS,
    mirrored,
    random_crop_flip,
    random_view,
    resample,
)
from scorers.preprocess import Preprocess
from scorers.training.rated import RatedPhotos, draw
from scorers.training.steering import (
    DistortAndRecover,
    Versions,
    colour_distance,
    random_settings,
)

LAPLACIAN = ("detail", "shadow", "brightness")
SHARD = 50  # photos
PROBES = (
    ("exposure", -1.0),
    ("exposure", 0.5),
    ("exposure", 1.0),
    ("shoulder", 1.0),
    ("gamma", 0.3),
    ("contrast", 0.4),
    ("saturation", 0.45),
    ("lift", -0.08),
)
"""Damage that the validation photos should score above, one kind at a time."""
FLAWS = {"blur": 2.5, "noise": 0.12, "jpeg": 0.95}
"""What goes wrong before a photo is shrunk, at most; units as of `scorers.photos.damage.DETAIL`.
"""
FLAW_PROBES = (("blur", 2.0), ("jpeg", 0.9), ("overdenoise", 1.0), ("noise", 15 / 255))
"""Flaws that the validation photos should score above."""
SHRUNK = (*METHODS, "lanczos")
"""Ways of shrinking a photo among which the scorer must not see a difference."""
PREPROCESS = Preprocess(method="area", blur=0.7)


def render(operator: Operator[Any], image: Tensor, settings: Mapping[str, Tensor]) -> Tensor:
    """The tone operator as the steering data wants it: ``(K, P)`` settings of P photos."""
    return operator.render(operator.analyse(image), operator.complete(settings, like=image))


def said_of(network: NIMA, views: Tensor) -> Tensor:
    """What the trunk says of views ``(..., 3, 224, 224)`` as this scorer is shown them."""
    flat = views.reshape(-1, *views.shape[-3:])
    return describe(network, PREPROCESS.soften(flat)).reshape(*views.shape[:-3], -1)


def versions_of(
    network: NIMA, pools: list[RatedPhotos], recover: DistortAndRecover, shard: int
) -> dict[str, Tensor]:
    """Versions of `SHARD` photos, of every five one to two from the rated ones."""
    generator = torch.Generator().manual_seed(9000 + shard)
    rows: list[dict[str, Tensor]] = []
    for batch in range(SHARD // 5):
        counts = (3, 2) if batch % 3 == 0 else (4, 1)
        photos = torch.cat(
            [
                random_view(random_crop_flip(pool.batch(i[None]), generator, 0.7), SIZE, generator)
                for pool, count in zip(pools, counts, strict=True)
                for i in draw(len(pool), count, generator)
            ]
        )
        versions: Versions = recover(photos, generator)
        rows.append(
            {"said": said_of(network, versions.images), "distances": versions.distances},
        )
    return {key: torch.cat([row[key] for row in rows]) for key in rows[0]}


def ratings_of(network: NIMA, photos: RatedPhotos) -> dict[str, Tensor]:
    """Rated photos shrunk in every way, and a cut of each, sharpened, in all ways but one."""
    generator = torch.Generator().manual_seed(3)
    rows = []
    for indices in torch.arange(len(photos)).split(8):
        whole = photos.batch(indices)
        views = [resample(whole, SIZE, method) for method in SHRUNK]
        cuts = [random_crop_flip(photo, generator, 0.85) for photo in whole.split(1)]
        amounts = 3 * torch.rand(len(cuts), generator=generator)
        sharp = [
            (cut + amount * (cut - gaussian_blur(cut, 1.0))).clamp(0, 1)
            for cut, amount in zip(cuts, amounts, strict=True)
        ]
        for method in SHRUNK:
            if method == "plain":
                continue
            phase = float(torch.rand((), generator=generator))
            views.append(torch.cat([resample(cut, SIZE, method, phase) for cut in sharp]))
        rows.append(said_of(network, torch.stack(views, dim=1)))
    return {"said": torch.cat(rows), "means": photos.means}


def shrunk_of(network: NIMA, photos: RatedPhotos) -> dict[str, Tensor]:
    """Photos sharp to the pixel, continued by their mirror images and cut, shrunk in every way.

    What filters change hangs on sharpness more than on how much a photo is shrunk, and rated
    photos are seldom sharp.
    """
    generator = torch.Generator().manual_seed(11)
    rows = []
    for index in torch.arange(len(photos)).split(1):
        height, width = torch.randint(300, 769, (2,), generator=generator).tolist()
        shift = torch.randint(256, (2,), generator=generator).tolist()
        whole = mirrored(photos.batch(index), height + shift[0], width + shift[1])
        cut = whole[..., shift[0] :, shift[1] :]
        phase = float(torch.rand((), generator=generator))
        views = [resample(cut, SIZE, method, phase) for method in SHRUNK]
        rows.append(said_of(network, torch.stack(views, dim=1)))
    return {"said": torch.cat(rows)}


def flaws_of(network: NIMA, photos: RatedPhotos) -> dict[str, Tensor]:
    """Photos and, of each, one copy for each of `FLAWS`; and how large the flaws are, up to 1."""
    generator = torch.Generator().manual_seed(1)
    said, shares = [], []
    for indices in torch.arange(len(photos)).split(8):
        whole = photos.batch(indices)
        views, amounts = [whole], []
        for kind, largest in FLAWS.items():
            amounts.append(0.25 + 0.75 * torch.rand(len(whole), generator=generator))
            seed = int(torch.randint(2**31 - 1, (), generator=generator))
            views.append(Damage({kind: largest * amounts[-1]}, seed)(whole))
        small = [resample(view, SIZE, "area") for view in views]
        said.append(said_of(network, torch.stack(small, dim=1)))
        shares.append(torch.stack(amounts, dim=1))
    return {"said": torch.cat(said), "shares": torch.cat(shares)}


def flaw_probes_of(network: NIMA, photos: RatedPhotos) -> dict[str, Tensor]:
    """Photos and, of each, one copy for each of `FLAW_PROBES`."""
    rows = []
    for indices in torch.arange(len(photos)).split(8):
        whole = photos.batch(indices)
        amounts = [torch.full((len(whole),), amount) for _, amount in FLAW_PROBES]
        copies = [
            Damage({kind: amount})(whole)
            for (kind, _), amount in zip(FLAW_PROBES, amounts, strict=True)
        ]
        small = [resample(view, SIZE, "area") for view in (whole, *copies)]
        rows.append(said_of(network, torch.stack(small, dim=1)))
    return {"said": torch.cat(rows)}


def recovery_of(
    network: NIMA, photos: RatedPhotos, recover: DistortAndRecover
) -> dict[str, Tensor]:
    """What one unguarded search would see: 73 settings of 64 damaged photos, and undamaged."""
    generator = torch.Generator().manual_seed(7)
    clean = resample(photos.batch(draw(len(photos), 64, generator)), SIZE, "area")
    damaged = sample_damage(len(clean), generator, kinds=CAMERA, keep=0.7)(clean)
    settings = random_settings({n: recover.bounds[n] for n in LAPLACIAN}, 72, 1, generator)
    settings = {name: torch.cat([torch.zeros(1, 1), v]) for name, v in settings.items()}
    said, distances = [], []
    for good, bad in zip(clean.split(1), damaged.split(1), strict=True):
        seen = [recover.render(start, settings)[:, 0] for start in (bad, good)]
        said.append(torch.stack([said_of(network, images) for images in seen]))
        distances.append(
            torch.stack([colour_distance(images, good, recover.difference) for images in seen])
        )
    probes = [Damage({name: torch.full((len(clean),), by)})(clean) for name, by in PROBES]
    return {
        "said": torch.stack(said),
        "distances": torch.stack(distances),
        "probes": torch.stack([said_of(network, images) for images in (clean, *probes)]),
    }
