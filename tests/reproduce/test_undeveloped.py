"""Pairs that a predictor learns from: what is found varies, what it should be does not."""

import torch

from enhance.operators.registry import get
from enhance.tuning.space import Space
from reproduce.undeveloped import Pairs, as_left
from scorers.training.rated import RatedPhotos

COLOUR = torch.tensor([180, 120, 60], dtype=torch.uint8)


def pairs_of_one_colour() -> Pairs:
    pixels = COLOUR[None, :, None, None].expand(4, 3, 64, 64).contiguous()
    photos = RatedPhotos(pixels, torch.full((4,), 0.8), ["a", "b", "c", "d"])
    operator = get("laplacian")
    return Pairs([photos], (3,), operator, Space.of(operator))


def test_the_aim_is_the_photo_and_nothing_else() -> None:
    for seed in range(5):
        found, good = pairs_of_one_colour()(torch.Generator().manual_seed(seed))
        expected = (COLOUR.float() / 255)[None, :, None, None].expand_as(good)
        torch.testing.assert_close(good, expected, atol=1e-5, rtol=0)
        assert float((found - good).abs().mean()) > 0.01


def test_finished_photos_are_found_as_they_should_be_but_for_noise() -> None:
    found, good = pairs_of_one_colour().finished(torch.Generator().manual_seed(0))
    assert 0 < float((found - good).abs().mean()) < 0.01


def test_photos_are_found_with_white_below_white() -> None:
    white = torch.ones(200, 3, 2, 2)
    left = as_left(white, torch.Generator().manual_seed(0)).amax((1, 2, 3))
    assert float(left.min()) >= 0.85 - 1e-6
    assert 0.4 < float((left == 1).float().mean()) < 0.6
