from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

import enhance
from enhance.tuning.cost import LEAVING_COST
from enhance.tuning.guards import Evidence, GuardReport, default_guards


def test_a_better_photo_its_settings_and_a_verdict(paint, grey, target) -> None:
    result = enhance.tune(grey, paint, target(0.7, 0.4), guards=[])
    assert result.verdict == "enhanced"
    assert result.strategy == "gradient"
    assert result.settings == {
        "red": pytest.approx(0.2, abs=0.01),
        "green": pytest.approx(-0.1, abs=0.01),
    }
    assert result.score == pytest.approx(5, abs=1e-3)
    assert result.gain == pytest.approx(result.score - result.baseline)
    assert result.interval[0] <= result.gain <= result.interval[1]
    shift = (result.image - grey).mean((0, 2, 3))
    assert shift.tolist() == pytest.approx([0.2, -0.1, 0], abs=0.01)
    assert max(entry["value"] for entry in result.history) == pytest.approx(result.score, abs=1e-4)
    assert "red=0.2" in repr(result)


@pytest.mark.parametrize("strategy", ["gradient", "hybrid", "grid"])
def test_same_seed_same_result(coffee, tone_scorer, strategy: str) -> None:
    first, again = (
        enhance.tune(coffee, "laplacian", tone_scorer, strategy, seed=5) for _ in range(2)
    )
    assert first.settings == again.settings
    assert first.interval == again.interval
    assert first.recipe == again.recipe
    assert torch.equal(first.image, again.image)
    assert first.strategy == strategy


def test_the_cost_and_guards_hold_back_and_without_them_it_is_the_raw_maximum(
    paint, grey, target
) -> None:
    scorer = target(0.8, 0.5)
    held = enhance.tune(grey, paint, scorer, guards=["interval", "clipping"])
    raw = enhance.tune(grey, paint, scorer, guards=[])
    assert raw.settings["red"] == pytest.approx(0.3, abs=0.01)
    # the maximum of 5 - 10 (r - .3)^2 - cost r^2, where the derivative is zero
    assert held.settings["red"] == pytest.approx(3 / (10 + LEAVING_COST), abs=0.01)
    assert held.guards
    assert not raw.guards


def test_an_optimal_photo_stays_untouched_with_the_reason(paint, grey, target) -> None:
    result = enhance.tune(grey, paint, target(0.5, 0.5))
    assert result.verdict == "untouched"
    assert result.reason
    assert result.summary().startswith("untouched: ")
    assert result.settings == {"red": 0, "green": 0}
    assert (result.gain, result.interval, result.score) == (0, (0, 0), result.baseline)
    assert torch.equal(result.image, grey)


