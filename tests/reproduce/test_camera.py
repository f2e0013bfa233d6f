"""Squares as a camera writes them, which `nima-technical` learns from."""

import torch

from enhance.operators.luma import luma
from reproduce.camera import in_little_light
from scorers.photos.damage import gaussian_blur


def fine_detail(photo: torch.Tensor) -> float:
    """Standard deviation of what a slight blur takes away from brightness."""
    light = luma(photo[None])[:, None].expand(-1, 3, -1, -1)
    return float((light - gaussian_blur(light, 1.0)).std())


def test_the_average_of_many_files_is_cleaner_than_one() -> None:
    flat = torch.full((6, 3, 48, 48), 0.5)
    versions = in_little_light(flat, torch.Generator().manual_seed(0))
    assert versions.shape == (6, 3, 3, 48, 48)
    assert bool(((versions >= 0) & (versions <= 1)).all())
    for square, file, average in versions:
        assert float(square.std()) < 1e-6
        assert float(average.std()) < 0.5 * float(file.std())


def test_a_file_is_crisper_than_the_average_of_many() -> None:
    texture = gaussian_blur(torch.rand(6, 3, 64, 64, generator=torch.Generator().manual_seed(1)), 1)
    for _, file, average in in_little_light(texture, torch.Generator().manual_seed(2)):
        assert fine_detail(average) < fine_detail(file)


def test_only_light_is_taken_away_before() -> None:
    squares = torch.rand(8, 3, 32, 32, generator=torch.Generator().manual_seed(3))
    seen = in_little_light(squares, torch.Generator().manual_seed(4))[:, 0]
    assert bool((seen <= squares + 1e-5).all())
    kept = (seen - squares).abs().amax((1, 2, 3)) < 1e-5
    assert 0 < int(kept.sum()) < 8
