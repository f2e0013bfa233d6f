"""What the studio does, without its page."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor

import enhance
from enhance.cli import main
from enhance.preview import SIDE
from enhance.studio.session import StudioSession


def test_a_look_is_what_the_operator_makes_of_the_photo(coffee: Tensor, scorer_file: str) -> None:
    session = StudioSession(coffee, "contrast", scorer_file)
    assert torch.equal(session.look(session.start()).pixels, coffee)
    look = session.look({"contrast": 0.5})
    assert torch.equal(look.pixels, enhance.apply(coffee, session.recipe({"contrast": 0.5})))
    assert sum(look.opinions.values()) == pytest.approx(1, abs=1e-5)
    mean = sum(rating * share for rating, share in look.opinions.items())
    assert look.score == pytest.approx(mean, abs=1e-4)


def test_tuning_leaves_what_is_locked(coffee: Tensor) -> None:
    chain = ["exposure", "contrast", "saturation"]
    session = StudioSession(coffee, chain, lambda images: 50 * images.mean((1, 2, 3)))
    settings = session.start() | {"contrast": 0.4, "pivot": 0.6}
    result = session.tune(settings, locked=["contrast", "saturation"])
    replayed = result.recipe.settings
    assert {name: replayed[name] for name in ("contrast", "pivot")} == {
        "contrast": 0.4,
        "pivot": 0.6,
    }
    assert replayed.get("saturation", 0) == 0
    assert result.candidate["exposure"] > 0  # brighter is better, says this scorer


def test_a_denoiser_that_stands_at_nothing_is_tuned_to_denoise(coffee: Tensor) -> None:
    def smooth_lover(images: Tensor) -> Tensor:
        return -100 * images.diff(dim=-1).abs().mean((1, 2, 3))

    noise = 0.08 * torch.randn(coffee.shape, generator=torch.Generator().manual_seed(0))
    noisy = (coffee + noise).clamp(0, 1)
    session = StudioSession(noisy, "turbo", smooth_lover)
    assert session.start()["strength"] == 0
    result = session.tune(session.start(), locked=[])
    assert result.verdict == "enhanced"
    assert (result.pixels - coffee).square().mean() < 0.5 * (noisy - coffee).square().mean()
    moved = session.tune(session.start() | {"strength": 0.5, "luma": 0.7}, locked=["k_r"])
    assert {n: moved.settings[n] for n in ("strength", "luma", "k_r")} == {
        "strength": 0.5,
        "luma": 0.7,
        "k_r": 4.0,
    }
    still = session.tune(session.start(), locked=["strength"])
    assert still.verdict == "untouched"


def test_what_sliders_show_is_checked(coffee: Tensor) -> None:
    session = StudioSession(coffee, "contrast", lambda images: images.mean((1, 2, 3)))
    assert session.settings([0.3, 0.5]) == {"contrast": 0.3, "pivot": 0.5}
    for values in ([None, 0.5], ["x", 0.5], [float("nan"), 0.5], [99, 0.5]):
        with pytest.raises(enhance.ParameterError, match="contrast must "):
            session.settings(values)
    with pytest.raises(enhance.ParameterError, match="must have 2 values, got 1"):
        session.settings([0.3])


def test_the_recipe_says_what_was_seen(coffee: Tensor, scorer_file: str) -> None:
    session = StudioSession(coffee, ["contrast", "saturation"], scorer_file)
    recipe = session.recipe({"contrast": 0.3})
    assert recipe.operators == ("contrast", "saturation")
    assert recipe.scorer == "tiny"
    assert recipe.score == session.look({"contrast": 0.3}).score
    assert enhance.Recipe.from_json(recipe.to_json()) == recipe


@pytest.mark.parametrize(("operator", "size"), [("contrast", (512, SIDE)), ("turbo", (600, SIDE))])
def test_the_preview_is_small_but_a_denoiser_sees_pixels_as_they_are(
    operator: str, size: tuple[int, int]
) -> None:
    photo = torch.rand(3, 600, 1200, generator=torch.Generator().manual_seed(0))
    session = StudioSession(photo, operator, lambda images: images.mean((1, 2, 3)))
    assert tuple(session.preview.shape[-2:]) == size
    if operator == "turbo":
        assert torch.equal(session.preview[0], photo[:, :, 88 : 88 + SIDE])


def test_the_studio_is_an_extra(
    coffee_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "gradio", None)
    assert main(["studio", str(coffee_file)]) == 2
    assert "pip install 'enhance-tune[studio]'" in capsys.readouterr().err