def test_a_gain_that_some_views_only_have_is_within_its_interval(paint, coffee) -> None:
    def capricious(images: Tensor) -> Tensor:
        """Likes red in two of the four views and dislikes it in the others."""
        moods = torch.tensor([3.0, -1.0, 2.0, -2.0])
        return moods.repeat(-(-len(images) // 4))[: len(images)] * images[:, 0].mean((-1, -2))

    result = enhance.tune(coffee, paint, capricious, fixed={"green": 0}, guards=["interval"])
    assert result.verdict == "untouched"
    assert "within its own interval" in result.reason


class Shy:
    """Refuses more than so much red."""

    name = "shy"

    def __init__(self, limit: float) -> None:
        self.limit = limit

    def check(self, evidence: Evidence) -> GuardReport:
        value = float((evidence.after - evidence.before)[:, 0].mean())
        return GuardReport(self.name, value, self.limit, value <= self.limit, "it is too red")


def test_backs_off_towards_the_input_where_a_guard_refuses(paint, grey, target) -> None:
    scorer = target(0.9, 0.5)
    free = enhance.tune(grey, paint, scorer, guards=[Shy(1)])
    result = enhance.tune(grey, paint, scorer, guards=[Shy(0.25)])
    assert result.verdict == "enhanced"
    assert result.settings["red"] == pytest.approx(free.settings["red"] / 2, abs=0.01)
    assert "50%" in result.reason
    assert "too red" in result.reason
    assert result.candidate["red"] == free.settings["red"]


def test_untouched_where_no_step_passes(paint, grey, target) -> None:
    result = enhance.tune(grey, paint, target(0.9, 0.5), guards=[Shy(0.01)])
    assert result.verdict == "untouched"
    assert result.reason == "it is too red"
    assert [report.name for report in result.guards] == ["shy"]


def test_fixed_and_bounds(coffee) -> None:
    def likes_contrast(images: Tensor) -> Tensor:
        return images.std((1, 2, 3))

    result = enhance.tune(
        coffee,
        "laplacian",
        likes_contrast,
        fixed={"brightness": 0.1},
        bounds={"detail": (0, 0.5)},
        guards=[],
    )
    assert result.verdict == "enhanced"
    assert result.settings["brightness"] == 0.1
    assert 0 <= result.settings["detail"] <= 0.5
    assert all("brightness" not in entry for entry in result.history)


def test_chain_is_tuned_as_one(coffee, tone_scorer) -> None:
    result = enhance.tune(coffee, ["turbo", "laplacian"], tone_scorer, crops=3, guards=[])
    assert set(result.settings) == {"sigma_s", "detail", "shadow", "brightness"}
    assert result.recipe.operators == ("turbo", "laplacian")
    assert torch.equal(enhance.apply(coffee, result.recipe), result.image)


def test_turbo_takes_noise_away_when_the_scorer_minds_it(coffee) -> None:
    def smooth_lover(images: Tensor) -> Tensor:
        return -100 * images.diff(dim=-1).abs().mean((1, 2, 3))

    noise = 0.08 * torch.randn(coffee.shape, generator=torch.Generator().manual_seed(0))
    noisy = (coffee + noise).clamp(0, 1)
    result = enhance.tune(noisy, "turbo", smooth_lover, crops=4)
    assert result.verdict == "enhanced"
    assert set(result.settings) == {"sigma_s"}
    assert (result.image - coffee).square().mean() < 0.5 * (noisy - coffee).square().mean()


def as_uint8(image: Tensor) -> np.ndarray:
    return image[0].permute(1, 2, 0).mul(255).round().byte().numpy()


def test_every_kind_comes_back_as_it_came(coffee, tone_scorer, coffee_file, tmp_path) -> None:
    array = as_uint8(coffee)
    options = {"operator": "laplacian", "scorer": tone_scorer, "guards": []}
    results = {}
    for name, given in {
        "path": coffee_file,
        "pil": Image.fromarray(array),
        "uint8": array,
        "float": array.astype(np.float32) / 255,
        "tensor": coffee[0],
    }.items():
        results[name] = enhance.tune(given, **options)
        got = results[name].image
        if isinstance(given, (np.ndarray, Tensor)):
            assert type(got) is type(given)
            assert (got.dtype, got.shape) == (given.dtype, given.shape)
        else:
            assert isinstance(got, Image.Image)
    assert len({json.dumps(dict(result.settings)) for result in results.values()}) == 1
    results["path"].save(tmp_path / "out.png")
    assert (
        np.abs(
            np.asarray(Image.open(tmp_path / "out.png")).astype(int) - results["uint8"].image
        ).max()
        <= 1
    )
    with pytest.raises(enhance.WriteError):
        results["path"].save(coffee_file)


def test_recipe_replays_from_disk(coffee, tone_scorer, tmp_path: Path) -> None:
    result = enhance.tune(as_uint8(coffee), "laplacian", tone_scorer, guards=[])
    result.recipe.save(tmp_path / "recipe.json")
    again = enhance.apply(as_uint8(coffee), tmp_path / "recipe.json", output=tmp_path / "out.png")
    assert np.array_equal(again, result.image)
    assert (tmp_path / "out.png").exists()


def test_recipe_of_an_untouched_photo_changes_nothing(paint, grey, target) -> None:
    enhance.register(type(paint))
    result = enhance.tune(grey, "paint", target(0.5, 0.5))
    assert result.recipe.verdict == "untouched"
    assert torch.equal(enhance.apply(grey, result.recipe), grey)


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (3, 7), (300, 5)])
@pytest.mark.parametrize("operator", ["laplacian", "turbo"])
def test_photos_of_any_size(size: tuple[int, int], operator: str, tone_scorer) -> None:
    photo = torch.rand(3, *size, generator=torch.Generator().manual_seed(0))
    result = enhance.tune(photo, operator, tone_scorer, crops=4)
    assert result.image.shape == photo.shape


@pytest.mark.parametrize(
    ("operator", "bounds", "told"),
    [
        (["laplacian", "turbo"], {}, {"sigma_n", "tilt", "grain", "sigma_c"}),
        ("turbo", {"tilt": (0.4, 0.9)}, {"sigma_n", "grain", "sigma_c"}),
        (["turbo", "laplacian"], {}, set()),
    ],
)
def test_what_was_judged_is_what_is_rendered_and_replayed(
    coffee, operator: object, bounds: dict, told: set[str]
) -> None:
    def smooth_but_bright(images: Tensor) -> Tensor:
        return 50 * images.mean((1, 2, 3)) - 100 * images.diff(dim=-1).abs().mean((1, 2, 3))

    noise = 0.06 * torch.randn(coffee.shape, generator=torch.Generator().manual_seed(0))
    noisy = (coffee + noise).clamp(0, 1)
    options = {"crops": 4, "guards": [], "bounds": bounds}
    result = enhance.tune(noisy, operator, smooth_but_bright, "race", **options)
    assert result.verdict == "enhanced"
    assert told == {n for n in ("sigma_n", "grain", "sigma_c", "tilt") if n in result.settings} - {
        *bounds
    }
    objective = result.objective
    judged = objective.render(objective.space.to_unit(result.settings)[None])[0]
    torch.testing.assert_close(objective.views.cut(result.pixels), judged, rtol=0, atol=1e-5)
    assert torch.equal(enhance.apply(noisy, result.recipe), result.image)


def test_guards_can_be_added_to_the_default_ones(coffee) -> None:
    plain, more = (
        enhance.tune(coffee, "contrast", guards=guards)
        for guards in (None, [*default_guards(), Shy(1)])
    )
    assert more.guards[:-1] == plain.guards
    assert {"need", "worth"} <= {report.name for report in plain.guards}
    assert all("only" not in report.finding for report in plain.guards[:2])
    own = enhance.tune(coffee, "contrast", lambda images: images.mean((1, 2, 3)))
    assert all("only" in report.finding for report in own.guards[:2])
